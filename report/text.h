#ifndef ATSFUZZ_REPORT_TEXT_H_
#define ATSFUZZ_REPORT_TEXT_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "model/operation.h"
#include "model/system.h"
#include "model/topology.h"
#include "properties/checker.h"
#include "properties/violation.h"
#include "report/changes.h"

// A run as text that a kernel developer can paste into a mail: per operation
// its return value, what the kernel logged, which observed values changed and
// where in the driver; at a violation expected, found and the call stack.
namespace atsfuzz::report {

// "honest: needs no fault", "assumes alloc, enable-ats".
std::string AssumptionText(uint8_t classes);

// "arm_smmu_attach_commit  arm-smmu-v3.c:2801"; "" if unknown.
std::string LocationText(const model::Location& location);

// A call stack, one frame a line, as it stands below a violation.
std::string StackText(const std::vector<model::Location>& stack);

class Trace {
 public:
  explicit Trace(const model::Topology& topology);

  // The machine has just come up; what it shows now is no change.
  void Boot(model::System& system,
            std::span<const properties::Violation> violations);
  // An operation has just returned `result`; `system` shows what it did.
  // `implicit`: the allocation of a domain that no operation asked for.
  void Step(const model::Operation& operation, bool implicit, int result,
            model::System& system,
            std::span<const properties::Violation> violations);
  // A `par` block: what each thread did, in the order in which it happened, and
  // where in the driver it stopped to let others go on.
  void Block(std::span<const properties::SideBySide> operations,
             model::System& system,
             std::span<const properties::Violation> violations);
  void Shutdown(model::System& system,
                std::span<const properties::Violation> violations);

  // What has been traced so far; ends in a newline.
  const std::string& text() const { return text_; }

 private:
  void Events(model::System& system);
  void EventsOfThreads(model::System& system);
  void Changes(model::System& system);
  void Violations(model::System& system,
                  std::span<const properties::Violation> violations);

  model::Topology topology_;
  std::vector<Value> values_;
  std::string text_;
};

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_TEXT_H_
