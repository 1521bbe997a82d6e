#include "report/text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/schedule.h"
#include "report/events.h"
#include "report/names.h"

namespace atsfuzz::report {
namespace {

// Columns of the trace.
constexpr int kOperationWidth = 28, kWhatWidth = 33, kChangeWidth = 34;

model::Location InnermostOf(const std::vector<model::Location>& stack) {
  return stack.empty() ? model::Location() : stack.front();
}

}  // namespace

std::string AssumptionText(uint8_t classes) {
  if (classes == 0) return "honest: needs no fault";
  std::vector<std::string> names;
  for (int i = 0; i < model::kFaultClasses; ++i) {
    const auto fault = static_cast<model::FaultClass>(1 << i);
    if ((classes & fault) != 0) {
      names.emplace_back(model::FaultClassName(fault));
    }
  }
  return "assumes " + absl::StrJoin(names, ", ");
}

std::string LocationText(const model::Location& location) {
  if (!location.known()) return "";
  if (location.file.empty()) return location.function;
  return absl::StrFormat("%s  %s:%d", location.function, location.file,
                         location.line);
}

std::string StackText(const std::vector<model::Location>& stack) {
  std::string text;
  for (size_t i = 0; i < stack.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "    in " : "       ",
                    LocationText(stack[i]), "\n");
  }
  return text;
}

Trace::Trace(const model::Topology& topology)
    : topology_(topology), values_(ValuesOf(topology, {})) {}

void Trace::Boot(model::System& system,
                 std::span<const properties::Violation> violations) {
  values_ = ValuesOf(topology_, system.Observe());
  if (violations.empty()) return;
  absl::StrAppend(&text_, "(boot)\n");
  Events(system);
  Violations(system, violations);
}

void Trace::Step(const model::Operation& operation, bool implicit, int result,
                 model::System& system,
                 std::span<const properties::Violation> violations) {
  std::string text = ToText(topology_, operation);
  if (implicit) text = absl::StrCat("(", text, ")");
  absl::StrAppendFormat(&text_, "%-*s %s\n", kOperationWidth, text,
                        ResultName(result));
  Events(system);
  Changes(system);
  Violations(system, violations);
}

void Trace::Block(std::span<const properties::SideBySide> operations,
                  model::System& system,
                  std::span<const properties::Violation> violations) {
  absl::StrAppend(&text_, "par\n");
  for (const properties::SideBySide& side : operations) {
    const std::string text =
        absl::StrCat("  ", ToText(model::Actor::Thread(side.operation.thread)),
                     ": ", ToText(topology_, side.operation));
    absl::StrAppendFormat(
        &text_, "%-*s %s\n", kOperationWidth, text,
        side.returned ? ResultName(side.result) : "never returns");
  }
  EventsOfThreads(system);
  absl::StrAppend(&text_, "end\n");
  Changes(system);
  Violations(system, violations);
}

void Trace::EventsOfThreads(model::System& system) {
  const std::span<const atsfuzz_event> events = system.Events();
  const std::vector<EventLine> lines = LinesOf(topology_, events);
  for (size_t i = 0; i < lines.size(); ++i) {
    const atsfuzz_event& event = events[lines[i].event];
    // A thread that goes on at once has not really stopped.
    if (event.kind == ATSFUZZ_EVENT_STOP && i + 1 < lines.size() &&
        events[lines[i + 1].event].thread == event.thread) {
      continue;
    }
    const std::string who = event.thread == ATSFUZZ_NONE
                                ? ToText(model::Actor::Smmu(event.smmu))
                                : ToText(model::Actor::Thread(event.thread));
    const bool stop = event.kind == ATSFUZZ_EVENT_STOP;
    const std::string where =
        LocationText(stop || event.kind == ATSFUZZ_EVENT_WARN ||
                             event.kind == ATSFUZZ_EVENT_EARLY_LOAD
                         ? InnermostOf(system.Locate(event))
                         : model::Location());
    absl::StrAppend(&text_, "  ", who, "  ", lines[i].text,
                    where.empty() ? "" : "  ", where, "\n");
    if (stop && event.b != 0) {
      absl::StrAppend(&text_, "      ", "the first of them  ",
                      LocationText(InnermostOf(system.LocateOther(event))),
                      "\n");
    }
  }
}

void Trace::Shutdown(model::System& system,
                     std::span<const properties::Violation> violations) {
  // The machine is gone; only what is wrong about its end is of interest.
  if (violations.empty()) return;
  absl::StrAppend(&text_, "(shutdown)\n");
  Events(system);
  Violations(system, violations);
}

void Trace::Events(model::System& system) {
  const std::span<const atsfuzz_event> events = system.Events();
  for (const EventLine& line : LinesOf(topology_, events)) {
    absl::StrAppend(&text_, "  ", line.text);
    const uint16_t kind = events[line.event].kind;
    const model::Location where =
        kind == ATSFUZZ_EVENT_WARN || kind == ATSFUZZ_EVENT_PCI_RETURN
            ? InnermostOf(system.Locate(events[line.event]))
            : model::Location();
    if (where.known()) {
      absl::StrAppend(&text_, "    ", LocationText(where));
    }
    absl::StrAppend(&text_, "\n");
  }
}

void Trace::Changes(model::System& system) {
  std::vector<Value> values = ValuesOf(topology_, system.Observe());
  for (const Change& change : ChangesBetween(values_, values)) {
    const std::string arrow = absl::StrCat(change.before, " -> ", change.after);
    const model::Location where =
        change.fact.kind == model::Fact::kNone
            ? model::Location()
            : InnermostOf(system.LastWriter(change.fact));
    if (where.known()) {
      absl::StrAppendFormat(&text_, "  %-*s %-*s %s\n", kWhatWidth, change.what,
                            kChangeWidth, arrow, LocationText(where));
    } else {
      absl::StrAppendFormat(&text_, "  %-*s %s\n", kWhatWidth, change.what,
                            arrow);
    }
  }
  values_ = std::move(values);
}

void Trace::Violations(model::System& system,
                       std::span<const properties::Violation> violations) {
  for (const properties::Violation& violation : violations) {
    absl::StrAppend(&text_, "  violation: ", InvariantName(violation.invariant),
                    "\n    ", violation.message,
                    "\n    expected: ", violation.expected,
                    "        found: ", violation.found, "\n");
    const std::span<const atsfuzz_event> events = system.Events();
    std::vector<model::Location> stack;
    if (violation.event >= 0 &&
        static_cast<size_t>(violation.event) < events.size()) {
      stack = system.Locate(events[static_cast<size_t>(violation.event)]);
    } else if (violation.subject.kind != model::Fact::kNone) {
      stack = system.LastWriter(violation.subject);
    }
    text_ += StackText(stack);
  }
}

}  // namespace atsfuzz::report
