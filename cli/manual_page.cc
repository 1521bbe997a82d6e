#include "cli/manual_page.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace atsfuzz::cli {
namespace {

// Text for roff: nothing in it is an escape or a request.
std::string Escape(absl::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '\\':
        escaped += "\\e";
        break;
      case '-':
        escaped += "\\-";
        break;
      case '`':
        escaped += "\\(ga";
        break;
      case '\'':
        escaped += "\\(aq";
        break;
      case '~':
        escaped += "\\(ti";
        break;
      case '^':
        escaped += "\\(ha";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// Lines of running text: none begins with what would be a request.
std::string Paragraphs(absl::string_view text) {
  std::string out;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line.empty()) {
      out += ".PP\n";
      continue;
    }
    absl::StrAppend(&out, line.front() == '.' ? "\\&" : "", Escape(line), "\n");
  }
  return out;
}

std::string Verbatim(absl::string_view lines) {
  return absl::StrCat(
      ".nf\n", Paragraphs(absl::StripTrailingAsciiWhitespace(lines)), ".fi\n");
}

std::string Items(const HelpText& help) {
  std::string out;
  for (const auto& [name, meaning] : help.items) {
    absl::StrAppend(&out, ".TP\n.B ", Escape(name), "\n", Paragraphs(meaning));
  }
  return out;
}

}  // namespace

HelpText ParseHelp(absl::string_view text) {
  HelpText help;
  enum class Part { kAbout, kItems, kExamples, kRest };
  Part part = Part::kAbout;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::string_view rest = line;
    if (help.usage.empty() && absl::ConsumePrefix(&rest, "usage: ")) {
      help.usage = std::string(rest);
    } else if (line == "flags:" || line == "commands:") {
      part = Part::kItems;
    } else if (line == "examples:") {
      part = Part::kExamples;
    } else if (part == Part::kItems && absl::StartsWith(line, "  ")) {
      rest = absl::StripLeadingAsciiWhitespace(line);
      const size_t end = rest.find(' ');
      help.items.emplace_back(
          rest.substr(0, end),
          end == absl::string_view::npos
              ? ""
              : absl::StripLeadingAsciiWhitespace(rest.substr(end)));
    } else if (part == Part::kItems && !line.empty()) {
      part = Part::kRest;
      absl::StrAppend(&help.rest, line, "\n");
    } else if (part == Part::kExamples) {
      absl::StrAppend(&help.examples, line, "\n");
    } else if (part == Part::kRest) {
      absl::StrAppend(&help.rest, line, "\n");
    } else if (part == Part::kAbout) {
      absl::StrAppend(&help.about, line, "\n");
    }
  }
  for (std::string* trimmed : {&help.about, &help.rest, &help.examples}) {
    absl::string_view inner = absl::StripTrailingAsciiWhitespace(*trimmed);
    while (absl::ConsumePrefix(&inner, "\n")) continue;
    *trimmed = std::string(inner);
  }
  return help;
}

std::string ManualPage(
    const HelpText& program,
    const std::vector<std::pair<std::string, HelpText>>& commands) {
  std::string page = absl::StrCat(
      ".TH ATSFUZZ 1\n.SH NAME\natsfuzz \\- finds bugs in how Linux tracks "
      "PCIe ATS\n.SH SYNOPSIS\n.B ",
      Escape(program.usage), "\n.SH DESCRIPTION\n", Paragraphs(program.about),
      Items(program), ".PP\n", Paragraphs(program.rest));
  for (const auto& [name, help] : commands) {
    absl::StrAppend(&page, ".SH ", Escape(absl::AsciiStrToUpper(name)), "\n.B ",
                    Escape(help.usage), "\n.PP\n", Paragraphs(help.about),
                    Items(help), ".PP\nExamples:\n", Verbatim(help.examples));
  }
  return page;
}

}  // namespace atsfuzz::cli
