#include "report/mermaid.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "report/lanes.h"
#include "report/printable.h"
#include "report/text.h"

namespace atsfuzz::report {
namespace {

constexpr size_t kMostTextBytes = 300, kLineBytes = 60;
constexpr char kBreak[] = "<br/>";

// Lines of about kLineBytes, broken at spaces.
std::vector<std::string> Wrapped(const std::string& text) {
  std::vector<std::string> lines(1);
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    std::string& line = lines.back();
    if (line.empty()) {
      line = std::string(word);
    } else if (line.size() + 1 + word.size() <= kLineBytes) {
      absl::StrAppend(&line, " ", word);
    } else {
      lines.emplace_back(word);
    }
  }
  return lines;
}

// "off -> on" without a character that would have to be escaped.
std::string ArrowsOf(const std::string& text) {
  return absl::StrReplaceAll(text, {{" -> ", " \u2192 "}});
}

// Of an operation; empty: that it returned is told elsewhere.
std::string ReturnText(const Row& row) {
  if (row.result.empty() || row.result == "never returns") return row.result;
  return "returns " + row.result;
}

std::string Where(const Row& row) {
  return row.where.empty() ? "" : LocationText(row.where.front());
}

// The rows of a block from `i` on, in the order of time: each operation where
// it began, and what it returned where it did. Adds them, and returns where the
// block's own rows end.
size_t AddBlock(std::span<const Row> rows, size_t i,
                std::vector<Row>* ordered) {
  struct Beside {
    const Row* row;
    bool began = false, ended = false;
  };
  std::vector<Beside> operations;
  for (; i < rows.size() && rows[i].kind == RowKind::kOperation; ++i) {
    operations.push_back({&rows[i]});
  }
  std::stable_sort(operations.begin(), operations.end(),
                   [](const Beside& a, const Beside& b) {
                     return a.row->began < b.row->began;
                   });
  const auto end = [&](Beside& operation, int64_t at) {
    const Row& row = *operation.row;
    if (!operation.began || operation.ended || row.ended > at) return;
    operation.ended = true;
    ordered->push_back({.kind = RowKind::kEvent,
                        .lane = row.lane,
                        .text = absl::StrCat(row.text, " ", ReturnText(row))});
  };
  const auto advance = [&](int64_t at) {
    for (Beside& operation : operations) end(operation, at);
    for (Beside& operation : operations) {
      if (operation.began || operation.row->began > at) continue;
      operation.began = true;
      Row call = *operation.row;
      call.result.clear();
      ordered->push_back(std::move(call));
      end(operation, at);
    }
  };
  for (int64_t told = 0; i < rows.size() && rows[i].kind != RowKind::kParEnd;
       ++i, ++told) {
    advance(told);
    ordered->push_back(rows[i]);
  }
  advance(INT64_MAX);
  return i;
}

std::vector<Row> InOrderOfTime(std::span<const Row> rows) {
  std::vector<Row> ordered;
  for (size_t i = 0; i < rows.size();) {
    ordered.push_back(rows[i++]);
    // What was recorded without times stays as it is.
    const bool timed = i < rows.size() && rows[i].kind == RowKind::kOperation &&
                       rows[i].began >= 0;
    if (timed && rows[i - 1].kind == RowKind::kParBegin) {
      i = AddBlock(rows, i, &ordered);
    }
  }
  return ordered;
}

// The rows that are drawn: of a CPU that waits again and again in its turn only
// the first time, and commands that an SMMU consumes one by one meanwhile in
// one row up to their CMD_SYNC.
std::vector<Row> Drawn(std::span<const Row> rows) {
  constexpr absl::string_view kCommands = "commands ";
  std::vector<Row> drawn;
  std::string turn;  // the CPU that acted last
  for (Row& row : InOrderOfTime(rows)) {
    const bool waits = row.kind == RowKind::kStop && !IsPreempted(row);
    if (waits && row.lane == turn) continue;
    if (LaneKindOf(row.lane) == LaneKind::kThread) turn = row.lane;
    const bool goes_on =
        !drawn.empty() && drawn.back().kind == RowKind::kEvent &&
        row.kind == RowKind::kEvent && drawn.back().lane == row.lane &&
        absl::StartsWith(drawn.back().text, kCommands) &&
        absl::StartsWith(row.text, kCommands) &&
        !absl::EndsWith(drawn.back().text, "SYNC");
    if (!goes_on) {
      drawn.push_back(std::move(row));
      continue;
    }
    Row& first = drawn.back();
    absl::StrAppend(&first.text, ", ", row.text.substr(kCommands.size()));
    for (const std::string& function : row.reached) {
      if (std::find(first.reached.begin(), first.reached.end(), function) ==
          first.reached.end()) {
        first.reached.push_back(function);
      }
    }
  }
  return drawn;
}

class Diagram {
 public:
  Diagram(std::span<const Row> rows, const std::string& title)
      : rows_(Drawn(rows)), lanes_(LanesOf(rows_)) {
    if (lanes_.empty()) lanes_.push_back("cpu");
    text_ = "sequenceDiagram\n";
    if (!title.empty()) {
      absl::StrAppend(&text_, "  title ", MermaidText(title), "\n");
    }
    for (const std::string& lane : lanes_) {
      // A lane's name is an id as it is, unless it is of several words.
      const bool word =
          std::all_of(lane.begin(), lane.end(), absl::ascii_isalnum);
      ids_[lane] = word ? lane : absl::StrCat("x", ids_.size());
      absl::StrAppend(&text_, "  participant ", ids_[lane], " as ",
                      MermaidText(LaneTitle(lane)), "\n");
      if (LaneKindOf(lane) == LaneKind::kThread) {
        if (first_thread_.empty()) first_thread_ = lane;
        last_thread_ = lane;
      }
    }
  }

  std::string Draw() {
    const auto [head, tail] = Kept();
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (i == head && head != tail) {
        Give("");
        Note(lanes_.front(), lanes_.back(),
             {absl::StrCat(tail - head,
                           " rows are left out here: the text trace and the "
                           "trace-event file have them")});
        for (; i < tail; ++i) {
          if (rows_[i].kind == RowKind::kParBegin) in_block_ = true;
          if (rows_[i].kind == RowKind::kParEnd) in_block_ = false;
        }
      }
      if (i < rows_.size()) Add(i);
    }
    Give("");
    return std::move(text_);
  }

 private:
  // The rows from `first` to before `second` are left out.
  std::pair<size_t, size_t> Kept() {
    // Beside its own lines a row may cost the end and the begin of a bar.
    constexpr size_t kBars = 40;
    std::vector<size_t> costs;
    size_t all = text_.size();
    const std::string head = text_;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const size_t before = text_.size();
      Add(i);
      costs.push_back(text_.size() - before + kBars);
      all += costs.back();
    }
    text_ = head;
    active_.clear();
    in_block_ = false;
    if (all <= kMostMermaidBytes) return {0, 0};
    // The end is worth more than the beginning.
    const size_t budget =
        kMostMermaidBytes - std::min(head.size(), kMostMermaidBytes / 2);
    size_t first = 0, second = rows_.size();
    for (size_t spent = 0; second > 0; --second) {
      if ((spent += costs[second - 1]) > budget * 2 / 3) break;
    }
    for (size_t spent = 0; first < second; ++first) {
      if ((spent += costs[first]) > budget / 4) break;
    }
    return {first, second};
  }

  void Add(size_t i) {
    const Row& row = rows_[i];
    switch (row.kind) {
      case RowKind::kPhase:
        Note(lanes_.front(), lanes_.back(), {row.text});
        break;
      case RowKind::kParBegin:
      case RowKind::kParEnd:
        Give("");
        in_block_ = row.kind == RowKind::kParBegin;
        if (!first_thread_.empty()) {
          Note(first_thread_, last_thread_,
               {in_block_ ? "side by side" : "the block ends"});
        }
        break;
      case RowKind::kOperation:
        if (LaneKindOf(row.lane) == LaneKind::kThread) Give(row.lane);
        Arrow("->>", row.lane, row.lane, {row.text, ReturnText(row)});
        break;
      case RowKind::kEvent:
        Event(row);
        break;
      case RowKind::kStop:
        Stop(i);
        break;
      case RowKind::kChange:
        Note(row.lane, row.lane,
             {absl::StrCat(row.text, ": ", row.before, " -> ", row.after),
              Where(row)});
        break;
      case RowKind::kViolation:
        Violation(row);
        break;
    }
  }

  void Event(const Row& row) {
    const LaneKind kind = LaneKindOf(row.lane);
    if (kind == LaneKind::kThread) Give(row.lane);
    if (kind == LaneKind::kCpu || kind == LaneKind::kThread) {
      Note(row.lane, row.lane, {row.text, Where(row)});
    } else {
      // Outside of a block it is the CPU that hands commands over.
      const bool from_cpu =
          kind == LaneKind::kSmmu && !in_block_ && ids_.contains("cpu");
      Arrow("->>", from_cpu ? "cpu" : row.lane, row.lane,
            {row.text, Where(row)});
    }
    for (const std::string& function : row.reached) {
      if (ids_.contains(function)) Arrow("-)", row.lane, function, {"ATC_INV"});
    }
  }

  void Stop(size_t i) {
    const Row& row = rows_[i];
    Give(row.lane);
    if (!IsPreempted(row)) return;
    const auto next = std::find_if(rows_.begin() + static_cast<ptrdiff_t>(i),
                                   rows_.end(), [&](const Row& later) {
                                     return later.kind == RowKind::kParEnd ||
                                            later.lane != row.lane;
                                   });
    const bool hands_over =
        next != rows_.end() && next->kind != RowKind::kParEnd;
    const std::vector<std::string> what = {
        row.text, Where(row),
        row.other.known()
            ? absl::StrCat("the first of them ", LocationText(row.other))
            : ""};
    if (hands_over) {
      Arrow("-->>", row.lane, next->lane, what);
    } else {
      Note(row.lane, row.lane, what);
    }
  }

  void Violation(const Row& row) {
    text_ += "  rect rgba(255, 80, 80, 0.3)\n";
    std::vector<std::string> parts = {
        absl::StrCat("violation: ", row.invariant), row.text};
    if (!row.before.empty() || !row.after.empty()) {
      parts.push_back(absl::StrCat("expected: ", row.before));
      parts.push_back(absl::StrCat("found: ", row.after));
    }
    parts.push_back(Where(row));
    Note(lanes_.front(), lanes_.back(), parts);
    text_ += "  end\n";
  }

  // Within a block it is the CPU `lane`'s turn, also while it waits; empty:
  // nobody's.
  void Give(const std::string& lane) {
    if (active_ == lane || (!in_block_ && !lane.empty())) return;
    if (!active_.empty()) {
      absl::StrAppend(&text_, "  deactivate ", ids_[active_], "\n");
    }
    if (!lane.empty()) {
      absl::StrAppend(&text_, "  activate ", ids_[lane], "\n");
    }
    active_ = lane;
  }

  // The parts of a message, each on lines of its own.
  static std::string Message(const std::vector<std::string>& parts) {
    std::vector<std::string> lines;
    for (const std::string& part : parts) {
      if (part.empty()) continue;
      for (const std::string& line :
           Wrapped(Shortened(ArrowsOf(OneLine(part)), kMostTextBytes))) {
        lines.push_back(MermaidText(line));
      }
    }
    return absl::StrJoin(lines, kBreak);
  }
  void Note(const std::string& from, const std::string& to,
            const std::vector<std::string>& parts) {
    absl::StrAppend(&text_, "  Note over ", ids_[from]);
    if (from != to) absl::StrAppend(&text_, ",", ids_[to]);
    absl::StrAppend(&text_, ": ", Message(parts), "\n");
  }
  void Arrow(const char* arrow, const std::string& from, const std::string& to,
             const std::vector<std::string>& parts) {
    absl::StrAppend(&text_, "  ", ids_[from], arrow, ids_[to], ": ",
                    Message(parts), "\n");
  }

  const std::vector<Row> rows_;
  std::vector<std::string> lanes_;
  std::map<std::string, std::string> ids_;  // by lane
  std::string first_thread_, last_thread_;  // empty: there are none
  std::string active_;                      // whose turn it is
  bool in_block_ = false;
  std::string text_;
};

}  // namespace

std::string MermaidText(const std::string& text) {
  std::string safe;
  for (const char c : Shortened(OneLine(text), kMostTextBytes)) {
    // What ends a message, begins an entity, a comment, a directive or markup.
    if (absl::StrContains("#;%<>&\"{}$`\\@", c)) {
      absl::StrAppendFormat(&safe, "#%d;", static_cast<int>(c));
    } else {
      safe += c;
    }
  }
  // Words that make a line something else, wherever they stand in it.
  return absl::StrReplaceAll(safe, {{"wrap:", "wrap#58;"},
                                    {"style", "st#121;le"},
                                    {"classDef", "class#68;ef"}});
}

std::string MermaidOf(std::span<const Row> rows, const std::string& title) {
  return Diagram(rows, title).Draw();
}

}  // namespace atsfuzz::report
