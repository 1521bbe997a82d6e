#include "fuzz/compare.h"

#include <stdio.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/command.h"
#include "cli/compare_flags.h"
#include "cli/difference_text.h"
#include "cli/driver.h"
#include "cli/driver_pair.h"
#include "cli/faults_flag.h"
#include "cli/findings_text.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "fuzz/findings.h"
#include "model/text.h"
#include "report/json.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Compares two drivers on the same machines and operations, within what "
    "both\ncan do; allocation faults by site. Without FILEs scenarios are "
    "generated.\n\n"
    "By verdicts (two kernels, or one without and with patches): each is "
    "fuzzed,\nand the minimal scenario of every finding runs on both. Prints "
    "a table of the\ninvariants with left and right: `violated`, `holds`, or "
    "`other`, when only other\ninvariants are violated in that scenario. "
    "A star: this driver violates the same "
    "invariant in\nthe same function by another scenario. Ends with\nstatus 1 "
    "if there is a "
    "regression: violated by the second driver, and held by\nthe first "
    "there and everywhere else.\n\n"
    "By steps (a model and a kernel): both run in lockstep; shows the first "
    "thing\nthat can be observed of one and not of the other, in a scenario "
    "as small as it\ngets. Ends after the first difference unless "
    "--keep-going, with status 1.";

constexpr char kExamples[] =
    "  atsfuzz compare --driver=model:6.12 --driver=linux:6.12\n"
    "  atsfuzz compare --driver=linux:7.2 --driver=linux:7.3\n"
    "  atsfuzz compare --driver=linux:6.12 --patch=fix.patch\n"
    "  atsfuzz compare --driver=model:6.12 --driver=linux:6.12 "
    "corpus/seeds/*.ats\n";

absl::StatusOr<fuzz::CompareOptions> OptionsFor(
    const CompareFlags& flags, const std::vector<std::string>& paths) {
  fuzz::CompareOptions options;
  if (auto status = flags.FillIn(paths, &options); !status.ok()) return status;
  options.keep_going = flags.keep_going || !options.generates;
  return options;
}

void ShowProgress(const fuzz::CompareProgress& now) {
  static double shown = -1;
  if (now.seconds - shown < 0.1) return;
  shown = now.seconds;
  const double seconds = now.seconds > 0 ? now.seconds : 1;
  absl::FPrintF(stderr,
                "\r\033[K%.1f s  %s runs  %s operations, %s/s  %d "
                "difference%s%s",
                now.seconds, Count(now.runs), Count(now.operations),
                Count(static_cast<uint64_t>(
                    static_cast<double>(now.operations) / seconds)),
                now.differences, now.differences == 1 ? "" : "s",
                now.shrinking ? "  shrinking" : "");
  fflush(stderr);
}

std::string Summary(const fuzz::CompareResult& result) {
  std::string text = absl::StrFormat(
      "%s runs  %s operations  %.1f s  %d difference%s", Count(result.runs),
      Count(result.operations), result.seconds, result.differences.size(),
      result.differences.size() == 1 ? "" : "s");
  if (result.interrupted) absl::StrAppend(&text, "  (interrupted)");
  text += "\n";
  if (result.cut_short != 0) {
    absl::StrAppend(&text, Count(result.cut_short),
                    " runs ended early: the kernel died on both sides, or used "
                    "freed memory\n");
  }
  const auto allowed = fuzz::AllowedDifferences();
  for (size_t i = 0; i < result.allowed.size(); ++i) {
    if (result.allowed[i] == 0) continue;
    absl::StrAppend(&text, "allowed  ", allowed[i].name, ", ",
                    Count(result.allowed[i]), " times: ", allowed[i].reason,
                    "\n");
  }
  return text;
}

report::Json ResultJson(const CompareFlags& flags, const DriverPair& pair,
                        const fuzz::CompareResult& result,
                        report::Json differences) {
  report::Json json;
  json["drivers"] = {pair.left_label(), pair.right_label()};
  json["seed"] = flags.seed;
  json["runs"] = result.runs;
  json["operations"] = result.operations;
  json["seconds"] = result.seconds;
  json["effective_operations"] = result.effective;
  json["differences"] = std::move(differences);
  json["allowed"] = report::Json::array();
  const auto allowed = fuzz::AllowedDifferences();
  for (size_t i = 0; i < allowed.size(); ++i) {
    json["allowed"].push_back({{"name", std::string(allowed[i].name)},
                               {"reason", std::string(allowed[i].reason)},
                               {"count", result.allowed[i]}});
  }
  json["cut_short"] = result.cut_short;
  json["interrupted"] = result.interrupted;
  return json;
}

// Writes what was found, prints it, and returns the exit status.
int Report(const CompareFlags& flags, const DriverPair& pair,
           const fuzz::CompareResult& result) {
  std::string text = Summary(result);
  report::Json records = report::Json::array();
  for (const fuzz::FoundDifference& found : result.differences) {
    const std::string path = absl::StrCat(
        flags.output, "/", found.difference.signature, "/scenario.ats");
    const std::string story = DifferenceText(
        found, pair.left_label(), pair.right_label(), flags.CommandLine(path));
    report::Json record = DifferenceJson(found, path);
    const absl::Status written = fuzz::WriteFinding(
        flags.output, found.difference.signature, model::Print(found.scenario),
        story, report::Dump(record));
    if (!written.ok()) return Fail(written);
    absl::StrAppend(&text, "\n", story);
    records.push_back(std::move(record));
  }
  if (flags.json) {
    text = report::Dump(ResultJson(flags, pair, result, std::move(records)));
  }
  fputs(text.c_str(), stdout);
  return result.differences.empty() ? kClean : kViolation;
}

int RunAndReport(const CompareFlags& flags, const DriverPair& pair,
                 const std::vector<std::string>& paths,
                 const fuzz::CompareOptions& options) {
  if (!flags.json) {
    absl::PrintF("%s and %s  seed %d\n", pair.left_label(), pair.right_label(),
                 flags.seed);
    fflush(stdout);
  }
  const auto result = fuzz::RunComparison(options);
  if (options.progress) fputs("\r\033[K", stderr);
  if (!result.ok()) return Fail(result.status());
  for (const auto& [index, reason] : result->unfit) {
    absl::FPrintF(stderr, "atsfuzz: %s: not compared: %s\n", paths[index],
                  reason);
  }
  return Report(flags, pair, *result);
}

}  // namespace

int Compare(const std::vector<std::string>& arguments) {
  Flags flags("compare --driver=A --driver=B [FILE...] [FLAGS]", kAbout,
              kExamples);
  CompareFlags values;
  values.AddTo(&flags);
  const auto paths = flags.Parse(arguments);
  if (!paths.ok()) return Fail(paths.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  const absl::Status complete = values.Complete();
  if (!complete.ok()) return Fail(complete);
  if (values.by == "verdicts") return CompareByVerdicts(values, *paths);
  auto options = OptionsFor(values, *paths);
  if (!options.ok()) return Fail(options.status());
  const auto pair =
      DriverPair::Obtain(values.drivers[0], values.drivers[1], values.patches);
  if (!pair.ok()) return Fail(pair.status());
  options->generate.capabilities = pair->capabilities();
  if (options->generate.topology) {
    const absl::Status fits =
        Fits(pair->capabilities(),
             absl::StrCat(pair->left_label(), " or ", pair->right_label()),
             *options->generate.topology);
    if (!fits.ok()) return Fail(absl::InvalidArgumentError(fits.message()));
  }
  options->fast = pair->Fast();
  options->located = pair->Located();
  if (isatty(STDERR_FILENO)) options->progress = ShowProgress;
  CatchInterrupts();
  return RunAndReport(values, *pair, *paths, *options);
}

}  // namespace atsfuzz::cli
