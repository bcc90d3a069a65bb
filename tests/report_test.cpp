// report.html: hostile text stays text, curves keep their shape, axes are round, the page is whole
// and asks nothing of the network.
#include "rl/report/report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "rl/report/curve.h"
#include "rl/report/html.h"
#include "rl/report/number.h"
#include "rl/report/ticks.h"

namespace rlhf {
namespace {

const double nan_value = std::nan("");

size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// The first tag that is closed out of order, or "" when all are balanced.
std::string first_unbalanced_tag(std::string_view page) {
  std::vector<std::string> open;
  for (size_t at = page.find('<'); at != page.npos; at = page.find('<', at + 1)) {
    const std::string tag(page.substr(at + 1, page.find('>', at) - at - 1));
    const bool closing = tag.starts_with('/');
    const std::string name = tag.substr(closing, tag.find_first_of(" /", 1) - closing);
    if (tag.starts_with('!') || tag.ends_with('/') || name == "meta") continue;
    if (!closing) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return tag;
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

Chart noisy_chart() {
  Chart chart{.title = "Loss", .series = {{"train"}, {"held out"}}};
  std::mt19937 random(7);
  std::normal_distribution<double> noise;
  for (int i = 0; i < 5000; ++i) {
    chart.series[0].x.push_back(i);
    chart.series[0].y.push_back(2 + 5 * std::exp(-i / 500.0) + 0.1 * noise(random));
  }
  chart.series[1] = {"held out", {0, 2500, 4999}, {7, 2.1, nan_value}};
  chart.reference_lines = {{"target", 2.5}};
  return chart;
}

const std::string hostile = "</p><script>alert('x')</script>\x1b[31m\"&\xff\xC0\xAF\u202Eexe.txt";

Report hostile_report() {
  Report report{hostile, hostile, {{hostile, hostile, hostile}}};
  Chart chart = noisy_chart();
  chart.title = chart.x_label = chart.y_label = chart.series[0].name = hostile;
  chart.reference_lines[0].name = hostile;
  report.sections = {{hostile,
                      {hostile},
                      {chart},
                      {{hostile, {hostile}, {{hostile}}}},
                      {{hostile, {{hostile, hostile, 0.5}, {"after", "", {}}}}}},
                     {"PPO", {}, {noisy_chart()}, {}, {}}};
  report.flags = {{hostile, hostile}};
  report.footing = {{hostile, hostile}};
  return report;
}

TEST(Html, EscapesMarkupControlsAndBrokenBytes) {
  EXPECT_EQ(html_escape("a < b & \"c\" > 'd'"), "a &#60; b &#38; &#34;c&#34; &#62; &#39;d&#39;");
  EXPECT_EQ(html_escape("naïve 日本 😀\n\tx"), "naïve 日本 😀\n\tx");
  EXPECT_EQ(html_escape("\x1b[2J"), "&lt;U+001B&gt;[2J");
  EXPECT_EQ(html_escape("\u202E\u0085"), "&lt;U+202E&gt;&lt;U+0085&gt;");
  EXPECT_EQ(html_escape("\xff\xC0\xAF"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(html_escape(std::string_view("\0", 1)), "&lt;U+0000&gt;");
}

TEST(Numbers, ReadAsPeopleWriteThem) {
  EXPECT_EQ(readable_number(0.123456), "0.1235");
  EXPECT_EQ(readable_number(12345.6), "12\u2009346");
  EXPECT_EQ(readable_number(-3e-5), "\u22123e-5");
  EXPECT_EQ(readable_number(1234567), "1\u2009234\u2009567");
  EXPECT_EQ(readable_number(6), "6");
  EXPECT_EQ(readable_number(2.5e12), "2.5e12");
  EXPECT_EQ(readable_number(nan_value), "\u2013");
}

TEST(Ticks, AreRoundAndInside) {
  std::vector<std::string> labels;
  for (const Tick& tick : linear_ticks(0.02, 1.03, 6)) labels.push_back(tick.label);
  EXPECT_EQ(labels, (std::vector<std::string>{"0.2", "0.4", "0.6", "0.8", "1.0"}));

  std::mt19937 random(3);
  std::uniform_real_distribution<double> exponent(-12, 12), place(-3, 3);
  for (int trial = 0; trial < 2000; ++trial) {
    const double span = std::pow(10, exponent(random)), low = place(random) * span;
    const auto ticks = linear_ticks(low, low + span, 6);
    ASSERT_GE(ticks.size(), 2u) << low << " " << span;
    ASSERT_LE(ticks.size(), 6u) << low << " " << span;
    const double step = ticks[1].value - ticks[0].value;
    const double mantissa = step / std::pow(10, std::floor(std::log10(step) + 1e-6));
    const bool is_round =
        std::min({std::abs(mantissa - 1), std::abs(mantissa - 2), std::abs(mantissa - 5)}) < 1e-4;
    EXPECT_TRUE(is_round) << step;
    std::set<std::string> distinct;
    for (const Tick& tick : ticks) {
      EXPECT_GE(tick.value, low - 1e-6 * span);
      EXPECT_LE(tick.value, low + span * (1 + 1e-6));
      distinct.insert(tick.label);
    }
    EXPECT_EQ(distinct.size(), ticks.size()) << ticks[0].label << " " << ticks[1].label;
  }
}

TEST(Ticks, EndWhereDoublesAreFurtherApartThanTheStep) {
  EXPECT_LE(linear_ticks(1e16, 1e16 + 2, 6).size(), 6u);
}

TEST(Ticks, OfALogarithmicAxisArePowersOfTen) {
  std::vector<std::string> labels;
  for (const Tick& tick : log_ticks(0.0005, 2000, 6)) labels.push_back(tick.label);
  EXPECT_EQ(labels, (std::vector<std::string>{"0.01", "1", "100"}));
}

TEST(Curve, ThinningKeepsEverySpikeInFewPoints) {
  std::vector<double> x(100000), y(100000, 1.0);
  for (size_t i = 0; i < x.size(); ++i) x[i] = double(i);
  y[777] = 50, y[54321] = -50, y[9] = nan_value;
  const auto points = thinned(x, y, 400);
  EXPECT_LE(points.size(), 400u);
  const auto has = [&](double at, double value) {
    return std::any_of(points.begin(), points.end(),
                       [&](Point p) { return p.x == at && p.y == value; });
  };
  EXPECT_TRUE(has(777, 50));
  EXPECT_TRUE(has(54321, -50));
  EXPECT_TRUE(
      std::is_sorted(points.begin(), points.end(), [](Point a, Point b) { return a.x < b.x; }));
}

TEST(Curve, TrendFindsALineUnderNoiseUpToItsEnds) {
  std::vector<double> x, y;
  std::mt19937 random(5);
  std::normal_distribution<double> noise;
  for (int i = 0; i < 8000; ++i) x.push_back(i), y.push_back(3 - i / 4000.0 + 0.2 * noise(random));
  const auto line = trend(x, y, 400);
  ASSERT_EQ(line.size(), 400u);
  for (const Point& p : line) EXPECT_NEAR(p.y, 3 - p.x / 4000, 0.06) << p.x;
}

TEST(Curve, SmoothAndShortSeriesAreDrawnAsTheyAre) {
  std::vector<double> x, y;
  for (int i = 0; i < 500; ++i) x.push_back(i), y.push_back(i < 50 ? i / 50.0 : 1);
  EXPECT_TRUE(trend(x, y, 400).empty());
  EXPECT_TRUE(trend(std::vector<double>{1, 2, 3}, std::vector<double>{5, 1, 5}, 400).empty());
}

TEST(Curve, ExponentialAverageIsTensorBoards) {
  const std::vector<double> x{1, 2, 3, 4, 5}, y{4, 0, 4, 0, 4};
  const auto smooth = exponential_average(x, y, 0.5, 400);
  ASSERT_EQ(smooth.size(), 5u);
  // sum over i of 0.5^(n-i) y_i / sum of 0.5^(n-i)
  const double expected[] = {4, 2 / 1.5, 5 / 1.75, 2.5 / 1.875, 5.25 / 1.9375};
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(smooth[i].y, expected[i], 1e-12) << i;
  EXPECT_TRUE(exponential_average(x, y, 0, 400).empty());
  EXPECT_TRUE(exponential_average(x, x, 0.5, 400).empty()) << "a line needs no smoothing";
}

TEST(Chart, ShowsRawAndSmoothCurveLegendAndReference) {
  const std::string svg = render_chart(noisy_chart());
  EXPECT_EQ(count_of(svg, "class=\"curve faint s0 d0\""), 1u);
  EXPECT_EQ(count_of(svg, "class=\"curve s0 d0\""), 1u);
  EXPECT_EQ(count_of(svg, "class=\"curve s1 d0\""), 1u);
  EXPECT_NE(svg.find("target 2.5"), svg.npos);
  EXPECT_NE(svg.find("<title>step "), svg.npos);
  EXPECT_NE(svg.find("held out: 2.1"), svg.npos);
  EXPECT_EQ(svg.find("nan"), svg.npos);
  EXPECT_EQ(svg.find("inf"), svg.npos);
}

TEST(Chart, ManySeriesDifferInColourOrDashes) {
  Chart chart{.title = "t"};
  for (int i = 0; i < 24; ++i) chart.series.push_back({std::to_string(i), {1, 2}, {1, double(i)}});
  chart.series[3].look = 30;
  const std::string svg = render_chart(chart);
  std::set<std::string> looks;
  for (int s = 0; s < 6; ++s) {
    for (int d = 0; d < 4; ++d) {
      const std::string look = "class=\"curve s" + std::to_string(s) + " d" + std::to_string(d);
      if (count_of(svg, look) == 1) looks.insert(look);
    }
  }
  EXPECT_EQ(looks.size(), 22u) << "the fourth looks like another one, as it was told to";
}

TEST(Chart, TellsOfValuesThatAreNotFinite) {
  const Chart chart{
      .title = "t",
      .series = {{"good", {1, 2}, {1, 2}}, {"bad", {1, 2, 3}, {1, nan_value, HUGE_VAL}}}};
  const std::string svg = render_chart(chart);
  EXPECT_EQ(count_of(svg, "not finite"), 1u);
  EXPECT_NE(svg.find("bad <b>1</b> <em>2 not finite</em>"), svg.npos);
}

TEST(Chart, HigherValuesStandHigher) {
  const std::string svg = render_chart({.title = "t", .series = {{"a", {0, 10}, {1, 3}}}});
  const size_t path = svg.find(" d=\"M") + 5;
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  ASSERT_EQ(std::sscanf(svg.c_str() + path, "%lf %lfL%lf %lf", &x0, &y0, &x1, &y1), 4);
  EXPECT_EQ(x0, 0);
  EXPECT_EQ(x1, 1000);
  EXPECT_GT(y0, y1);
  EXPECT_LE(y0, 220);
  EXPECT_GE(y1, 0);
}

TEST(Chart, SurvivesEmptyConstantAndUnplaceableSeries) {
  EXPECT_NE(render_chart({.title = "t"}).find("No values"), std::string::npos);
  EXPECT_NE(render_chart({.title = "t", .series = {{"a", {1}, {nan_value}}}}).find("No values"),
            std::string::npos);
  for (const double value : {0.0, 1.0, -2e9, 1e-30}) {
    const std::string svg = render_chart({.title = "t", .series = {{"a", {5, 6}, {value, value}}}});
    EXPECT_EQ(svg.find("nan"), svg.npos) << value;
    EXPECT_EQ(svg.find("inf"), svg.npos) << value;
  }
  const std::string log = render_chart({.title = "t",
                                        .series = {{"a", {1, 2, 3}, {0, -1, 10}}},
                                        .reference_lines = {{"zero", 0}},
                                        .log_y = true});
  EXPECT_EQ(log.find("nan"), log.npos);
  EXPECT_EQ(log.find("zero"), log.npos);
}

TEST(ReportPage, TakesHostileTextAsText) {
  const std::string page = render_report(hostile_report());
  EXPECT_EQ(page.find("<script"), page.npos);
  EXPECT_EQ(page.find("alert('"), page.npos);
  EXPECT_EQ(page.find('\x1b'), page.npos);
  EXPECT_EQ(page.find('\xff'), page.npos);
  EXPECT_EQ(page.find("\u202E"), page.npos);
  EXPECT_EQ(first_unbalanced_tag(page), "");
  EXPECT_GT(count_of(page, "&#60;script&#62;"), 15u);
}

TEST(ReportPage, IsSelfContained) {
  const std::string page = render_report(hostile_report());
  for (const char* outside : {"http:", "https:", "src=", "url(", "@import", "<link", "<iframe"}) {
    EXPECT_EQ(page.find(outside), page.npos) << outside;
  }
  EXPECT_NE(page.find("default-src 'none'"), page.npos);
  EXPECT_NE(page.find("prefers-color-scheme: dark"), page.npos);
  EXPECT_LT(page.size(), 300000u);
}

TEST(ReportPage, ShowsEveryPartInOrder) {
  Report report{"Run", "What it was.", {{"Reward", "0.82", "before 0.31"}}};
  report.sections = {
      {"SFT", {"Text."}, {}, {{"T", {"kind", "pairs"}, {{"all", "12"}}}}, {}},
      {"PPO", {}, {}, {}, {{"Say hi.", {{"before", "no", -1}, {"after", "hi", 2}}}}}};
  report.flags = {{"seed", "42"}};
  report.footing = {{"version", "1"}};
  const std::string page = render_report(report);
  size_t at = 0;
  for (const char* part :
       {"<title>Run", "<h1>Run", "What it was.", "0.82", "before 0.31", "href=\"#part-1\">PPO",
        "<h2>SFT", "Text.", "class=\"figure\">12", "<h2>PPO", "Say hi.", "before<b>\u22121</b>",
        "after<b>2</b>", "hi</p>", "Flags of this run (1)", "seed", "version"}) {
    const size_t found = page.find(part, at);
    ASSERT_NE(found, page.npos) << part;
    at = found;
  }
}

}  // namespace
}  // namespace rlhf
