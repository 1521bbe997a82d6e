#ifndef ATSFUZZ_MODEL_LINE_H_
#define ATSFUZZ_MODEL_LINE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// One line of scenario text as words, and the messages that point at them. Part
// of the parser (model/text.h).
namespace atsfuzz::model {

// A word, or a part of one. Empty at the end of the line.
struct Token {
  absl::string_view text;
  int column = 1;  // of its first byte, from 1

  // What is left from byte `offset` on.
  Token From(size_t offset) const;
  // Split at commas; at least one, any of them may be empty.
  std::vector<Token> Split() const;
};

class Line {
 public:
  // `file` and `text` must outlive the line. Words are separated by blanks and
  // tabs; a `#` that starts a word starts a comment (`!alloc#3` has none).
  Line(absl::string_view file, int number, absl::string_view text);

  bool AtEnd() const { return next_ == words_.size(); }
  // The next word; at the end an empty one just behind the last.
  Token Peek() const;
  Token Next();

  // "file:line:column: found 'x', expected Y; hint".
  absl::Status Error(const Token& found, absl::string_view expected,
                     absl::string_view hint) const;

  // The value of a decimal number, or a hexadecimal one with 0x. An error
  // unless the whole token is one of min..max.
  absl::StatusOr<uint32_t> Number(const Token& token, uint32_t min,
                                  uint32_t max, absl::string_view expected,
                                  absl::string_view hint) const;

 private:
  absl::string_view file_;
  int number_;
  std::vector<Token> words_;
  size_t next_ = 0;
};

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_LINE_H_
