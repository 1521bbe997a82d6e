#ifndef ATSFUZZ_REPORT_CHANGES_H_
#define ATSFUZZ_REPORT_CHANGES_H_

#include <memory>
#include <string>
#include <vector>

#include "model/observation.h"
#include "model/system.h"
#include "model/topology.h"

// Which observed values an operation changed, in words.
namespace atsfuzz::report {

struct Change {
  std::string owner;   // "v0": the function or domain whose value it is
  std::string what;    // "v0 driver's belief"
  std::string before;  // "off"; equal to `after` never
  std::string after;   // "on"
  model::Fact fact;    // whose last writer made it so; kNone: not recorded
};

// What a person looks at in an observation, as a list of named values. The same
// topology always gives the same names in the same order.
struct Value {
  std::string owner;
  std::string what;
  std::string value;
  model::Fact fact;
};
std::vector<Value> ValuesOf(const model::Topology& topology,
                            const atsfuzz_observation& observation);

// Changes from `before` to `after`, which are values of the same topology.
std::vector<Change> ChangesBetween(const std::vector<Value>& before,
                                   const std::vector<Value>& after);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_CHANGES_H_
