#include "model/line.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace atsfuzz::model {
namespace {

// Enough of a word to recognise it.
constexpr size_t kShownBytes = 60;

std::string Shown(absl::string_view text) {
  if (text.empty()) return "nothing";
  const bool cut = text.size() > kShownBytes;
  return absl::StrCat("'", absl::CHexEscape(text.substr(0, kShownBytes)),
                      cut ? "...'" : "'");
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

Token Token::From(size_t offset) const {
  return {text.substr(offset), column + static_cast<int>(offset)};
}

std::vector<Token> Token::Split() const {
  std::vector<Token> parts;
  Token rest = *this;
  for (;;) {
    const size_t comma = rest.text.find(',');
    parts.push_back({rest.text.substr(0, comma), rest.column});
    if (comma == absl::string_view::npos) return parts;
    rest = rest.From(comma + 1);
  }
}

Line::Line(absl::string_view file, int number, absl::string_view text)
    : file_(file), number_(number) {
  size_t at = 0;
  while (at < text.size()) {
    if (IsBlank(text[at])) {
      ++at;
      continue;
    }
    if (text[at] == '#') break;
    const size_t start = at;
    while (at < text.size() && !IsBlank(text[at])) ++at;
    words_.push_back(
        {text.substr(start, at - start), static_cast<int>(start) + 1});
  }
}

Token Line::Peek() const {
  if (!AtEnd()) return words_[next_];
  if (words_.empty()) return Token();
  const Token& last = words_.back();
  return last.From(last.text.size());
}

Token Line::Next() {
  const Token token = Peek();
  if (!AtEnd()) ++next_;
  return token;
}

absl::Status Line::Error(const Token& found, absl::string_view expected,
                         absl::string_view hint) const {
  return absl::InvalidArgumentError(
      absl::StrCat(file_, ":", number_, ":", found.column, ": found ",
                   Shown(found.text), ", expected ", expected, "; ", hint));
}

absl::StatusOr<uint32_t> Line::Number(const Token& token, uint32_t min,
                                      uint32_t max, absl::string_view expected,
                                      absl::string_view hint) const {
  uint32_t value = 0;
  bool good = false;
  if (absl::StartsWith(token.text, "0x")) {
    good = absl::SimpleHexAtoi(token.text, &value);
  } else {
    good = !token.text.empty() && absl::ascii_isdigit(token.text.front()) &&
           absl::SimpleAtoi(token.text, &value);
  }
  if (!good || value < min || value > max) {
    return Error(token, expected, hint);
  }
  return value;
}

}  // namespace atsfuzz::model
