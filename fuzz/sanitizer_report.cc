#include "fuzz/sanitizer_report.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace atsfuzz::fuzz {
namespace {

constexpr char kAddress[] = "ERROR: AddressSanitizer: ";
constexpr char kUndefined[] = "runtime error: ";

// "    #1 0x7f12  (/path/module.so+0x1234)"
bool ParseFrame(absl::string_view line, Frame* frame) {
  const size_t open = line.find('(');
  const size_t plus = line.rfind("+0x");
  if (!absl::StrContains(line, "#") || open == absl::string_view::npos ||
      plus == absl::string_view::npos || plus < open) {
    return false;
  }
  const absl::string_view offset = line.substr(
      plus + 3,
      line.find_first_not_of("0123456789abcdef", plus + 3) - plus - 3);
  frame->module = std::string(line.substr(open + 1, plus - open - 1));
  return absl::SimpleHexAtoi(offset, &frame->offset);
}

}  // namespace

void ParseSanitizerReport(absl::string_view text, Death* death) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  const auto head =
      std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
        return absl::StrContains(line, kAddress) ||
               absl::StrContains(line, kUndefined);
      });
  if (head == lines.end()) return;
  const size_t address = head->find(kAddress);
  if (address != std::string::npos) {
    const std::string rest = head->substr(address + sizeof(kAddress) - 1);
    death->error = rest.substr(0, rest.find(' '));
    death->report = absl::StrCat("AddressSanitizer: ", death->error);
  } else {
    death->error = "undefined-behaviour";
    death->report = head->substr(head->find(kUndefined));
  }
  death->stack.clear();
  for (auto line = head + 1; line != lines.end(); ++line) {
    Frame frame;
    if (ParseFrame(*line, &frame)) {
      // A return address is that of the instruction after the call.
      if (!death->stack.empty()) --frame.offset;
      death->stack.push_back(frame);
    } else if (!death->stack.empty()) {
      break;  // the stacks of the allocation and of the free follow
    } else if (absl::StartsWith(*line, "READ of size") ||
               absl::StartsWith(*line, "WRITE of size")) {
      absl::StrAppend(&death->report, ", ",
                      line->substr(0, line->find(" at 0x")));
    }
  }
}

}  // namespace atsfuzz::fuzz
