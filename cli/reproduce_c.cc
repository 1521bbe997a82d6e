#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/reproduction.h"
#include "fuzz/sanitized.h"
#include "fuzz/sighting.h"
#include "report/text.h"
#include "reproduce/program.h"
#include "reproduce/recorded_run.h"
#include "reproduce/run_program.h"

namespace atsfuzz::cli {
namespace {

using linux_driver::BuildKind;

// " --driver=D --patch=P", as `atsfuzz drivers` takes them.
std::string TreeFlags(const DriverFlags& flags) {
  std::string text = absl::StrCat(" --driver=", flags.driver);
  for (const std::string& patch : flags.patches) {
    absl::StrAppend(&text, " --patch=", patch);
  }
  return text;
}

// What is reproduced, and on which build of the driver.
struct Subject {
  reproduce::RecordedRun run;
  const reproduce::Shown* shown = nullptr;  // null: the run's death
  BuildKind build = BuildKind::kPlain;
  std::string invariant, module;
};

// What only the sanitizers tell: a use of memory that the driver survives.
absl::Status FindUnderSanitizers(const ReproduceRequest& request,
                                 const Driver& driver, Subject* subject) {
  if (driver.sanitized_program.empty() ||
      subject->build == BuildKind::kInstrumented) {
    return absl::OkStatus();
  }
  auto program = fuzz::SanitizedProgram::Start(driver.SanitizedCommand());
  if (!program.ok()) return program.status();
  absl::Status sent = program->Send({request.scenario});
  if (!sent.ok()) return sent;
  const auto runs = program->Receive();
  if (!runs.ok()) return runs.status();
  if (runs->empty() || !runs->front().death) return absl::OkStatus();
  subject->run.death = runs->front().death;
  subject->build = BuildKind::kSanitized;
  subject->module = driver.sanitized;
  return absl::OkStatus();
}

absl::Status Choose(const ReproduceRequest& request, const Driver& driver,
                    Subject* subject) {
  std::vector<properties::Invariant> invariants;
  for (const reproduce::Shown& shown : subject->run.shown) {
    invariants.push_back(shown.violation.invariant);
  }
  if (subject->run.death) {
    invariants.push_back(subject->run.death->hung
                             ? properties::Invariant::kProgress
                             : properties::Invariant::kMemorySafe);
  }
  const auto wanted = WantedOf(request, driver.name, invariants);
  if (!wanted.ok()) return wanted.status();
  subject->invariant = std::string(InvariantName(invariants[*wanted]));
  if (*wanted < subject->run.shown.size()) {
    subject->shown = &subject->run.shown[*wanted];
  }
  return absl::OkStatus();
}

absl::StatusOr<Subject> Find(const ReproduceRequest& request,
                             const Driver& driver) {
  Subject subject;
  subject.build =
      reproduce::BuildFor(request.scenario, request.flags.data_races);
  const bool plain = subject.build == BuildKind::kPlain;
  subject.module = plain ? driver.plain : driver.instrumented;
  auto run = reproduce::Record(plain ? driver.Plain() : driver.Instrumented(),
                               request.scenario);
  if (!run.ok()) {
    return absl::Status(
        run.status().code(),
        absl::StrCat(request.path, ": ", run.status().message()));
  }
  subject.run = *std::move(run);
  if (subject.run.shown.empty() && !subject.run.death) {
    const absl::Status looked = FindUnderSanitizers(request, driver, &subject);
    if (!looked.ok()) return looked;
  }
  const absl::Status chosen = Choose(request, driver, &subject);
  if (!chosen.ok()) return chosen;
  return subject;
}

// Runs the program where it was made: one that does not show what it is about
// is not handed out.
absl::Status Try(const std::string& text, const Subject& subject) {
  const auto tried =
      reproduce::RunProgram(text, "clang", subject.build, subject.module);
  if (!tried.ok()) return tried.status();
  if (tried->status == kViolation) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "this violation (", subject.invariant,
      ") cannot be told by a C program: one was made and does not show it, "
      "exit status ",
      tried->status, ":\n", tried->output));
}

}  // namespace

absl::StatusOr<Reproduction> ReproduceAsC(const ReproduceRequest& request) {
  if (absl::StartsWith(request.flags.driver, "model:")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--as=c: ", request.flags.driver,
        " is the abstract machine, which has no module to run a program on; "
        "take a linux: driver"));
  }
  const auto driver = ObtainDriver(request.flags, {.plain = true});
  if (!driver.ok()) return driver.status();
  auto subject = Find(request, *driver);
  if (!subject.ok()) return subject.status();
  const std::string module =
      absl::StrCat("atsfuzz drivers", TreeFlags(request.flags),
                   " --module=", BuildKindName(subject->build));
  const auto text = reproduce::TextOf(
      {.scenario = request.scenario,
       .run = subject->run,
       .shown = subject->shown,
       .violation = absl::StrCat(
           subject->invariant, "; ",
           report::AssumptionText(fuzz::ClassesUsed(request.scenario))),
       .driver = absl::StrCat(driver->name, " (", driver->version, ")"),
       .made_by = request.CommandLine(),
       .module = "./" + module,
       .build = subject->build,
       .data_races = request.flags.data_races});
  if (!text.ok()) return text.status();
  const absl::Status tried = Try(*text, *subject);
  if (!tried.ok()) return tried;
  Reproduction reproduction{.text = *text};
  reproduction.notes.push_back(
      absl::StrCat(subject->invariant, ": tried on ", driver->name,
                   " with clang, where it exits with 1"));
  if (subject->shown != nullptr && !subject->shown->symptom.weaker.empty()) {
    reproduction.notes.push_back(subject->shown->symptom.weaker);
  }
  return reproduction;
}

}  // namespace atsfuzz::cli
