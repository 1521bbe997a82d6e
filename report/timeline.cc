#include "report/timeline.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/schedule.h"
#include "report/events.h"
#include "report/names.h"

namespace atsfuzz::report {
namespace {

constexpr char kCpu[] = "cpu";

std::vector<model::Location> Innermost(
    const std::vector<model::Location>& stack) {
  if (stack.empty() || !stack.front().known()) return {};
  return {stack.front()};
}

// The SMMU or the function that an event outside of a block speaks of.
std::string SubjectOf(const model::Topology& topology,
                      const atsfuzz_event& event) {
  if (event.kind == ATSFUZZ_EVENT_COMMAND && event.smmu != ATSFUZZ_NONE) {
    return ToText(model::Actor::Smmu(event.smmu));
  }
  if ((event.kind == ATSFUZZ_EVENT_DMA ||
       event.kind == ATSFUZZ_EVENT_ATC_FILL) &&
      event.function != ATSFUZZ_NONE) {
    return FunctionName(topology, event.function);
  }
  return kCpu;
}

// Who moved when an event of a block happened.
model::Actor MoverOf(const atsfuzz_event& event) {
  if (event.thread == ATSFUZZ_NONE) return model::Actor::Smmu(event.smmu);
  // What is freed then, RCU frees.
  if (event.thread == 0) return model::Actor::Rcu();
  return model::Actor::Thread(event.thread);
}

std::vector<std::string> NamesOf(const model::Topology& topology,
                                 const std::vector<uint8_t>& functions) {
  std::vector<std::string> names;
  for (const uint8_t function : functions) {
    names.push_back(FunctionName(topology, function));
  }
  return names;
}

Json ToJson(const model::Location& location) {
  Json json = {{"function", location.function},
               {"file", location.file},
               {"line", location.line},
               {"text", location.text}};
  if (!location.path.empty()) json["path"] = location.path;
  return json;
}

model::Location LocationFrom(const Json& json) {
  model::Location location;
  location.function = json.value("function", "");
  location.file = json.value("file", "");
  location.line = json.value("line", location.line);
  location.text = json.value("text", "");
  location.path = json.value("path", "");
  return location;
}

}  // namespace

Json ToJson(const Row& row) {
  Json json = {{"kind", static_cast<int>(row.kind)},
               {"lane", row.lane},
               {"text", row.text}};
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  add("result", row.result);
  add("before", row.before);
  add("after", row.after);
  add("invariant", row.invariant);
  for (const model::Location& location : row.where) {
    json["where"].push_back(ToJson(location));
  }
  if (row.other.known()) json["other"] = ToJson(row.other);
  if (row.began >= 0) {
    json["began"] = row.began;
    json["ended"] = row.ended;
  }
  for (const std::string& function : row.reached) {
    json["reached"].push_back(function);
  }
  return json;
}

Row RowFrom(const Json& json) {
  Row row;
  row.kind = static_cast<RowKind>(json.value("kind", 0));
  row.lane = json.value("lane", "");
  row.text = json.value("text", "");
  row.result = json.value("result", "");
  row.before = json.value("before", "");
  row.after = json.value("after", "");
  row.invariant = json.value("invariant", "");
  for (const Json& each : json.value("where", Json::array())) {
    row.where.push_back(LocationFrom(each));
  }
  if (json.contains("other")) row.other = LocationFrom(json["other"]);
  row.began = json.value("began", row.began);
  row.ended = json.value("ended", row.ended);
  row.reached = json.value("reached", row.reached);
  return row;
}

Timeline::Timeline(const model::Topology& topology)
    : topology_(topology), values_(ValuesOf(topology, {})) {}

void Timeline::Boot(model::System& system,
                    std::span<const properties::Violation> violations) {
  values_ = ValuesOf(topology_, system.Observe());
  if (violations.empty()) return;
  rows_.push_back({.kind = RowKind::kPhase, .text = "(boot)"});
  Events(system);
  Violations(system, violations);
}

void Timeline::Step(const model::Operation& operation, bool implicit,
                    int result, model::System& system,
                    std::span<const properties::Violation> violations) {
  const std::string text = ToText(topology_, operation);
  rows_.push_back({.kind = RowKind::kOperation,
                   .lane = kCpu,
                   .text = implicit ? absl::StrCat("(", text, ")") : text,
                   .result = ResultName(result)});
  Events(system);
  Changes(system);
  Violations(system, violations);
}

void Timeline::Block(std::span<const properties::SideBySide> operations,
                     model::System& system,
                     std::span<const properties::Violation> violations) {
  rows_.push_back({.kind = RowKind::kParBegin, .text = "par"});
  const size_t first = rows_.size();
  for (const properties::SideBySide& side : operations) {
    rows_.push_back(
        {.kind = RowKind::kOperation,
         .lane = ToText(model::Actor::Thread(side.operation.thread)),
         .text = ToText(topology_, side.operation),
         .result = side.returned ? ResultName(side.result) : "never returns"});
  }
  const std::vector<size_t> events = EventsOfThreads(system);
  const auto rows_before = [&](size_t event) {
    return std::lower_bound(events.begin(), events.end(), event) -
           events.begin();
  };
  for (size_t i = 0; i < operations.size(); ++i) {
    Row& row = rows_[first + i];
    row.began = rows_before(operations[i].began);
    row.ended = operations[i].returned ? rows_before(operations[i].ended)
                                       : static_cast<int64_t>(events.size());
  }
  rows_.push_back({.kind = RowKind::kParEnd, .text = "end"});
  Changes(system);
  Violations(system, violations);
}

std::vector<size_t> Timeline::EventsOfThreads(model::System& system) {
  std::vector<size_t> told;
  const std::span<const atsfuzz_event> events = system.Events();
  const std::vector<EventLine> lines = LinesOf(topology_, events);
  for (size_t i = 0; i < lines.size(); ++i) {
    const atsfuzz_event& event = events[lines[i].event];
    const bool stop = event.kind == ATSFUZZ_EVENT_STOP;
    // A thread that goes on at once has not really stopped.
    if (stop && i + 1 < lines.size() &&
        events[lines[i + 1].event].thread == event.thread) {
      continue;
    }
    Row row = {.kind = stop ? RowKind::kStop : RowKind::kEvent,
               .lane = ToText(MoverOf(event)),
               .text = lines[i].text,
               .reached = NamesOf(topology_, lines[i].invalidated)};
    if (stop || event.kind == ATSFUZZ_EVENT_WARN ||
        event.kind == ATSFUZZ_EVENT_LOCK_RULE ||
        event.kind == ATSFUZZ_EVENT_EARLY_LOAD) {
      row.where = Innermost(system.Locate(event));
    }
    if (stop && event.b != 0) {
      const auto others = Innermost(system.LocateOther(event));
      if (!others.empty()) row.other = others.front();
    }
    rows_.push_back(std::move(row));
    told.push_back(lines[i].event);
  }
  return told;
}

void Timeline::Shutdown(model::System& system,
                        std::span<const properties::Violation> violations) {
  // The machine is gone; only what is wrong about its end is of interest.
  if (violations.empty()) return;
  rows_.push_back({.kind = RowKind::kPhase, .text = "(shutdown)"});
  Events(system);
  Violations(system, violations);
}

void Timeline::Events(model::System& system) {
  const std::span<const atsfuzz_event> events = system.Events();
  for (const EventLine& line : LinesOf(topology_, events)) {
    const atsfuzz_event& event = events[line.event];
    Row row = {.kind = RowKind::kEvent,
               .lane = SubjectOf(topology_, event),
               .text = line.text,
               .reached = NamesOf(topology_, line.invalidated)};
    if (event.kind == ATSFUZZ_EVENT_WARN ||
        event.kind == ATSFUZZ_EVENT_LOCK_RULE ||
        event.kind == ATSFUZZ_EVENT_PCI_RETURN) {
      row.where = Innermost(system.Locate(event));
    }
    rows_.push_back(std::move(row));
  }
}

void Timeline::Changes(model::System& system) {
  std::vector<Value> values = ValuesOf(topology_, system.Observe());
  for (const Change& change : ChangesBetween(values_, values)) {
    rows_.push_back({.kind = RowKind::kChange,
                     .lane = change.owner,
                     .text = change.what,
                     .before = change.before,
                     .after = change.after,
                     .where = change.fact.kind == model::Fact::kNone
                                  ? std::vector<model::Location>()
                                  : Innermost(system.LastWriter(change.fact))});
  }
  values_ = std::move(values);
}

void Timeline::Violations(model::System& system,
                          std::span<const properties::Violation> violations) {
  const std::span<const atsfuzz_event> events = system.Events();
  for (const properties::Violation& violation : violations) {
    Row row = {.kind = RowKind::kViolation,
               .text = violation.message,
               .before = violation.expected,
               .after = violation.found,
               .invariant = std::string(InvariantName(violation.invariant))};
    if (violation.event >= 0 &&
        static_cast<size_t>(violation.event) < events.size()) {
      row.where = system.Locate(events[static_cast<size_t>(violation.event)]);
    } else if (violation.subject.kind != model::Fact::kNone) {
      row.where = system.LastWriter(violation.subject);
    }
    rows_.push_back(std::move(row));
  }
}

}  // namespace atsfuzz::report
