#ifndef ATSFUZZ_FUZZ_INVESTIGATE_H_
#define ATSFUZZ_FUZZ_INVESTIGATE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzz/child_shrink.h"
#include "fuzz/findings.h"
#include "fuzz/round.h"
#include "fuzz/sanitized.h"
#include "fuzz/sighting.h"
#include "model/scenario.h"

// From a scenario that showed something to a finding: what exactly it shows
// (examined with call stacks), the fewest assumptions it needs, the smallest
// scenario. All runs happen in child processes, so a scenario that crashes or
// hangs is examined and shrunk like any other.
namespace atsfuzz::fuzz {

class Investigator {
 public:
  // `load` makes an instrumented system. `sanitized` may be null. `stop` is
  // asked now and then; true makes the shrinker return what it has.
  // `capabilities`: those of the system that `load` makes. `by_site`: no
  // allocation that fails by its site comes to fail by its number.
  Investigator(LoadSystem load, SanitizedProgram* sanitized,
               std::function<bool()> stop,
               const model::Capabilities& capabilities, bool by_site = false);

  struct Examination {
    model::Scenario scenario;  // without the operations that were dropped
    std::vector<Sighting> sightings;
    bool died = false;  // then there is one sighting: its death
  };
  // Runs `scenario` on the instrumented system. Fails as `load` fails.
  absl::StatusOr<Examination> Examine(const model::Scenario& scenario) const;
  // Runs it in the sanitized program: at most one sighting, its death.
  absl::StatusOr<Examination> ExamineSanitized(
      const model::Scenario& scenario) const;

  // The finding for a sighting of `examination`: reduced, shrunk, confirmed.
  // `sanitized`: the examination was made by ExamineSanitized.
  Finding Investigate(const Examination& examination, const Sighting& sighting,
                      bool sanitized) const;

 private:
  ChildShrink ShrinkSighting(const model::Scenario& scenario,
                             const Sighting& sighting) const;
  ChildShrink ShrinkDeath(const model::Scenario& scenario,
                          const std::string& key, bool sanitized) const;
  void Confirm(Finding* finding) const;
  bool Allowed(const model::Scenario& scenario) const;

  LoadSystem load_;
  SanitizedProgram* sanitized_;
  std::function<bool()> stop_;
  model::Capabilities capabilities_;
  bool by_site_;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_INVESTIGATE_H_
