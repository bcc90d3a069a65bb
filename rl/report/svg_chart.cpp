#include "rl/report/svg_chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "rl/report/curve.h"
#include "rl/report/html.h"
#include "rl/report/number.h"
#include "rl/report/ticks.h"

namespace rlhf {
namespace {

constexpr int plot_height = 220;    // px; the width is the reader's
constexpr int colour_count = 6;     // --series-0 ... of the style sheet
constexpr int dash_count = 4;       // solid, .d1 ... of the style sheet
constexpr double curve_box = 1000;  // user units that are stretched over the width

// Shared out among the curves of a chart, so that a page of many runs stays small.
int points_of_curve(size_t curves) { return int(std::clamp<size_t>(3200 / curves, 80, 400)); }
size_t places_to_hover(size_t curves) { return std::clamp<size_t>(640 / curves, 24, 80); }

/// From values to places: x to percent of the width, y to pixels from the top.
struct Axes {
  double x_low = 0, x_high = 1, y_low = 0, y_high = 1;
  bool log_y = false;

  bool can_place(double y) const { return std::isfinite(y) && (!log_y || y > 0); }
  double warp(double y) const { return log_y ? std::log10(y) : y; }
  double percent(double x) const { return 100 * (x - x_low) / (x_high - x_low); }
  double pixel(double y) const {
    return plot_height * (1 - (warp(y) - warp(y_low)) / (warp(y_high) - warp(y_low)));
  }
};

/// A series as it is drawn: every value can be placed on the axes.
struct Curve {
  std::vector<Point> raw, smooth;
  std::string css;            ///< classes of its colour and dashes
  std::ptrdiff_t broken = 0;  ///< values that are NaN or infinite: what a run that diverged has
};

std::string css_of(size_t look) {
  return fmt::format("s{} d{}", look % colour_count, look / colour_count % dash_count);
}

Curve curve_of(const Chart& chart, size_t place) {
  const Series& series = chart.series[place];
  const int most = points_of_curve(chart.series.size());
  std::vector<double> y = series.y;
  const auto broken = std::count_if(y.begin(), y.end(), [](double v) { return !std::isfinite(v); });
  if (chart.log_y)
    std::replace_if(
        y.begin(), y.end(), [](double v) { return !(v > 0); }, std::nan(""));
  return {thinned(series.x, y, most),
          chart.smoothing ? exponential_average(series.x, y, *chart.smoothing, most)
                          : trend(series.x, y, most),
          css_of(series.look.value_or(place)), broken};
}

Axes axes_of(const Chart& chart, const std::vector<Curve>& curves) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Axes axes{infinity, -infinity, infinity, -infinity, chart.log_y};
  for (const Curve& curve : curves) {
    for (const Point& p : curve.raw) {
      axes.x_low = std::min(axes.x_low, p.x), axes.x_high = std::max(axes.x_high, p.x);
      axes.y_low = std::min(axes.y_low, p.y), axes.y_high = std::max(axes.y_high, p.y);
    }
  }
  for (const ReferenceLine& line : chart.reference_lines) {
    if (!axes.can_place(line.y)) continue;
    axes.y_low = std::min(axes.y_low, line.y), axes.y_high = std::max(axes.y_high, line.y);
  }
  // Steps count from 1, axes read better from 0.
  if (axes.x_low > 0 && axes.x_low < 0.03 * axes.x_high) axes.x_low = 0;
  if (axes.x_low == axes.x_high) axes.x_low -= 1, axes.x_high += 1;
  if (chart.log_y) {
    const double margin = std::max(0.03 * std::log10(axes.y_high / axes.y_low), 0.02);
    axes.y_low *= std::pow(10, -margin), axes.y_high *= std::pow(10, margin);
  } else {
    const double range = axes.y_high - axes.y_low;
    const double margin = range > 0 ? 0.05 * range : std::max(0.05 * std::abs(axes.y_low), 1e-3);
    // Zero is a border that means something: a margin must not suggest values beyond it.
    const bool from_zero = axes.y_low >= 0 && axes.y_low < margin;
    axes.y_low = from_zero ? 0 : axes.y_low - margin;
    axes.y_high += margin;
  }
  return axes;
}

void append_path(std::string& out, const std::vector<Point>& points, const Axes& axes,
                 std::string_view css) {
  auto end = std::back_inserter(out);
  // A curve of one point has no length: closing it draws a round cap, which is made a dot.
  const bool dot = points.size() == 1;
  fmt::format_to(end, "<path class=\"{}{}\" d=\"", css, dot ? " dot" : "");
  char command = 'M';
  for (const Point& p : points) {
    fmt::format_to(end, "{}{:.1f} {:.1f}", command, axes.percent(p.x) * curve_box / 100,
                   axes.pixel(p.y));
    command = 'L';
  }
  out += dot ? "z\"/>" : "\"/>";
}

std::vector<Tick> y_ticks(const Axes& axes) {
  return axes.log_y ? log_ticks(axes.y_low, axes.y_high, 6)
                    : linear_ticks(axes.y_low, axes.y_high, 6);
}

/// Room for the widest label of the y axis, in pixels; 7 is a little more than a digit's width.
size_t label_room(const Axes& axes) {
  size_t widest = 0;
  for (const Tick& tick : y_ticks(axes)) widest = std::max(widest, tick.label.size());
  return 12 + 7 * std::max<size_t>(widest, 4);
}

void append_grid(std::string& out, const Axes& axes) {
  auto end = std::back_inserter(out);
  for (const Tick& tick : y_ticks(axes)) {
    const double y = axes.pixel(tick.value);
    fmt::format_to(end,
                   "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{0:.1f}\" y2=\"{0:.1f}\"/>"
                   "<text class=\"tick\" x=\"-8\" y=\"{1:.1f}\" text-anchor=\"end\">{2}</text>",
                   y, y + 4, html_escape(tick.label));
  }
  fmt::format_to(end, "<line class=\"axis\" x1=\"0\" x2=\"100%\" y1=\"{0}\" y2=\"{0}\"/>",
                 plot_height);
  for (const Tick& tick : linear_ticks(axes.x_low, axes.x_high, 6)) {
    fmt::format_to(
        end,
        "<line class=\"axis\" x1=\"{0:.2f}%\" x2=\"{0:.2f}%\" y1=\"{1}\" y2=\"{2}\"/>"
        "<text class=\"tick\" x=\"{0:.2f}%\" y=\"{3}\" text-anchor=\"middle\">{4}</text>",
        axes.percent(tick.value), plot_height, plot_height + 4, plot_height + 18,
        html_escape(tick.label));
  }
}

/// Drawn over the curves, with a rim in the card's colour: a noisy curve must not hide the name.
void append_reference_lines(std::string& out, const Chart& chart, const Axes& axes) {
  for (const ReferenceLine& line : chart.reference_lines) {
    if (!axes.can_place(line.y)) continue;
    const double y = axes.pixel(line.y);
    fmt::format_to(std::back_inserter(out),
                   "<line class=\"reference\" x1=\"0\" x2=\"100%\" y1=\"{0:.1f}\" y2=\"{0:.1f}\"/>"
                   "<text class=\"reference-name\" x=\"100%\" y=\"{1:.1f}\" text-anchor=\"end\">"
                   "{2} {3}</text>",
                   y, y < 18 ? y + 15 : y - 6, html_escape(line.name), readable_number(line.y));
  }
}

/// The value of a curve at the point nearest to x.
const Point& nearest(const std::vector<Point>& points, double x) {
  return *std::min_element(points.begin(), points.end(), [&](const Point& a, const Point& b) {
    return std::abs(a.x - x) < std::abs(b.x - x);
  });
}

/// Bands over the whole width; the one under the pointer shows a line, a dot on each curve and, as
/// the browser's tooltip, the values.
void append_hovers(std::string& out, const Chart& chart, const std::vector<Curve>& curves,
                   const Axes& axes) {
  const auto longest =
      std::max_element(curves.begin(), curves.end(),
                       [](const Curve& a, const Curve& b) { return a.raw.size() < b.raw.size(); });
  const std::vector<Point>& anchors = longest->raw;
  const size_t count = std::min(anchors.size(), places_to_hover(curves.size()));
  auto end = std::back_inserter(out);
  const auto place = [&](size_t i) {
    return anchors[count == 1 ? 0 : i * (anchors.size() - 1) / (count - 1)].x;
  };
  for (size_t i = 0; i < count; ++i) {
    const double x = axes.percent(place(i));
    const double left = i == 0 ? 0 : (axes.percent(place(i - 1)) + x) / 2;
    const double right = i + 1 == count ? 100 : (x + axes.percent(place(i + 1))) / 2;
    std::string title = fmt::format("{} {}", chart.x_label, readable_number(place(i))), dots;
    for (size_t s = 0; s < curves.size(); ++s) {
      if (curves[s].raw.empty()) continue;
      const Curve& curve = curves[s];
      const Point& p = nearest(curve.smooth.empty() ? curve.raw : curve.smooth, place(i));
      title += fmt::format("\n{}: {}", chart.series[s].name, readable_number(p.y));
      dots += fmt::format("<circle class=\"{}\" cx=\"{:.2f}%\" cy=\"{:.1f}\" r=\"3.5\"/>",
                          curve.css, axes.percent(p.x), axes.pixel(p.y));
    }
    fmt::format_to(end,
                   "<g class=\"hover\"><title>{0}</title>"
                   "<rect x=\"{1:.2f}%\" width=\"{2:.2f}%\" y=\"0\" height=\"{3}\"/>"
                   "<line x1=\"{4:.2f}%\" x2=\"{4:.2f}%\" y1=\"0\" y2=\"{3}\"/>{5}</g>",
                   html_escape(title), left, right - left, plot_height, x, dots);
  }
}

std::string legend(const Chart& chart, const std::vector<Curve>& curves) {
  std::string out = "<ul class=\"legend\">";
  for (size_t s = 0; s < curves.size(); ++s) {
    const Curve& curve = curves[s];
    const double last = curve.raw.empty()
                            ? std::nan("")
                            : (curve.smooth.empty() ? curve.raw : curve.smooth).back().y;
    out += fmt::format("<li><i class=\"key {}\"></i>{} <b>{}</b>", curve.css,
                       html_escape(chart.series[s].name), readable_number(last));
    if (curve.broken) out += fmt::format(" <em>{} not finite</em>", curve.broken);
    out += "</li>";
  }
  return out + "</ul>";
}

std::string plot(const Chart& chart, const std::vector<Curve>& curves) {
  const Axes axes = axes_of(chart, curves);
  std::string out = fmt::format(
      "<div class=\"plot\" style=\"padding-left:{}px\">"
      "<svg width=\"100%\" height=\"{}\" role=\"img\" aria-label=\"{}\">",
      label_room(axes), plot_height, html_escape(chart.title));
  append_grid(out, axes);
  out += fmt::format(
      "<svg width=\"100%\" height=\"{0}\" viewBox=\"0 0 {1} {0}\" preserveAspectRatio=\"none\">",
      plot_height, curve_box);
  for (size_t s = 0; s < curves.size(); ++s) {
    const bool smoothed = !curves[s].smooth.empty();
    append_path(out, curves[s].raw, axes,
                fmt::format("{} {}", smoothed ? "curve faint" : "curve", curves[s].css));
  }
  for (size_t s = 0; s < curves.size(); ++s) {
    if (curves[s].smooth.empty()) continue;
    append_path(out, curves[s].smooth, axes, "curve " + curves[s].css);
  }
  out += "</svg>";
  append_reference_lines(out, chart, axes);
  append_hovers(out, chart, curves, axes);
  out += fmt::format(
      "<text class=\"axis-name\" x=\"100%\" y=\"{}\" text-anchor=\"end\">{}</text></svg></div>",
      plot_height + 36, html_escape(chart.x_label));
  return out;
}

}  // namespace

std::string render_chart(const Chart& chart) {
  std::vector<Curve> curves;
  for (size_t s = 0; s < chart.series.size(); ++s) curves.push_back(curve_of(chart, s));
  const bool empty = std::all_of(curves.begin(), curves.end(),
                                 [](const Curve& curve) { return curve.raw.empty(); });
  const std::string unit =
      chart.y_label + (chart.log_y ? chart.y_label.empty() ? "log scale" : ", log scale" : "");
  return fmt::format(
      "<figure class=\"chart\"><figcaption>{}<small>{}</small></figcaption>{}{}</figure>\n",
      html_escape(chart.title), html_escape(unit), legend(chart, curves),
      empty ? "<p class=\"empty\">No values were recorded.</p>" : plot(chart, curves));
}

}  // namespace rlhf
