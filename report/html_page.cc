#include "report/html_page.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "report/html.h"
#include "report/printable.h"

namespace atsfuzz::report {
namespace {

// Colours have a contrast of 4.5 at least against what they stand on.
constexpr char kStyle[] = R"(
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;
--line:#d0d7de;--card:#f6f8fa;--link:#0550ae;--bad:#b3261e;--badbg:#ffebe9;
--good:#116329;--warn:#7d4e00;--warnbg:#fff3cd;--t0:#0550ae;--t1:#8250df;
--t2:#9a3412;--t3:#0f6b6b}
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9198a1;
--line:#3d444d;--card:#161b22;--link:#79b8ff;--bad:#ff8a80;--badbg:#3a1613;
--good:#7ee787;--warn:#e3b341;--warnbg:#332701;--t0:#79b8ff;--t1:#d2a8ff;
--t2:#ffa657;--t3:#76e3d6}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);
font:16px/1.5 system-ui,sans-serif}
main{max-width:76rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;line-height:1.25;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin-top:2rem}
a{color:var(--link)}
a:focus-visible,[tabindex]:focus-visible,summary:focus-visible{
outline:3px solid var(--link);outline-offset:2px}
code,pre{font:0.875em/1.45 ui-monospace,monospace}
pre{background:var(--card);border:1px solid var(--line);border-radius:6px;
padding:.75rem;overflow-x:auto}
.dim{color:var(--dim)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;
border-bottom:1px solid var(--line)}
thead th{background:var(--bg);border-bottom:2px solid var(--line);
white-space:nowrap}
.badge{display:inline-block;border:1px solid currentColor;border-radius:1rem;
padding:0 .6rem;font-size:.8125rem;white-space:nowrap}
.new,.regressed{color:var(--bad)}.changed{color:var(--warn)}
.fixed{color:var(--good)}.known,.not-seen{color:var(--dim)}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}
.facts dt{color:var(--dim)}.facts dd{margin:0;overflow-wrap:anywhere}
.timeline td{font-size:.875rem}
.timeline .n{color:var(--dim);text-align:right}
.timeline .op{font-weight:600}
.timeline .result{display:inline-block;max-width:100%;overflow-wrap:anywhere}
.timeline .switch td{border-top:2px dashed var(--warn)}
.timeline .bad td{background:var(--badbg)}
.timeline .bad strong{color:var(--bad)}
.src{display:block;color:var(--dim)}
.lane-t0{color:var(--t0)}.lane-t1{color:var(--t1)}
.lane-t2{color:var(--t2)}.lane-t3{color:var(--t3)}
svg{display:block}
svg text{fill:var(--dim);font:11px system-ui,sans-serif}
.skip{position:absolute;left:-999rem}.skip:focus{position:static}
@media(max-width:44rem){
.facts{grid-template-columns:1fr}.facts dd{margin-bottom:.5rem}
.cards thead{position:absolute;left:-999rem}
.cards table,.cards tbody,.cards tr,.cards td,.cards th{display:block;width:100%}
.cards tr{border-bottom:1px solid var(--line);padding:.4rem 0}
.cards td,.cards th[scope=row]{border:0;padding:.1rem 0}
.cards td:empty{display:none}
.cards td[data-lane]::before,.cards td[data-what]::before{color:var(--dim);
font-size:.8125rem;margin-right:.5rem}
.cards td[data-lane]::before{content:attr(data-lane)}
.cards td[data-what]::before{content:attr(data-what)}
.timeline .n{text-align:left}.timeline .n::before{content:"step "}}
)";

}  // namespace

std::string Escape(absl::string_view text) {
  return absl::StrReplaceAll(Lines(text), {{"&", "&amp;"},
                                           {"<", "&lt;"},
                                           {">", "&gt;"},
                                           {"\"", "&quot;"},
                                           {"'", "&#39;"}});
}

std::string Document(const std::string& title, const std::string& main) {
  return absl::StrCat(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<title>",
      Escape(title), "</title>\n<style>", kStyle,
      "</style>\n</head>\n<body>\n<main>\n", main,
      "</main>\n</body>\n</html>\n");
}

std::string StateBadge(const std::string& state) {
  return absl::StrCat("<span class=\"badge ",
                      absl::StrReplaceAll(state, {{" ", "-"}}), "\">",
                      Escape(state), "</span>");
}

}  // namespace atsfuzz::report
