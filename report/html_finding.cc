#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "report/html.h"
#include "report/html_page.h"
#include "report/lanes.h"
#include "report/text.h"

// The page of a finding.
namespace atsfuzz::report {
namespace {

// Operations that a story names one by one.
constexpr size_t kMostNamed = 6;

std::string Code(const std::string& text) {
  return absl::StrCat("<code>", Escape(text), "</code>");
}

// "a, b and c".
std::string Listed(const std::vector<std::string>& words) {
  if (words.size() < 2) return absl::StrJoin(words, "");
  return absl::StrCat(absl::StrJoin(words.begin(), words.end() - 1, ", "),
                      " and ", words.back());
}

std::string Operations(const FindingView& finding) {
  return absl::StrCat(finding.operations,
                      finding.operations == 1 ? " operation" : " operations");
}

bool IsThread(const std::string& lane) {
  return LaneKindOf(lane) == LaneKind::kThread;
}

const Row* ViolationOf(const FindingView& finding) {
  for (const Row& row : finding.rows) {
    if (row.kind == RowKind::kViolation && row.invariant == finding.invariant) {
      return &row;
    }
  }
  return nullptr;
}

// The threads' stops, told one after another.
std::string StopsText(const std::vector<Row>& rows) {
  std::string text;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (!IsPreempted(row) || row.where.empty()) continue;
    const auto next = std::find_if(rows.begin() + static_cast<ptrdiff_t>(i) + 1,
                                   rows.end(), [&](const Row& later) {
                                     return later.kind != RowKind::kParEnd &&
                                            !later.lane.empty() &&
                                            later.lane != row.lane;
                                   });
    absl::StrAppend(&text, " ", row.lane, " ", row.text, " in ",
                    LocationText(row.where.front()),
                    next == rows.end() || next->kind == RowKind::kChange
                        ? ""
                        : absl::StrCat(", and ", next->lane, " goes on"),
                    ".");
  }
  return text;
}

std::string PlaceHtml(const model::Location& location) {
  if (!location.known()) return "";
  std::string html =
      absl::StrCat("<span class=\"src\">", Escape(LocationText(location)));
  if (!location.text.empty()) {
    absl::StrAppend(&html, "<br>", Code(location.text));
  }
  return html + "</span>";
}

std::string CellOf(const Row& row) {
  std::string html;
  switch (row.kind) {
    case RowKind::kOperation:
      html = absl::StrCat("<span class=\"op\">", Escape(row.text),
                          "</span> <span class=\"dim result\">returns ",
                          Escape(row.result), "</span>");
      break;
    case RowKind::kChange:
      html = absl::StrCat(Escape(row.text), ": ", Escape(row.before),
                          " &rarr; <strong>", Escape(row.after), "</strong>");
      break;
    case RowKind::kStop:
      html = absl::StrCat("<strong>", Escape(row.text), "</strong>");
      break;
    default:
      html = Escape(row.text);
      break;
  }
  if (!row.where.empty()) html += PlaceHtml(row.where.front());
  if (row.other.known()) {
    absl::StrAppend(&html, "<span class=\"src\">the first of them</span>",
                    PlaceHtml(row.other));
  }
  return html;
}

std::string ViolationHtml(const Row& row) {
  std::string html =
      absl::StrCat("<strong>violation: ", Escape(row.invariant),
                   "</strong><br>", Escape(row.text), "<br>expected ",
                   Code(row.before), ", found ", Code(row.after));
  for (const model::Location& frame : row.where) html += PlaceHtml(frame);
  return html;
}

// Who ran when: a band for each thread, SMMU and RCU, step by step.
std::string TurnsSvg(const std::vector<Row>& rows) {
  std::vector<std::string> lanes;
  std::vector<std::pair<std::string, bool>> steps;  // lane, violation
  for (const Row& row : rows) {
    if (row.kind == RowKind::kViolation) {
      steps.emplace_back("", true);
      continue;
    }
    const LaneKind kind = LaneKindOf(row.lane);
    const bool acts =
        (row.kind == RowKind::kEvent || row.kind == RowKind::kStop) &&
        (kind == LaneKind::kThread || kind == LaneKind::kSmmu ||
         kind == LaneKind::kRcu);
    if (!acts) continue;
    steps.emplace_back(row.lane, false);
    if (std::find(lanes.begin(), lanes.end(), row.lane) == lanes.end()) {
      lanes.push_back(row.lane);
    }
  }
  if (lanes.size() < 2) return "";
  std::sort(lanes.begin(), lanes.end());
  constexpr int kLeft = 60, kStep = 14, kBand = 22;
  const int width = kLeft + kStep * static_cast<int>(steps.size()) + 10;
  const int height = kBand * static_cast<int>(lanes.size()) + 8;
  std::string svg = absl::StrFormat(
      "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
      "aria-label=\"Who ran when: %d turns of %s; the steps are told in the "
      "table below\">\n",
      width, height, width, height, steps.size(), Escape(Listed(lanes)));
  for (size_t lane = 0; lane < lanes.size(); ++lane) {
    const int y = kBand * static_cast<int>(lane) + 4;
    absl::StrAppendFormat(&svg, "<text x=\"0\" y=\"%d\">%s</text>\n", y + 15,
                          Escape(LaneTitle(lanes[lane])));
    for (size_t i = 0; i < steps.size(); ++i) {
      if (steps[i].first != lanes[lane]) continue;
      absl::StrAppendFormat(
          &svg,
          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"2\" "
          "fill=\"var(--%s)\"/>\n",
          kLeft + kStep * static_cast<int>(i), y, kStep - 2, kBand - 6,
          IsThread(lanes[lane]) ? lanes[lane] : "dim");
    }
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].second) continue;
    absl::StrAppendFormat(&svg,
                          "<rect x=\"%d\" y=\"0\" width=\"3\" height=\"%d\" "
                          "fill=\"var(--bad)\"/>\n",
                          kLeft + kStep * static_cast<int>(i), height);
  }
  return svg + "</svg>\n";
}

std::string TimelineHtml(const std::vector<Row>& rows) {
  if (rows.empty()) {
    return "<p class=\"dim\">The run was not recorded; the command above "
           "shows it.</p>\n";
  }
  const std::vector<std::string> lanes = LanesOf(rows);
  std::string html = TurnsSvg(rows);
  if (!html.empty()) {
    html = absl::StrCat(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" "
        "aria-label=\"Who ran when\">\n",
        html, "</div>\n");
  }
  html +=
      "<div class=\"wide cards\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"Timeline, by who acts or changes\">\n"
      "<table class=\"timeline\">\n<thead><tr><th scope=\"col\">step</th>";
  for (const std::string& lane : lanes) {
    absl::StrAppend(&html, "<th scope=\"col\" class=\"lane-", Escape(lane),
                    "\">", Escape(LaneTitle(lane)), "</th>");
  }
  html += "</tr></thead>\n<tbody>\n";
  int step = 0;
  bool switches = false;
  for (const Row& row : rows) {
    if (row.kind == RowKind::kParBegin || row.kind == RowKind::kParEnd) {
      absl::StrAppend(&html,
                      "<tr><td class=\"n\"></td><td class=\"dim\" "
                      "colspan=\"",
                      lanes.size(), "\">",
                      row.kind == RowKind::kParBegin ? "side by side:"
                                                     : "all have returned",
                      "</td></tr>\n");
      continue;
    }
    if (row.kind == RowKind::kStop && !IsPreempted(row)) continue;
    const bool bad = row.kind == RowKind::kViolation;
    absl::StrAppend(&html, "<tr",
                    bad        ? " class=\"bad\""
                    : switches ? " class=\"switch\""
                               : "",
                    "><td class=\"n\">", ++step, "</td>");
    switches = IsPreempted(row);
    if (bad || row.kind == RowKind::kPhase || row.lane.empty()) {
      absl::StrAppend(&html, "<td colspan=\"", lanes.size(), "\">",
                      bad ? ViolationHtml(row) : CellOf(row), "</td></tr>\n");
      continue;
    }
    for (const std::string& lane : lanes) {
      if (lane != row.lane) {
        html += "<td></td>";
        continue;
      }
      absl::StrAppend(&html, "<td class=\"lane-", Escape(lane),
                      "\" data-lane=\"", Escape(LaneTitle(lane)), "\">",
                      CellOf(row), "</td>");
    }
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n</div>\n";
}

// The same run for other programs.
std::string OtherForms(const FindingView& finding) {
  if (finding.rows.empty()) return "";
  return absl::StrCat(
      "<p>The same for Perfetto: <a href=\"", Escape(TraceFile(finding)),
      "\">trace events</a>; for a mail or an issue: <a href=\"",
      Escape(SequenceFile(finding)), "\">Mermaid diagram</a>.</p>\n");
}

std::string ElsewhereHtml(const FindingView& finding) {
  std::string html =
      "<div class=\"wide\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"On other drivers\">\n<table>\n<thead><tr><th "
      "scope=\"col\">driver</th><th scope=\"col\">this scenario</th></tr>"
      "</thead>\n<tbody>\n";
  absl::StrAppend(&html, "<tr><td>", Escape(finding.driver), "</td><td>",
                  StateBadge(finding.state), "</td></tr>\n");
  for (const Elsewhere& other : finding.elsewhere) {
    std::string what = "does not show it";
    if (!other.runs) {
      what = "is not one that it can run";
    } else if (other.signature == finding.signature) {
      what = "shows it, at the same line of the source";
    } else if (!other.signature.empty()) {
      what = absl::StrCat("shows the same invariant broken: ",
                          Code(other.signature));
    }
    absl::StrAppend(&html, "<tr><td>", Escape(other.driver), "</td><td>", what,
                    "</td></tr>\n");
  }
  return html + "</tbody>\n</table>\n</div>\n";
}

}  // namespace

std::string SequenceFile(const FindingView& finding) {
  return finding.signature + ".mmd";
}

std::string TraceFile(const FindingView& finding) {
  return finding.signature + ".json";
}

std::string StoryOf(const FindingView& finding) {
  std::vector<std::string> operations;
  for (const Row& row : finding.rows) {
    if (row.kind == RowKind::kOperation) {
      operations.push_back(IsThread(row.lane)
                               ? absl::StrCat("`", row.text, "` on ", row.lane)
                               : absl::StrCat("`", row.text, "`"));
    }
  }
  std::string story = absl::StrCat("On ", finding.driver);
  if (!operations.empty() && operations.size() <= kMostNamed) {
    absl::StrAppend(&story, ", after ", Listed(operations));
  } else {
    absl::StrAppend(&story, ", after ", Operations(finding));
  }
  absl::StrAppend(&story,
                  finding.assumes == "honest"
                      ? ", without any fault,"
                      : absl::StrCat(", with a fault (", finding.assumes, "),"),
                  " ", finding.invariant, " does not hold. ", finding.message,
                  " Expected was ", finding.expected, "; found was ",
                  finding.found, ".", StopsText(finding.rows));
  const Row* violation = ViolationOf(finding);
  if (violation != nullptr && !violation->where.empty()) {
    absl::StrAppend(&story, " It comes from ",
                    LocationText(violation->where.front()));
    std::vector<std::string> callers;
    for (size_t i = 1; i < violation->where.size(); ++i) {
      callers.push_back(violation->where[i].function);
    }
    if (!callers.empty()) {
      absl::StrAppend(&story, ", called by ", absl::StrJoin(callers, ", by "));
    }
    story += ".";
  } else if (!finding.function.empty()) {
    absl::StrAppend(&story, " It comes from ", finding.function, ".");
  }
  return story;
}

std::string FindingPage(const FindingView& finding, const std::string& index) {
  std::string html = absl::StrCat(
      "<p><a href=\"", Escape(index), "\">All findings</a></p>\n<h1>",
      Escape(finding.signature), " ", StateBadge(finding.state), "</h1>\n<p>",
      Escape(StoryOf(finding)), "</p>\n<dl class=\"facts\">\n");
  const auto fact = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    absl::StrAppend(&html, "<dt>", name, "</dt><dd>", value, "</dd>\n");
  };
  fact("Invariant", Code(finding.invariant));
  fact("Driver", Escape(finding.driver));
  fact("Needs", finding.assumes == "honest"
                    ? "no fault"
                    : Escape(absl::StrCat("a fault: ", finding.assumes)));
  fact("Expected", Code(finding.expected));
  fact("Found", Code(finding.found));
  fact("Size",
       absl::StrCat(Operations(finding),
                    finding.switches == 0 ? ""
                                          : absl::StrCat(", ", finding.switches,
                                                         " turns of threads")));
  fact("First seen", absl::StrCat("night ", finding.first_night));
  fact("Last seen", absl::StrCat("night ", finding.last_seen));
  fact("Now", finding.instead.empty() ? "" : Code(finding.instead));
  fact("Understood", Escape(finding.reason));
  absl::StrAppend(&html, "</dl>\n<h2>Scenario</h2>\n<pre tabindex=\"0\">",
                  Escape(finding.scenario),
                  "</pre>\n<h2>To see it again</h2>\n<pre tabindex=\"0\">",
                  Escape(finding.replay), "</pre>\n<h2>Timeline</h2>\n",
                  OtherForms(finding), TimelineHtml(finding.rows),
                  "<h2>On other drivers</h2>\n", ElsewhereHtml(finding));
  return Document(absl::StrCat(finding.signature, " on ", finding.driver),
                  html);
}

}  // namespace atsfuzz::report
