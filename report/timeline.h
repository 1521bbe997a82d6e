#ifndef ATSFUZZ_REPORT_TIMELINE_H_
#define ATSFUZZ_REPORT_TIMELINE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/operation.h"
#include "model/system.h"
#include "model/topology.h"
#include "properties/checker.h"
#include "properties/violation.h"
#include "report/changes.h"
#include "report/json.h"

// What happened in a run, row by row: what all forms of a trace are made of.
namespace atsfuzz::report {

enum class RowKind : uint8_t {
  kPhase,      // "(boot)", "(shutdown)", of which only violations are told
  kOperation,  // it was called, and returned `result`
  kParBegin,   // operations side by side, then what their threads did
  kParEnd,
  kEvent,
  kStop,  // a thread stops, or waits, and others go on
  kChange,
  kViolation,
};

struct Row {
  RowKind kind = RowKind::kEvent;
  // Who did it, or what it is about: a thread ("t0"; "cpu" outside a `par`
  // block), an SMMU, a function, a domain.
  std::string lane;
  std::string text;
  std::string result;  // of an operation: "0", "-EINVAL", "never returns"
  // Of an operation in a `par` block: how many of the rows behind the block's
  // operations came before it began, and before it returned. -1: not known.
  int64_t began = -1, ended = -1;
  std::string before, after;  // of a change; of a violation expected and found
  std::string invariant;      // of a violation
  // Where in the driver, innermost first: of a violation the whole stack.
  std::vector<model::Location> where;
  model::Location other;  // of a stop: the first of the stores held back
  // Of commands that an SMMU consumed: the functions whose ATC they reached.
  std::vector<std::string> reached;
};

Json ToJson(const Row& row);
// REQUIRES: `json` is what ToJson has made.
Row RowFrom(const Json& json);

// Collects the rows of a run as it goes.
class Timeline {
 public:
  explicit Timeline(const model::Topology& topology);

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

  const std::vector<Row>& rows() const { return rows_; }

 private:
  void Events(model::System& system);
  // Returns for each row that it adds the index of its event.
  std::vector<size_t> EventsOfThreads(model::System& system);
  void Changes(model::System& system);
  void Violations(model::System& system,
                  std::span<const properties::Violation> violations);

  model::Topology topology_;
  std::vector<Value> values_;
  std::vector<Row> rows_;
};

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_TIMELINE_H_
