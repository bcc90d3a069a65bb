// A series of any length as a curve of few points: what a chart draws instead of a million steps.
#pragma once

#include <span>
#include <vector>

namespace rlhf {

struct Point {
  double x, y;
};

/// At most `most` points that show the same picture: each bucket of the x range gives its lowest
/// and highest point, so that no spike is lost. Non-finite points are left out.
std::vector<Point> thinned(std::span<const double> x, std::span<const double> y, int most);

/// The trend: means over at most `most` buckets, then a local linear fit with Gaussian weights. It
/// is centred, so that the curve does not lag behind the data as an exponential average does. Empty
/// for fewer than 40 points and for curves that are smooth already.
std::vector<Point> trend(std::span<const double> x, std::span<const double> y, int most);

/// TensorBoard's smoothing: an exponential average in which a point has `weight` times the say of
/// the next one, without its bias towards 0 at the start; at most `most` points. Empty for weight
/// 0. REQUIRES: 0 <= weight < 1.
std::vector<Point> exponential_average(std::span<const double> x, std::span<const double> y,
                                       double weight, int most);

}  // namespace rlhf
