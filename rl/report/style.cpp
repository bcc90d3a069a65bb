// The style sheet of report.html. Series colours are Okabe and Ito's (2008), which people with any
// kind of colour blindness tell apart, made lighter for dark pages.
#include "rl/report/report.h"

namespace rlhf {

const std::string_view report_style = R"css(
:root {
  --page: #fbfaf8; --card: #ffffff; --ink: #1d1f24; --soft: #5d636e; --faint: #8b919c;
  --line: #e6e3dd; --grid: #eeebe6; --tint: #f1f6fa; --edge: #0072b2;
  --series-0: #0072b2; --series-1: #d55e00; --series-2: #009e73;
  --series-3: #b8578f; --series-4: #b98300; --series-5: #3f9fd8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131519; --card: #1a1d23; --ink: #e8e9ec; --soft: #a5abb6; --faint: #7b828e;
    --line: #2b2f37; --grid: #252931; --tint: #1c2733; --edge: #4ea8de;
    --series-0: #56b0ea; --series-1: #f0803c; --series-2: #2fc497;
    --series-3: #df8fbd; --series-4: #e6b13c; --series-5: #8fcdf2;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans",
    "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1180px; margin: 0 auto; padding: clamp(28px, 6vw, 72px) clamp(16px, 4vw, 40px); }
p { margin: 0; }
.maker { color: var(--edge); font-size: 14px; font-weight: 600; letter-spacing: .02em; }
h1 {
  margin: 6px 0 14px; font-size: clamp(27px, 4.4vw, 40px); line-height: 1.15; font-weight: 680;
  letter-spacing: -.02em; text-wrap: balance; overflow-wrap: anywhere;
}
h2 { margin: 0 0 10px; font-size: 23px; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; }
.lead { max-width: 68ch; font-size: 18px; color: var(--soft); white-space: pre-line; }
.prose { max-width: 68ch; margin: 0 0 12px; color: var(--soft); white-space: pre-line; }
section { margin-top: 56px; scroll-margin-top: 24px; }

.tiles { display: flex; flex-wrap: wrap; gap: 1px; margin: 36px 0 0; overflow: hidden;
  border: 1px solid var(--line); border-radius: 12px; background: var(--line); }
.tiles div { flex: 1 1 142px; padding: 18px 20px; background: var(--card); }
.tiles dt { font-size: 13px; color: var(--soft); }
.tiles dd { margin: 2px 0 0; font-size: 28px; line-height: 1.25; font-weight: 640;
  letter-spacing: -.015em; overflow-wrap: anywhere; }
.tiles small { display: block; margin-top: 2px; font-size: 13px; font-weight: 400;
  letter-spacing: 0; color: var(--faint); }

nav { display: flex; flex-wrap: wrap; gap: 6px 22px; margin-top: 28px; font-size: 15px; }
nav a { color: var(--edge); text-decoration: none; }
nav a:hover { text-decoration: underline; text-underline-offset: 3px; }

.charts { display: grid; gap: 20px; margin-top: 22px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); }
.chart { margin: 0; padding: 20px 22px 18px; min-width: 0; background: var(--card);
  border: 1px solid var(--line); border-radius: 12px; }
figcaption { display: flex; flex-wrap: wrap; gap: 0 10px; align-items: baseline;
  font-size: 15px; font-weight: 620; }
figcaption small { font-size: 13px; font-weight: 400; color: var(--faint); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 6px 0 0; padding: 0;
  list-style: none; font-size: 13px; color: var(--soft); }
.legend b { font-weight: 600; color: var(--ink); }
.legend li { overflow-wrap: anywhere; }
.legend em { color: var(--series-1); font-style: normal; }
.key { display: inline-block; width: 14px; height: 3px; margin-right: 7px; border-radius: 2px;
  vertical-align: 4px; background: var(--series); }
.plot { padding: 18px 8px 44px 0; }
.plot svg { display: block; overflow: visible; }
.grid { stroke: var(--grid); }
.axis { stroke: var(--line); }
.tick, .axis-name { font-size: 12px; fill: var(--faint); }
.reference { stroke: var(--soft); stroke-dasharray: 4 4; }
.reference-name { font-size: 12px; fill: var(--soft); paint-order: stroke; stroke: var(--card);
  stroke-width: 4px; }
.curve { fill: none; stroke: var(--series); stroke-width: 2; stroke-linejoin: round;
  stroke-linecap: round; vector-effect: non-scaling-stroke; }
.dot { stroke-width: 7; }
.faint { stroke-width: 1; opacity: .28; }
.s0 { --series: var(--series-0); } .s1 { --series: var(--series-1); }
.s2 { --series: var(--series-2); } .s3 { --series: var(--series-3); }
.s4 { --series: var(--series-4); } .s5 { --series: var(--series-5); }
.curve.d1 { stroke-dasharray: 8 5; } .curve.d2 { stroke-dasharray: 1 5; }
.curve.d3 { stroke-dasharray: 10 4 1 4; } .curve.faint { stroke-dasharray: none; }
.key.d1 { background: linear-gradient(90deg, var(--series) 40%, transparent 40% 60%,
  var(--series) 60%); }
.key.d2 { background: repeating-linear-gradient(90deg, var(--series) 0 3px, transparent 3px 6px); }
.key.d3 { background: linear-gradient(90deg, var(--series) 55%, transparent 55% 80%,
  var(--series) 80%); }
.hover rect { fill: transparent; }
.hover line { stroke: var(--faint); stroke-width: 1; }
.hover circle { fill: var(--series); stroke: var(--card); stroke-width: 1.5; }
.hover line, .hover circle { visibility: hidden; pointer-events: none; }
.hover:hover line, .hover:hover circle { visibility: visible; }
.empty { padding: 40px 0; text-align: center; color: var(--faint); font-size: 14px; }

.table { margin-top: 22px; overflow-x: auto; border: 1px solid var(--line); border-radius: 12px;
  background: var(--card); }
table { width: 100%; border-collapse: collapse; font-size: 14.5px; }
caption { padding: 14px 18px 4px; text-align: left; font-weight: 620; font-size: 15px; }
th, td { padding: 9px 18px; text-align: left; vertical-align: top; }
th { font-weight: 500; font-size: 13px; color: var(--soft); white-space: nowrap; }
td { border-top: 1px solid var(--line); }
.figure { text-align: right; white-space: nowrap; }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--card);
  min-width: min(15ch, 40vw); }
.map table { table-layout: fixed; }
.map th, .map td { text-align: center; padding: 9px 4px; }
.map th:first-child, .map td:first-child { position: static; min-width: 0; }
@media (max-width: 600px) {
  th, td { padding: 8px 12px; }
  caption { padding-left: 12px; }
}

.sample { margin-top: 20px; border: 1px solid var(--line); border-radius: 12px; overflow: hidden;
  background: var(--line); }
.prompt, .completion { padding: 14px 20px 16px; background: var(--card); min-width: 0; }
.completions { display: grid; gap: 1px; margin-top: 1px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); }
.completion:last-child { background: var(--tint); }
.sample p { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate;
  font-size: 15px; line-height: 1.55; }
.prompt p { color: var(--soft); }
.mark { display: flex; justify-content: space-between; gap: 12px; margin-bottom: 4px;
  font-size: 13px; color: var(--faint); }
.mark b { font-weight: 600; color: var(--ink); }
.sample em { color: var(--faint); }

details { border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
summary { padding: 14px 20px; cursor: pointer; font-weight: 620; font-size: 15px; }
.flags { display: grid; grid-template-columns: minmax(0, max-content) minmax(0, 1fr); gap: 5px 24px;
  margin: 0; padding: 4px 20px 20px; font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas,
  "DejaVu Sans Mono", monospace; }
.flags dt { color: var(--soft); }
.flags dd { margin: 0; }
.flags dt, .flags dd { overflow-wrap: anywhere; }
footer { display: flex; flex-wrap: wrap; gap: 4px 24px; margin-top: 56px; padding-top: 18px;
  border-top: 1px solid var(--line); font-size: 13px; color: var(--faint); }
footer b { font-weight: 500; color: var(--soft); }
:focus-visible { outline: 2px solid var(--edge); outline-offset: 2px; border-radius: 4px; }
@media print {
  .chart, .sample, .table { break-inside: avoid; }
  section { margin-top: 32px; }
}
)css";

}  // namespace rlhf
