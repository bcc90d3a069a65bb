// Line charts as inline SVG that need no script: text keeps its size at any width, only the curves
// stretch, and a pointer over the plot shows the values there.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace rlhf {

/// One curve. x and y have the same length; NaN in either leaves the point out.
struct Series {
  std::string name;
  std::vector<double> x = {}, y = {};
  /// Colour and dashes: the place in the chart unless given, so that a run looks the same in every
  /// chart. Six colours, solid first, then three kinds of dashes.
  std::optional<size_t> look = std::nullopt;
};

/// A dashed horizontal line to compare with, e.g. {"target", 6.0}.
struct ReferenceLine {
  std::string name;
  double y;
};

struct Chart {
  std::string title;
  std::string x_label = "step";
  std::string y_label = {};
  std::vector<Series> series = {};
  std::vector<ReferenceLine> reference_lines = {};
  bool log_y = false;  ///< points with y <= 0 are left out
  /// Weight of an exponential average over the raw curve, 0 for none; unless given, curves that are
  /// noisy get a trend.
  std::optional<double> smoothing = std::nullopt;
};

/// The chart as a <figure>: title, legend with each series' last value, plot. Colours come from the
/// page's style sheet (rl/report/style.cpp), so that light and dark are the reader's choice.
std::string render_chart(const Chart& chart);

}  // namespace rlhf
