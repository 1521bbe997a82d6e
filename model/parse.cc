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
    if (auto status = Validate(scenario_.topology); !status.ok()) {
      return Line(file_, number, "")
          .Error(Token(), "a whole machine", status.message());
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
    if (const auto kind = KindByName(keyword.text)) {
      auto operation = ParseOperation(*kind, line, names_);
      if (!operation.ok()) return operation.status();
      if (!AddPasid(*operation, &pasids_)) {
        return line.Error(
            keyword,
            absl::StrCat("at most ", ATSFUZZ_MAX_PASIDS, " different PASIDs"),
            "use one of those above");
      }
      scenario_.operations.push_back(*operation);
      return absl::OkStatus();
    }
    return UnknownKeyword(line, keyword);
  }

  absl::Status UnknownKeyword(const Line& line, const Token& keyword) const {
    if (IsOneOf(keyword.text, {"par", "thread", "end", "schedule"})) {
      return line.Error(keyword, "an operation",
                        "threads are not supported by this version: write the "
                        "operations one after another");
    }
    std::string names;
    for (int i = 0; i < kOperationKinds; ++i) {
      absl::StrAppend(&names, i == 0 ? "" : ", ",
                      ShapeOf(static_cast<OperationKind>(i)).name);
    }
    return line.Error(keyword,
                      "smmu, pf, vf, platform, domain, an operation or expect",
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
