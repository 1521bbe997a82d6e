#include "report/printable.h"

#include <cassert>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "report/json.h"

namespace atsfuzz::report {
namespace {

// The JSON library knows what is UTF-8, and what to put in its place.
std::string Utf8(absl::string_view text) {
  return Json::parse(Json(std::string(text))
                         .dump(-1, ' ', false, Json::error_handler_t::replace))
      .get<std::string>();
}

// How many bytes from `at` on are one character that does more than to be
// shown; 0: it does not.
size_t ControlAt(absl::string_view text, size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20 || byte == 0x7f) return 1;
  const absl::string_view rest = text.substr(at);
  if (byte == 0xc2 && static_cast<unsigned char>(rest[1]) < 0xa0) return 2;
  for (const absl::string_view character :
       {"\u2028", "\u2029", "\xef\xbf\xbe", "\xef\xbf\xbf"}) {
    if (absl::StartsWith(rest, character)) return character.size();
  }
  return 0;
}

std::string Printable(absl::string_view text, absl::string_view kept) {
  const std::string utf8 = Utf8(text);
  std::string printable;
  for (size_t at = 0; at < utf8.size();) {
    const size_t control = ControlAt(utf8, at);
    if (control == 0 || absl::StrContains(kept, utf8[at])) {
      printable += utf8[at++];
    } else {
      printable += ' ';
      at += control;
    }
  }
  return printable;
}

}  // namespace

std::string OneLine(absl::string_view text) { return Printable(text, ""); }

std::string Lines(absl::string_view text) {
  return Printable(absl::StrReplaceAll(text, {{"\r\n", "\n"}}), "\n\t");
}

std::string Shortened(absl::string_view text, size_t bytes) {
  assert(bytes >= 3);
  if (text.size() <= bytes) return std::string(text);
  size_t end = bytes - 3;
  // Bytes behind a character's first one are 10xxxxxx.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
    --end;
  }
  return absl::StrCat(text.substr(0, end), "...");
}

}  // namespace atsfuzz::report
