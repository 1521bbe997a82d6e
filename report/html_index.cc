#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "report/html.h"
#include "report/html_page.h"
#include "report/printable.h"

// The index: findings by state, trends, and drivers side by side.
namespace atsfuzz::report {
namespace {

struct Point {
  int64_t night;
  double value;
};

std::string Number(double value) {
  if (value >= 1e6) return absl::StrFormat("%.1f M", value / 1e6);
  if (value >= 1e3) return absl::StrFormat("%.0f k", value / 1e3);
  return absl::StrFormat("%.0f", value);
}

// Lines over nights, each with its name at its end. From 0 to `most`.
std::string TrendSvg(const std::map<std::string, std::vector<Point>>& lines,
                     double most, const std::string& title,
                     const std::string& label) {
  constexpr int kWidth = 640, kHeight = 170, kLeft = 50, kRight = 130,
                kTop = 10, kBottom = 25;
  constexpr size_t kNameBytes = 20;  // as many as fit on the right
  int64_t first = INT64_MAX, last = 0;
  for (const auto& [name, points] : lines) {
    for (const Point& point : points) {
      first = std::min(first, point.night);
      last = std::max(last, point.night);
    }
  }
  if (last == 0 || most <= 0) return "";
  const auto x = [&](int64_t night) {
    const double span = std::max<double>(1, static_cast<double>(last - first));
    return kLeft + static_cast<double>(night - first) / span *
                       (kWidth - kLeft - kRight);
  };
  const auto y = [&](double value) {
    return kTop + (1 - value / most) * (kHeight - kTop - kBottom);
  };
  std::string svg = absl::StrFormat(
      "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
      "aria-label=\"%s\">\n<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" "
      "stroke=\"var(--line)\"/>\n<text x=\"0\" y=\"%.1f\">0</text>\n"
      "<text x=\"0\" y=\"%d\">%s</text>\n"
      "<text x=\"%.1f\" y=\"%d\">night %d</text>\n",
      kWidth, kHeight, kWidth, kHeight, Escape(label), kLeft, y(0),
      kWidth - kRight, y(0), y(0) + 4, kTop + 8, Number(most), x(first),
      kHeight - 5, first);
  if (last != first) {
    absl::StrAppendFormat(
        &svg, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"end\">%d</text>\n",
        x(last), kHeight - 5, last);
  }
  int colour = 0;
  double below = -100;
  for (const auto& [name, points] : lines) {
    std::string path;
    for (const Point& point : points) {
      absl::StrAppendFormat(&path, "%s%.1f,%.1f", path.empty() ? "" : " ",
                            x(point.night), y(point.value));
    }
    absl::StrAppendFormat(
        &svg,
        "<polyline points=\"%s\" fill=\"none\" stroke=\"var(--t%d)\" "
        "stroke-width=\"2\"/>\n<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" "
        "fill=\"var(--t%d)\"/>\n",
        path, colour % 4, x(points.back().night), y(points.back().value),
        colour % 4);
    // Names must not cover each other.
    below = std::max(below + 13, y(points.back().value) + 4);
    absl::StrAppendFormat(&svg, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n",
                          x(points.back().night) + 8, below,
                          Escape(Shortened(name, kNameBytes)));
    ++colour;
  }
  return absl::StrCat(
      "<div class=\"wide\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"",
      Escape(title), "\">\n", svg, "</svg>\n</div>\n");
}

std::string TrendsHtml(const std::vector<NightView>& nights) {
  std::map<std::string, std::vector<Point>> operations, coverage;
  double most = 0;
  for (const NightView& night : nights) {
    const auto count = static_cast<double>(night.operations);
    most = std::max(most, count);
    operations["operations"].push_back({night.number, count});
    for (const NightView::Coverage& each : night.coverage) {
      coverage[each.driver].push_back({night.number, each.percent});
    }
  }
  std::string html = "<h2>Operations by night</h2>\n";
  html += TrendSvg(operations, most, "Chart of operations",
                   "Operations by night; the numbers stand in the table below");
  html += "<h2>Branches that the corpora cover, in percent</h2>\n";
  html += TrendSvg(coverage, 100, "Chart of coverage",
                   "Coverage by night and driver, in percent; the numbers "
                   "stand in the table below");
  html +=
      "<details><summary>The numbers</summary>\n<div class=\"wide\" "
      "tabindex=\"0\" role=\"region\" aria-label=\"Nights\"><table>\n"
      "<thead><tr><th scope=\"col\">night</th><th scope=\"col\">began "
      "(UTC)</th><th scope=\"col\">end</th><th scope=\"col\">runs</th><th "
      "scope=\"col\">operations</th><th scope=\"col\">coverage</th></tr>"
      "</thead>\n<tbody>\n";
  for (auto night = nights.rbegin(); night != nights.rend(); ++night) {
    std::string covered;
    for (const NightView::Coverage& each : night->coverage) {
      absl::StrAppendFormat(&covered, "%s%s %.0f %%",
                            covered.empty() ? "" : ", ", each.driver,
                            each.percent);
    }
    absl::StrAppend(&html, "<tr><td>", night->number, "</td><td>",
                    Escape(night->began), "</td><td>", Escape(night->end),
                    "</td><td>", night->runs, "</td><td>", night->operations,
                    "</td><td>", Escape(covered), "</td></tr>\n");
  }
  return html + "</tbody>\n</table></div></details>\n";
}

std::string FindingsHtml(const std::vector<FindingView>& findings) {
  if (findings.empty()) return "<p>There are no findings.</p>\n";
  std::string html =
      "<div class=\"wide cards\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"Findings\"><table>\n<thead><tr><th scope=\"col\">state"
      "</th><th scope=\"col\">finding</th><th scope=\"col\">driver</th><th "
      "scope=\"col\">needs</th><th scope=\"col\">operations</th><th "
      "scope=\"col\">first seen</th></tr></thead>\n<tbody>\n";
  for (const FindingView& finding : findings) {
    absl::StrAppend(
        &html, "<tr><td>", StateBadge(finding.state), "</td><td><a href=\"",
        Escape(finding.page), "\">", Escape(finding.signature),
        "</a><span class=\"src\">", Escape(finding.message),
        finding.reason.empty()
            ? ""
            : absl::StrCat(" Understood: ", Escape(finding.reason), "."),
        "</span></td><td>", Escape(finding.driver),
        "</td><td data-what=\"needs\">",
        finding.assumes == "honest" ? "no fault" : Escape(finding.assumes),
        "</td><td data-what=\"operations\">", finding.operations,
        "</td><td data-what=\"first seen\">night ", finding.first_night,
        "</td></tr>\n");
  }
  return html + "</tbody>\n</table></div>\n";
}

// By invariant, how many open findings each driver has.
std::string DriversHtml(const std::vector<FindingView>& findings) {
  std::set<std::string> drivers;
  std::map<std::string, std::map<std::string, int>> counts;
  for (const FindingView& finding : findings) {
    drivers.insert(finding.driver);
    const bool open = finding.state != "fixed" && finding.state != "changed";
    counts[finding.invariant][finding.driver] += open;
  }
  if (drivers.empty()) return "";
  std::string html =
      "<h2>Drivers side by side</h2>\n<p>Open findings by invariant.</p>\n<div "
      "class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Open "
      "findings "
      "by invariant and driver\"><table>\n<thead><tr><th "
      "scope=\"col\">invariant</th>";
  for (const std::string& driver : drivers) {
    absl::StrAppend(&html, "<th scope=\"col\">", Escape(driver), "</th>");
  }
  html += "</tr></thead>\n<tbody>\n";
  for (auto& [invariant, by_driver] : counts) {
    absl::StrAppend(&html, "<tr><th scope=\"row\">", Escape(invariant),
                    "</th>");
    for (const std::string& driver : drivers) {
      const int count = by_driver[driver];
      absl::StrAppend(&html, "<td>",
                      count == 0 ? "&ndash;" : absl::StrCat(count), "</td>");
    }
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table></div>\n";
}

}  // namespace

std::string IndexPage(const IndexView& view) {
  std::map<std::string, int> states;
  for (const FindingView& finding : view.findings) ++states[finding.state];
  std::string html = "<h1>atsfuzz: findings</h1>\n";
  if (!view.nights.empty()) {
    const NightView& last = view.nights.back();
    absl::StrAppend(&html, "<p>Night ", last.number, ", ", Escape(last.began),
                    " UTC, ", Escape(last.end), ": ",
                    Number(static_cast<double>(last.runs)), " runs, ",
                    Number(static_cast<double>(last.operations)),
                    " operations.");
    for (const auto& [state, count] : states) {
      absl::StrAppend(&html, " ", StateBadge(state), " ", count);
    }
    html += "</p>\n";
  }
  absl::StrAppend(&html, "<h2>Findings</h2>\n", FindingsHtml(view.findings),
                  DriversHtml(view.findings), TrendsHtml(view.nights),
                  "<h2>For programs</h2>\n<p><a href=\"findings.sarif\">All "
                  "findings in SARIF 2.1.0</a></p>\n");
  return Document("atsfuzz: findings", html);
}

}  // namespace atsfuzz::report
