#include "absl/strings/str_cat.h"
#include "model/limits.h"
#include "model/parse.h"

namespace atsfuzz::model {
namespace {

absl::Status ParsePage(const Line& line, const Token& token, uint32_t min,
                       uint16_t* page) {
  const uint32_t max = ATSFUZZ_MAX_PAGES - 1;
  auto number = line.Number(
      token, min, max, absl::StrCat("a page number from ", min, " to ", max),
      "3 is one page, 3..6 are four");
  if (number.ok()) *page = static_cast<uint16_t>(*number);
  return number.status();
}

}  // namespace

absl::Status ParsePages(const Line& line, const Token& token, bool range,
                        uint16_t* page, uint16_t* pages) {
  const size_t dots = token.text.find("..");
  Token first = token;
  if (range) first.text = token.text.substr(0, dots);
  if (auto status = ParsePage(line, first, 0, page); !status.ok()) {
    return status;
  }
  *pages = 1;
  if (!range || dots == absl::string_view::npos) return absl::OkStatus();
  uint16_t last = 0;
  auto status = ParsePage(line, token.From(dots + 2), *page, &last);
  *pages = static_cast<uint16_t>(last - *page + 1);
  return status;
}

}  // namespace atsfuzz::model
