#include "report/trace_event.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "report/lanes.h"
#include "report/printable.h"
#include "report/text.h"

namespace atsfuzz::report {
namespace {

// Flows need ids that no other flow of the file has.
class FlowIds {
 public:
  int Next() { return ++last_; }

 private:
  int last_ = 0;
};

// The trace of one run, as a process.
class Process {
 public:
  Process(int pid, const NamedRun& run, FlowIds* ids, Json* events)
      : pid_(pid), rows_(run.rows), ids_(ids), events_(events) {
    Name("process_name", 0, run.name);
    int tid = 0;
    for (const std::string& lane : LanesOf(rows_)) {
      tids_[lane] = ++tid;
      Name("thread_name", tid, LaneTitle(lane));
      events_->push_back({{"ph", "M"},
                          {"pid", pid_},
                          {"tid", tid},
                          {"name", "thread_sort_index"},
                          {"args", {{"sort_index", tid}}}});
    }
  }

  void Write() {
    for (size_t i = 0; i < rows_.size();) {
      if (rows_[i].kind == RowKind::kParBegin) {
        i = Block(i + 1);
      } else {
        Sequential(rows_[i++]);
      }
    }
    EndOperation();
  }

 private:
  // A thread that stands, and the arrow that leads from there to where it goes
  // on.
  struct Standing {
    std::vector<std::pair<int64_t, std::string>> meanwhile;  // when, whose turn
    int64_t since = 0;
  };
  // An operation of a block: which of its events it begins before, and ends
  // before; its slice once it has begun.
  struct Beside {
    const Row* row;
    int64_t began, ended;
    std::optional<size_t> slice;
    bool over = false;
  };

  void Name(const char* what, int tid, const std::string& name) {
    events_->push_back({{"ph", "M"},
                        {"pid", pid_},
                        {"tid", tid},
                        {"name", what},
                        {"args", {{"name", OneLine(name)}}}});
  }

  Json ArgsOf(const Row& row) {
    Json args = Json::object();
    const auto add = [&](const char* key, const std::string& value) {
      if (!value.empty()) args[key] = OneLine(value);
    };
    const bool violation = row.kind == RowKind::kViolation;
    add("returns", row.result);
    add(violation ? "expected" : "before", row.before);
    add(violation ? "found" : "after", row.after);
    if (!row.where.empty()) {
      add("where", LocationText(row.where.front()));
      add("source", row.where.front().text);
    }
    for (size_t i = 1; i < row.where.size(); ++i) {
      add(absl::StrCat("called by ", i).c_str(), LocationText(row.where[i]));
    }
    if (row.other.known()) {
      add("first store held back", LocationText(row.other));
    }
    return args;
  }

  // A slice from now on, of one step until it is said otherwise; returns its
  // index.
  size_t Slice(const std::string& lane, const std::string& name, Json args) {
    events_->push_back({{"ph", "X"},
                        {"pid", pid_},
                        {"tid", tids_[lane]},
                        {"ts", now_},
                        {"dur", 1},
                        {"name", OneLine(name)},
                        {"args", std::move(args)}});
    return events_->size() - 1;
  }
  void EndSlice(size_t slice) {
    Json& event = events_->at(slice);
    event["dur"] = now_ - event["ts"].get<int64_t>();
  }

  // One end of an arrow: "s" its start, "t" a step of it, "f" its end. It holds
  // on to the slice that is there at that time.
  void Flow(const char* phase, int id, const std::string& name, int64_t when,
            const std::string& lane) {
    Json event = {{"ph", phase},  {"id", id},    {"cat", "order"},
                  {"name", name}, {"pid", pid_}, {"tid", tids_[lane]},
                  {"ts", when}};
    if (*phase == 'f') event["bp"] = "e";
    events_->push_back(std::move(event));
  }

  void EndOperation() {
    if (operation_) EndSlice(*operation_);
    operation_.reset();
  }

  void Violation(const Row& row) {
    events_->push_back({{"ph", "i"},
                        {"s", "p"},
                        {"pid", pid_},
                        {"tid", 0},
                        {"ts", now_},
                        {"name", absl::StrCat("violation: ", row.invariant)},
                        {"args", ArgsOf(row)}});
    events_->back()["args"]["message"] = OneLine(row.text);
    ++now_;
  }

  // Outside of a block.
  void Sequential(const Row& row) {
    switch (row.kind) {
      case RowKind::kPhase:
        EndOperation();
        events_->push_back({{"ph", "i"},
                            {"s", "p"},
                            {"pid", pid_},
                            {"tid", 0},
                            {"ts", now_++},
                            {"name", row.text}});
        break;
      case RowKind::kOperation:
        EndOperation();
        operation_ = Slice(row.lane, row.text, ArgsOf(row));
        ++now_;
        break;
      case RowKind::kViolation:
        Violation(row);
        break;
      default: {
        const bool commands = LaneKindOf(row.lane) == LaneKind::kSmmu;
        const bool handed_over = commands && operation_;
        const int flow = handed_over ? ids_->Next() : 0;
        if (handed_over) {
          Slice("cpu", "hands over", Json::object());
          Flow("s", flow, "commands", now_++, "cpu");
        }
        const int64_t when = Step(row);
        if (handed_over) Flow("f", flow, "commands", when, row.lane);
        Reach(row, when);
        break;
      }
    }
  }

  // The slice of a row, which takes one step; returns when that was.
  int64_t Step(const Row& row) {
    Slice(row.lane, row.text, ArgsOf(row));
    return now_++;
  }

  // What a row's ATC_INVs reach.
  void Reach(const Row& row, int64_t when) {
    for (const std::string& function : row.reached) {
      if (!tids_.contains(function)) continue;
      const int flow = ids_->Next();
      Flow("s", flow, "ATC_INV", when, row.lane);
      Slice(function, "ATC_INV", Json::object());
      Flow("f", flow, "ATC_INV", now_++, function);
    }
  }

  // A `par` block whose rows begin at `i`; returns where it has ended.
  size_t Block(size_t i) {
    EndOperation();
    std::vector<Beside> operations;
    for (; i < rows_.size() && rows_[i].kind == RowKind::kOperation; ++i) {
      // What was recorded without these began at once and ended last.
      const Row& row = rows_[i];
      operations.push_back({&row, std::max<int64_t>(row.began, 0),
                            row.began < 0 ? INT64_MAX : row.ended,
                            std::nullopt});
    }
    std::stable_sort(
        operations.begin(), operations.end(),
        [](const Beside& a, const Beside& b) { return a.began < b.began; });
    standing_.clear();
    acted_.clear();
    int64_t told = 0;
    for (; i < rows_.size() && (rows_[i].kind == RowKind::kEvent ||
                                rows_[i].kind == RowKind::kStop);
         ++i) {
      Advance(operations, told++);
      Turn(rows_[i]);
    }
    Advance(operations, INT64_MAX);
    return i < rows_.size() && rows_[i].kind == RowKind::kParEnd ? i + 1 : i;
  }

  // Ends and begins what does so before the block's event number `at`.
  void Advance(std::vector<Beside>& operations, int64_t at) {
    const auto end = [&](Beside& operation) {
      if (!operation.slice || operation.over || operation.ended > at) return;
      EndSlice(*operation.slice);
      operation.over = true;
    };
    for (Beside& operation : operations) end(operation);
    for (Beside& operation : operations) {
      if (operation.slice || operation.began > at) continue;
      const Row& row = *operation.row;
      operation.slice = Slice(row.lane, row.text, ArgsOf(row));
      ++now_;
      end(operation);
    }
  }

  // What a thread or an SMMU does in its turn.
  void Turn(const Row& row) {
    const bool comes = !acted_.empty() && acted_ != row.lane;
    if (comes) {
      events_->push_back({{"ph", "i"},
                          {"s", "t"},
                          {"pid", pid_},
                          {"tid", tids_[row.lane]},
                          {"ts", now_},
                          {"name", absl::StrCat("switch from ", acted_)}});
    }
    const int64_t when = Step(row);
    const auto stood = standing_.find(row.lane);
    if (stood != standing_.end()) {
      GoOn(stood->second, row.lane, when);
      standing_.erase(stood);
    }
    if (comes || acted_.empty()) {
      for (auto& [lane, standing] : standing_) {
        standing.meanwhile.emplace_back(when, row.lane);
      }
    }
    if (row.kind == RowKind::kStop) standing_[row.lane] = {.since = when};
    acted_ = row.lane;
    Reach(row, when);
  }

  void GoOn(const Standing& standing, const std::string& lane, int64_t when) {
    const int flow = ids_->Next();
    Flow("s", flow, "goes on", standing.since, lane);
    for (const auto& [step, other] : standing.meanwhile) {
      Flow("t", flow, "goes on", step, other);
    }
    Flow("f", flow, "goes on", when, lane);
  }

  const int pid_;
  const std::span<const Row> rows_;
  FlowIds* ids_;
  Json* events_;
  std::map<std::string, int> tids_;
  int64_t now_ = 0;
  std::optional<size_t> operation_;           // the slice of the one that runs
  std::map<std::string, Standing> standing_;  // by lane
  std::string acted_;                         // whose turn it was; empty: none
};

}  // namespace

Json TraceEventsOf(std::span<const NamedRun> runs, const std::string& driver) {
  Json events = Json::array();
  FlowIds ids;
  int pid = 0;
  for (const NamedRun& run : runs) {
    Process(++pid, run, &ids, &events).Write();
  }
  // No displayTimeUnit: there are readers that take it for the unit of times.
  return {{"traceEvents", std::move(events)},
          {"otherData", {{"tool", "atsfuzz"}, {"driver", driver}}}};
}

std::string TraceOf(std::span<const Row> rows, const std::string& name,
                    const std::string& driver) {
  const NamedRun run = {name, rows};
  return Dump(TraceEventsOf({&run, 1}, driver));
}

}  // namespace atsfuzz::report
