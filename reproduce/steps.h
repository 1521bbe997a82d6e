#ifndef ATSFUZZ_REPRODUCE_STEPS_H_
#define ATSFUZZ_REPRODUCE_STEPS_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/capabilities.h"
#include "model/contract.h"
#include "model/scenario.h"
#include "properties/violation.h"
#include "report/timeline.h"
#include "reproduce/recorded_run.h"
#include "reproduce/user_interfaces.h"

// What somebody does on a real machine to see a violation, in words: what
// machine it takes, which system calls and files stand for each operation
// (VFIO, iommufd, sysfs), which operations user space cannot ask for and why,
// and what there is to see. Rules: the kernel's uapi headers (vfio.h,
// iommufd.h), and who calls the IOMMU core (iommufd's device.c, vfio, the PCI
// core's sysfs files).
namespace atsfuzz::reproduce {

struct Steps {
  const model::Scenario& scenario;
  const RecordedRun& run;
  properties::Invariant invariant = properties::Invariant::kNoWarning;
  std::string message, expected, found;  // of the violation
  std::string assumes;                   // "honest: needs no fault"
  std::string driver;                    // "linux:6.12 (6.12.117)"
  std::string made_by;
  model::Capabilities capabilities;
  UserInterfaces interfaces;
  // Of the same run, with places in the source: where threads stop, what the
  // kernel logs.
  std::span<const report::Row> rows;
  // What was changed in the scenario so that it can be driven; empty: nothing.
  std::string changed;
};

// The text; lines of some 80 columns.
std::string TextOf(const Steps& steps);

// The operations of a run that no user can ask for where they stand, by number.
std::vector<size_t> NotDrivable(const Steps& steps);

// The scenario with a claim before each attach to a group that nobody owns, as
// VFIO and iommufd do it; for one in the `par` block, before that. Empty if
// there is no such attach. Whether the kernel can do it so, a run tells.
std::optional<model::Scenario> WithClaims(
    const model::Scenario& scenario, const model::Capabilities& capabilities);

}  // namespace atsfuzz::reproduce

#endif  // ATSFUZZ_REPRODUCE_STEPS_H_
