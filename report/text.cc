#include "report/text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace atsfuzz::report {
namespace {

// Columns of the trace.
constexpr int kOperationWidth = 28, kWhatWidth = 33, kChangeWidth = 34;

std::string Where(const Row& row) {
  return row.where.empty() ? "" : LocationText(row.where.front());
}

std::string EventText(const Row& row, bool in_block) {
  const std::string where = Where(row);
  if (!in_block) {
    return absl::StrCat("  ", row.text, where.empty() ? "" : "    ", where,
                        "\n");
  }
  std::string text = absl::StrCat("  ", row.lane, "  ", row.text,
                                  where.empty() ? "" : "  ", where, "\n");
  if (row.other.known()) {
    absl::StrAppend(&text, "      the first of them  ", LocationText(row.other),
                    "\n");
  }
  return text;
}

std::string ChangeText(const Row& row) {
  const std::string arrow = absl::StrCat(row.before, " -> ", row.after);
  const std::string where = Where(row);
  if (where.empty()) {
    return absl::StrFormat("  %-*s %s\n", kWhatWidth, row.text, arrow);
  }
  return absl::StrFormat("  %-*s %-*s %s\n", kWhatWidth, row.text, kChangeWidth,
                         arrow, where);
}

}  // namespace

std::string AssumptionText(uint8_t classes) {
  if (classes == 0) return "honest: needs no fault";
  std::vector<std::string> names;
  for (int i = 0; i < model::kFaultClasses; ++i) {
    const auto fault = static_cast<model::FaultClass>(1 << i);
    if ((classes & fault) != 0) {
      names.emplace_back(model::FaultClassName(fault));
    }
  }
  return "assumes " + absl::StrJoin(names, ", ");
}

std::string LocationText(const model::Location& location) {
  if (!location.known()) return "";
  if (location.file.empty()) return location.function;
  return absl::StrFormat("%s  %s:%d", location.function, location.file,
                         location.line);
}

std::string StackText(const std::vector<model::Location>& stack) {
  std::string text;
  for (size_t i = 0; i < stack.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "    in " : "       ",
                    LocationText(stack[i]), "\n");
  }
  return text;
}

std::string TextOf(std::span<const Row> rows) {
  std::string text;
  bool in_block = false;
  for (const Row& row : rows) {
    switch (row.kind) {
      case RowKind::kPhase:
        absl::StrAppend(&text, row.text, "\n");
        break;
      case RowKind::kParBegin:
      case RowKind::kParEnd:
        in_block = row.kind == RowKind::kParBegin;
        absl::StrAppend(&text, row.text, "\n");
        break;
      case RowKind::kOperation:
        absl::StrAppendFormat(
            &text, "%-*s %s\n", kOperationWidth,
            in_block ? absl::StrCat("  ", row.lane, ": ", row.text) : row.text,
            row.result);
        break;
      case RowKind::kEvent:
      case RowKind::kStop:
        text += EventText(row, in_block);
        break;
      case RowKind::kChange:
        text += ChangeText(row);
        break;
      case RowKind::kViolation:
        absl::StrAppend(&text, "  violation: ", row.invariant, "\n    ",
                        row.text, "\n");
        if (!row.before.empty() || !row.after.empty()) {
          absl::StrAppend(&text, "    expected: ", row.before,
                          "        found: ", row.after, "\n");
        }
        text += StackText(row.where);
        break;
    }
  }
  return text;
}

}  // namespace atsfuzz::report
