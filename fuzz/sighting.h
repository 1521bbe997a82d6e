#ifndef ATSFUZZ_FUZZ_SIGHTING_H_
#define ATSFUZZ_FUZZ_SIGHTING_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fuzz/crash.h"
#include "fuzz/run.h"
#include "fuzz/signature.h"
#include "model/operation.h"
#include "model/scenario.h"
#include "model/system.h"
#include "properties/violation.h"

// A violation with everything that was only known while its run stood still.
namespace atsfuzz::fuzz {

struct Sighting {
  properties::Violation violation;
  std::string function;  // the driver function it is attributed to; or ""
  // Signature by what a finding may turn out to assume: index = set of
  // FaultClass.
  std::array<std::string, model::kAllFaults + 1> signatures;

  // What stays the same whatever the scenario assumes.
  const std::string& key() const { return signatures[0]; }
};

// The fault classes that a scenario uses.
uint8_t ClassesUsed(const model::Scenario& scenario);

Sighting SightingOf(const properties::Violation& violation,
                    model::System& system);
// A sighting of a crash, hang or sanitizer report in operation `operation` of
// `scenario` (the number of operations: in the shutdown).
Sighting SightingOf(const Death& death, const model::Scenario& scenario,
                    size_t operation);

// Collects the sightings of a run.
class SightingCollector : public RunListener {
 public:
  void OnBoot(model::System& system,
              std::span<const properties::Violation> violations) override;
  void OnStep(const model::Operation& operation, size_t index, bool implicit,
              int result, model::System& system,
              std::span<const properties::Violation> violations) override;
  void OnBlock(std::span<const properties::SideBySide> operations,
               std::span<const uint32_t> indices, model::System& system,
               std::span<const properties::Violation> violations) override;
  void OnShutdown(model::System& system,
                  std::span<const properties::Violation> violations) override;
  const std::vector<Sighting>& sightings() const { return sightings_; }

 private:
  void Collect(model::System& system,
               std::span<const properties::Violation> violations);

  std::vector<Sighting> sightings_;
};

// One line each way, for processes.
std::string Serialize(const Sighting& sighting);
Sighting ParseSighting(absl::string_view line);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_SIGHTING_H_
