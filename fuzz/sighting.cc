#include "fuzz/sighting.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace atsfuzz::fuzz {
namespace {

using Json = nlohmann::json;

std::string PlaceText(const model::Location& place) {
  return place.known() ? absl::StrCat(place.function, " ", place.file, ":",
                                      place.line, "  ", place.text)
                       : "somewhere";
}

// A data race is two places, of which the checker knows none. What tells it
// from others is both of them, in whatever order they were reached.
void TellPlaces(properties::Violation& violation, model::System& system) {
  const std::span<const atsfuzz_event> events = system.Events();
  if (violation.event < 0 ||
      static_cast<size_t>(violation.event) >= events.size()) {
    return;
  }
  const atsfuzz_event& event = events[violation.event];
  const model::Location here = Blame(system.Locate(event));
  const model::Location other = Blame(system.LocateOther(event));
  absl::StrAppend(&violation.message, "\n      ", PlaceText(here), "\n      ",
                  PlaceText(other));
  std::array<std::string, 2> places = {
      absl::StrCat(here.function, "|", here.text),
      absl::StrCat(other.function, "|", other.text)};
  std::sort(places.begin(), places.end());
  violation.aspect = absl::StrCat(places[0], "|", places[1]);
}

}  // namespace

uint8_t ClassesUsed(const model::Scenario& scenario) {
  uint8_t classes = 0;
  for (const model::Operation& operation : scenario.operations) {
    classes |= ClassesOf(operation.faults);
  }
  return classes;
}

Sighting SightingOf(const properties::Violation& violation,
                    model::System& system) {
  Sighting sighting;
  sighting.violation = violation;
  const bool race = violation.invariant == properties::Invariant::kDataRace;
  if (race) TellPlaces(sighting.violation, system);
  for (uint8_t assumes = 0; assumes <= model::kAllFaults; ++assumes) {
    const Signature signature =
        SignatureOf(sighting.violation, assumes, system);
    sighting.signatures[assumes] = signature.text;
    sighting.function = signature.function;
  }
  return sighting;
}

Sighting SightingOf(const Death& death, const model::Scenario& scenario,
                    size_t operation) {
  const std::vector<model::Location> stack = Symbolize(death.stack);
  const std::string text =
      operation < scenario.operations.size()
          ? ToText(scenario.topology, scenario.operations[operation])
          : "shutdown";
  Sighting sighting;
  sighting.violation = ViolationOf(death, stack, operation, text);
  for (uint8_t assumes = 0; assumes <= model::kAllFaults; ++assumes) {
    const Signature signature =
        CrashSignature(sighting.violation, assumes, stack);
    sighting.signatures[assumes] = signature.text;
    sighting.function = signature.function;
  }
  return sighting;
}

void SightingCollector::OnBoot(
    model::System& system, std::span<const properties::Violation> violations) {
  Collect(system, violations);
}

void SightingCollector::OnStep(
    const model::Operation&, size_t, bool, int, model::System& system,
    std::span<const properties::Violation> violations) {
  Collect(system, violations);
}

void SightingCollector::OnBlock(
    std::span<const properties::SideBySide>, std::span<const uint32_t>,
    model::System& system, std::span<const properties::Violation> violations) {
  Collect(system, violations);
}

void SightingCollector::OnShutdown(
    model::System& system, std::span<const properties::Violation> violations) {
  Collect(system, violations);
}

void SightingCollector::Collect(
    model::System& system, std::span<const properties::Violation> violations) {
  for (const properties::Violation& violation : violations) {
    sightings_.push_back(SightingOf(violation, system));
  }
}

std::string Serialize(const Sighting& sighting) {
  const properties::Violation& violation = sighting.violation;
  return Json{{"invariant", static_cast<int>(violation.invariant)},
              {"message", violation.message},
              {"expected", violation.expected},
              {"found", violation.found},
              {"operation", violation.operation},
              {"event", violation.event},
              {"subject", static_cast<int>(violation.subject.kind)},
              {"index", violation.subject.index},
              {"aspect", violation.aspect},
              {"function", sighting.function},
              {"signatures", sighting.signatures}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Sighting ParseSighting(absl::string_view line) {
  const Json json = Json::parse(line.begin(), line.end());
  Sighting sighting;
  properties::Violation& violation = sighting.violation;
  violation.invariant =
      static_cast<properties::Invariant>(json["invariant"].get<int>());
  json["message"].get_to(violation.message);
  json["expected"].get_to(violation.expected);
  json["found"].get_to(violation.found);
  json["operation"].get_to(violation.operation);
  json["event"].get_to(violation.event);
  violation.subject.kind =
      static_cast<model::Fact::Kind>(json["subject"].get<int>());
  json["index"].get_to(violation.subject.index);
  json["aspect"].get_to(violation.aspect);
  json["function"].get_to(sighting.function);
  json["signatures"].get_to(sighting.signatures);
  return sighting;
}

}  // namespace atsfuzz::fuzz
