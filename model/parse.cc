#include "model/parse.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "model/block.h"
#include "model/text.h"

// The parsing half of the scenario language: what stands where in a file.
namespace atsfuzz::model {
namespace {

std::optional<OperationKind> KindByName(absl::string_view name) {
  for (int i = 0; i < kOperationKinds; ++i) {
    const auto kind = static_cast<OperationKind>(i);
    if (ShapeOf(kind).name == name) return kind;
  }
  return std::nullopt;
}

bool IsOneOf(absl::string_view word,
             std::initializer_list<absl::string_view> words) {
  for (absl::string_view other : words) {
    if (word == other) return true;
  }
  return false;
}

class Parser {
 public:
  explicit Parser(absl::string_view file) : file_(file) {}

  absl::StatusOr<Scenario> Run(absl::string_view text) {
    int number = 0;
    for (absl::string_view line_text : absl::StrSplit(text, '\n')) {
      ++number;
      absl::ConsumeSuffix(&line_text, "\r");
      if (TakeStory(line_text)) continue;
      Line line(file_, number, line_text);
      if (line.AtEnd()) continue;
      if (auto status = ParseLine(line); !status.ok()) return status;
    }
    const Line end(file_, number, "");
    if (auto status = Validate(scenario_.topology); !status.ok()) {
      return end.Error(Token(), "a whole machine", status.message());
    }
    if (state_ == kInBlock || state_ == kInThread) {
      return end.Error(Token(), "end", "it closes `par`");
    }
    if (auto status = ValidateBlock(scenario_); !status.ok()) {
      return end.Error(Token(),
                       "a `par` block that the kernel's callers can do",
                       status.message());
    }
    return std::move(scenario_);
  }

 private:
  // The story is the first block of lines that start with `#`.
  bool TakeStory(absl::string_view line) {
    if (!in_story_ || !absl::ConsumePrefix(&line, "#")) {
      in_story_ = in_story_ && line.empty() && scenario_.story.empty();
      return false;
    }
    absl::ConsumePrefix(&line, " ");
    scenario_.story.emplace_back(line);
    return true;
  }

  absl::Status ParseLine(Line& line) {
    const Token keyword = line.Next();
    if (IsDeclaration(keyword.text)) {
      if (!scenario_.operations.empty()) {
        return line.Error(keyword, "an operation or `expect`",
                          "the machine is fixed: declare it before the first "
                          "operation");
      }
      return ParseDeclaration(keyword.text, line, names_, scenario_.topology);
    }
    if (keyword.text == "expect") return ParseExpect(line);
    if (IsOneOf(keyword.text, {"par", "thread", "end"})) {
      return ParseBlock(line, keyword);
    }
    if (keyword.text == "schedule") return ParseSchedule(line, keyword);
    if (state_ == kInBlock) {
      return line.Error(keyword, "thread", "a `par` block is made of threads");
    }
    if (const auto kind = KindByName(keyword.text)) {
      auto operation = ParseOperation(*kind, line, names_);
      if (!operation.ok()) return operation.status();
      if (!AddPasid(*operation, &pasids_)) {
        return line.Error(
            keyword,
            absl::StrCat("at most ", ATSFUZZ_MAX_PASIDS, " different PASIDs"),
            "use one of those above");
      }
      operation->thread = state_ == kInThread ? threads_ : 0;
      scenario_.operations.push_back(*operation);
      return absl::OkStatus();
    }
    return UnknownKeyword(line, keyword);
  }

  // par, thread, end
  absl::Status ParseBlock(Line& line, const Token& keyword) {
    if (!line.AtEnd()) {
      return line.Error(line.Peek(), "the end of the line",
                        "operations stand on lines of their own");
    }
    const bool in_block = state_ == kInBlock || state_ == kInThread;
    const bool empty_thread =
        state_ == kInThread && (scenario_.operations.empty() ||
                                scenario_.operations.back().thread != threads_);
    if (keyword.text == "par") {
      if (state_ != kBeforeBlock) {
        return line.Error(keyword, "an operation",
                          "a scenario has one `par` block, and it has no other "
                          "inside");
      }
      state_ = kInBlock;
      return absl::OkStatus();
    }
    if (!in_block) {
      return line.Error(keyword, "an operation", "no `par` stands before it");
    }
    if (empty_thread) {
      return line.Error(keyword, "an operation", "this thread has none");
    }
    if (keyword.text == "thread") {
      if (threads_ == ATSFUZZ_MAX_THREADS) {
        return line.Error(keyword, "end",
                          absl::StrCat("there are at most ",
                                       ATSFUZZ_MAX_THREADS, " threads"));
      }
      ++threads_;
      state_ = kInThread;
      return absl::OkStatus();
    }
    if (threads_ < 2) {
      return line.Error(keyword, "thread", "one alone needs no `par`");
    }
    state_ = kAfterBlock;
    return absl::OkStatus();
  }

  // schedule t0@17 t1 ...
  absl::Status ParseSchedule(Line& line, const Token& keyword) {
    if (state_ != kAfterBlock) {
      return line.Error(keyword, "an operation",
                        "a schedule stands behind the `end` of its `par`");
    }
    const Limits limits = {threads_,
                           static_cast<int>(scenario_.topology.smmus.size())};
    while (!line.AtEnd()) {
      if (scenario_.schedule.size() == kMaxTurns) {
        return line.Error(
            line.Peek(), "the end of the line",
            absl::StrCat("a schedule has at most ", kMaxTurns, " turns"));
      }
      absl::StatusOr<Turn> turn = ParseTurn(line, limits);
      if (!turn.ok()) return turn.status();
      scenario_.schedule.push_back(*turn);
    }
    return absl::OkStatus();
  }

  absl::Status UnknownKeyword(const Line& line, const Token& keyword) const {
    std::string names;
    for (int i = 0; i < kOperationKinds; ++i) {
      absl::StrAppend(&names, i == 0 ? "" : ", ",
                      ShapeOf(static_cast<OperationKind>(i)).name);
    }
    return line.Error(keyword,
                      "smmu, pf, vf, platform, domain, an operation, par, "
                      "schedule or expect",
                      absl::StrCat("the operations are ", names));
  }

  // expect none|violation NAME [on DRIVER]
  absl::Status ParseExpect(Line& line) {
    Expectation expectation;
    const Token what = line.Next();
    if (what.text == "violation") {
      const Token name = line.Next();
      if (name.text.empty() || name.text == "on") {
        return line.Error(name, "the name of an invariant",
                          "as in `expect violation no-warning`");
      }
      expectation.invariant = std::string(name.text);
    } else if (what.text != "none") {
      return line.Error(what, "none or violation",
                        "as in `expect none` or `expect violation no-leak`");
    }
    if (!line.AtEnd()) {
      const Token on = line.Next();
      if (on.text != "on" || line.AtEnd()) {
        return line.Error(on.text == "on" ? line.Peek() : on,
                          on.text == "on" ? "a driver" : "on",
                          "as in `expect none on linux:6.12`");
      }
      expectation.driver = std::string(line.Next().text);
    }
    if (!line.AtEnd()) {
      return line.Error(line.Peek(), "the end of the line",
                        "write one expectation a line");
    }
    scenario_.expectations.push_back(std::move(expectation));
    return absl::OkStatus();
  }

  const absl::string_view file_;
  Scenario scenario_;
  Names names_;
  std::vector<uint32_t> pasids_;  // the different ones so far
  bool in_story_ = true;
  enum { kBeforeBlock, kInBlock, kInThread, kAfterBlock } state_ = kBeforeBlock;
  uint8_t threads_ = 0;  // so far
};

}  // namespace

absl::StatusOr<Scenario> Parse(absl::string_view text, absl::string_view file) {
  return Parser(file).Run(text);
}

absl::StatusOr<Scenario> ReadScenario(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "rb"),
                                                   fclose);
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  }
  std::string text;
  char buffer[4096];
  size_t count;
  while ((count = fread(buffer, 1, sizeof(buffer), file.get())) > 0) {
    text.append(buffer, count);
  }
  if (ferror(file.get())) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
  }
  return Parse(text, path);
}

}  // namespace atsfuzz::model
