#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/reproduction.h"
#include "cli/traced_run.h"
#include "fuzz/sighting.h"
#include "report/text.h"
#include "reproduce/recorded_run.h"
#include "reproduce/steps.h"

namespace atsfuzz::cli {
namespace {

// A scenario as it went, twice: what was called, and what was seen.
struct Told {
  model::Scenario scenario;
  reproduce::RecordedRun run;
  TracedRun traced;
  properties::Violation violation;
};

absl::StatusOr<Told> Tell(const ReproduceRequest& request, const Driver& driver,
                          const model::Scenario& scenario) {
  Told told{.scenario = scenario};
  auto run = reproduce::Record(driver.Instrumented(), scenario);
  if (!run.ok()) {
    return absl::Status(
        run.status().code(),
        absl::StrCat(request.path, ": ", run.status().message()));
  }
  told.run = *std::move(run);
  auto traced = RunTraced(driver.Instrumented(), scenario);
  if (!traced.ok()) return traced.status();
  told.traced = *std::move(traced);
  std::vector<properties::Invariant> shown;
  for (const fuzz::Sighting& sighting : told.traced.sightings) {
    shown.push_back(sighting.violation.invariant);
  }
  const auto wanted = WantedOf(request, driver.name, shown);
  if (!wanted.ok()) return wanted.status();
  told.violation = told.traced.sightings[*wanted].violation;
  return told;
}

reproduce::Steps StepsOf(const ReproduceRequest& request, const Driver& driver,
                         const reproduce::UserInterfaces& interfaces,
                         const Told& told) {
  return {.scenario = told.scenario,
          .run = told.run,
          .invariant = told.violation.invariant,
          .message = told.violation.message,
          .expected = told.violation.expected,
          .found = told.violation.found,
          .assumes = report::AssumptionText(fuzz::ClassesUsed(told.scenario)),
          .driver = absl::StrCat(driver.name, " (", driver.version, ")"),
          .made_by = request.CommandLine(),
          .capabilities = driver.capabilities,
          .interfaces = interfaces,
          .rows = told.traced.rows};
}

// The same with the claims that VFIO and iommufd make before they attach, if
// that shows the same violation and can be asked for more of.
std::optional<Told> Claimed(const ReproduceRequest& request,
                            const Driver& driver,
                            const reproduce::UserInterfaces& interfaces,
                            const Told& told) {
  const reproduce::Steps steps = StepsOf(request, driver, interfaces, told);
  const size_t obstacles = NotDrivable(steps).size();
  if (obstacles == 0) return std::nullopt;
  const auto scenario =
      reproduce::WithClaims(told.scenario, driver.capabilities);
  if (!scenario) return std::nullopt;
  ReproduceRequest same = request;
  same.violation = std::string(InvariantName(told.violation.invariant));
  auto claimed = Tell(same, driver, *scenario);
  if (!claimed.ok()) return std::nullopt;
  const reproduce::Steps others =
      StepsOf(request, driver, interfaces, *claimed);
  if (NotDrivable(others).size() >= obstacles) return std::nullopt;
  return *std::move(claimed);
}

absl::StatusOr<reproduce::UserInterfaces> InterfacesOf(
    const DriverFlags& flags) {
  if (!absl::StartsWith(flags.driver, "linux:")) {
    return reproduce::CurrentUserInterfaces();
  }
  const auto tree = TreeOf(flags.driver, flags.patches);
  if (!tree.ok()) return tree.status();
  return reproduce::UserInterfacesOf(tree->path);
}

}  // namespace

absl::StatusOr<Reproduction> ReproduceAsSteps(const ReproduceRequest& request) {
  const auto driver = ObtainDriver(request.flags, {.sanitized = false});
  if (!driver.ok()) return driver.status();
  const auto interfaces = InterfacesOf(request.flags);
  if (!interfaces.ok()) return interfaces.status();
  const auto told = Tell(request, *driver, request.scenario);
  if (!told.ok()) return told.status();
  const auto claimed = Claimed(request, *driver, *interfaces, *told);
  reproduce::Steps steps =
      StepsOf(request, *driver, *interfaces, claimed ? *claimed : *told);
  if (claimed) {
    steps.changed =
        "Not the scenario of the file: VFIO and iommufd claim a group before "
        "they attach it, and the violation shows with their claims, too.";
  }
  Reproduction reproduction{.text = TextOf(steps)};
  if (claimed) reproduction.notes.push_back(steps.changed);
  if (const size_t obstacles = NotDrivable(steps).size(); obstacles != 0) {
    reproduction.notes.push_back(
        absl::StrCat(obstacles, obstacles == 1 ? " call" : " calls",
                     " cannot be made from user space; the text says why"));
  }
  return reproduction;
}

}  // namespace atsfuzz::cli
