#include <stdio.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/reproduction.h"
#include "cli/wanted.h"
#include "fuzz/findings.h"
#include "linux/cache.h"
#include "model/text.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Turns a scenario that shows a violation (that of --violation, of its\n"
    "first `expect violation` line, or the first that it shows) into "
    "something\n"
    "for whoever works on the kernel. Prints the result, or writes it to\n"
    "--output.\n\n"
    "  c      a C program that makes the calls on a driver module, and exits\n"
    "         with 1 if the violation shows, with 0 if it does not\n"
    "  kunit  where an invalidation array is wrong (7.1 and later): a KUnit\n"
    "         case that makes it by the recorded calls of the driver's own\n"
    "         functions; says whether these are wrong, or their caller\n"
    "  steps  what to do on a real machine, in words: the machine it takes, "
    "the\n"
    "         system calls, what cannot be asked for, what there is to see";

constexpr char kExamples[] =
    "  atsfuzz reproduce scenario.ats --as=c --output=reproducer.c\n"
    "  atsfuzz reproduce scenario.ats --as=kunit --driver=linux:7.3\n"
    "  atsfuzz reproduce scenario.ats --as=steps\n"
    "  atsfuzz reproduce crash-1f3a --arrays --as=kunit --driver=linux:7.3\n";

// A form and who makes it.
struct Form {
  absl::string_view name;
  absl::StatusOr<Reproduction> (*make)(const ReproduceRequest& request);
};

constexpr std::array kForms = {Form{"c", ReproduceAsC},
                               Form{"kunit", ReproduceAsKunit},
                               Form{"steps", ReproduceAsSteps}};

absl::StatusOr<Form> FormOf(const ReproduceRequest& request) {
  std::vector<absl::string_view> names;
  for (const Form& form : kForms) {
    if (form.name == request.form) {
      if (!request.of_arrays || form.name == "kunit") return form;
      return absl::InvalidArgumentError(absl::StrCat(
          "--arrays: what the fuzzer of invalidation arrays has found is a "
          "matter of --as=kunit, not of --as=",
          form.name));
    }
    names.push_back(form.name);
  }
  const std::string expected = absl::StrJoin(names, ", ");
  return absl::InvalidArgumentError(
      request.form.empty()
          ? absl::StrCat("reproduce needs --as=FORM, one of ", expected)
          : absl::StrCat("--as=", request.form, ": expected one of ",
                         expected));
}

absl::Status ReadInput(ReproduceRequest* request) {
  if (request->of_arrays) {
    auto bytes = linux_driver::ReadFile(request->path);
    if (!bytes.ok()) return absl::NotFoundError(bytes.status().message());
    request->input = *std::move(bytes);
    return absl::OkStatus();
  }
  auto scenario = model::ReadScenario(request->path);
  if (!scenario.ok()) return scenario.status();
  request->scenario = *std::move(scenario);
  return absl::OkStatus();
}

int Write(const Reproduction& reproduction, const std::string& output) {
  for (const std::string& note : reproduction.notes) {
    fprintf(stderr, "atsfuzz: %s\n", note.c_str());
  }
  if (output.empty()) {
    fputs(reproduction.text.c_str(), stdout);
    return kViolation;
  }
  const absl::Status written = fuzz::WriteWhole(output, reproduction.text);
  if (!written.ok()) {
    return Fail(absl::PermissionDeniedError(written.message()));
  }
  return kViolation;
}

}  // namespace

std::string ReproduceRequest::CommandLine() const {
  return absl::StrCat("atsfuzz reproduce ", path, flags.CommandLine(),
                      violation.empty() ? "" : " --violation=", violation,
                      of_arrays ? " --arrays" : "", " --as=", form);
}

absl::StatusOr<size_t> WantedOf(
    const ReproduceRequest& request, absl::string_view driver,
    const std::vector<properties::Invariant>& shown) {
  const auto wanted =
      request.violation.empty()
          ? WantedViolation(request.scenario, driver, shown, "to reproduce")
          : NamedViolation(request.violation, shown);
  if (wanted.ok() || absl::IsInvalidArgument(wanted.status())) return wanted;
  return absl::InvalidArgumentError(absl::StrCat(
      request.path, ": on ", driver, " ", wanted.status().message()));
}

int Reproduce(const std::vector<std::string>& arguments) {
  Flags flags("reproduce FILE --as=FORM [FLAGS]", kAbout, kExamples);
  ReproduceRequest request;
  std::string output;
  request.flags.AddTo(&flags);
  flags.Add("as", "FORM", "What to make: c, kunit or steps.", &request.form);
  flags.Add("arrays",
            "FILE is no scenario but an input of the fuzzer of invalidation "
            "arrays (fuzz/invs_target.cc).",
            &request.of_arrays);
  flags.Add("violation", "INVARIANT", "Which, if the scenario shows several.",
            &request.violation);
  flags.Add("output", "FILE", "Where to write the result.", &output);
  const auto paths = flags.Parse(arguments);
  if (!paths.ok()) return Fail(paths.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  if (paths->size() != 1) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        "reproduce needs one scenario's path, found ", paths->size())));
  }
  const auto form = FormOf(request);
  if (!form.ok()) return Fail(form.status());
  request.path = paths->front();
  const absl::Status read = ReadInput(&request);
  if (!read.ok()) return Fail(read);
  const auto reproduction = form->make(request);
  if (!reproduction.ok()) return Fail(reproduction.status());
  return Write(*reproduction, output);
}

}  // namespace atsfuzz::cli
