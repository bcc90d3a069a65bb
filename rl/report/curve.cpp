#include "rl/report/curve.h"

#include <algorithm>
#include <cmath>

namespace rlhf {
namespace {

std::vector<Point> finite_points(std::span<const double> x, std::span<const double> y) {
  std::vector<Point> points;
  for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (std::isfinite(x[i]) && std::isfinite(y[i])) points.push_back({x[i], y[i]});
  }
  std::stable_sort(points.begin(), points.end(), [](Point a, Point b) { return a.x < b.x; });
  return points;
}

/// Calls f with up to `count` consecutive spans of nearly equal length.
void for_each_bucket(std::span<const Point> points, size_t count, auto&& f) {
  count = std::min(count, points.size());
  for (size_t i = 0; i < count; ++i) {
    const size_t begin = i * points.size() / count, end = (i + 1) * points.size() / count;
    f(points.subspan(begin, end - begin));
  }
}

Point mean(std::span<const Point> points) {
  Point sum{0, 0};
  for (const Point& p : points) sum = {sum.x + p.x, sum.y + p.y};
  return {sum.x / double(points.size()), sum.y / double(points.size())};
}

/// Noise turns around at two points of three, a smooth curve (a learning rate) hardly ever.
bool is_noisy(std::span<const Point> points) {
  size_t turns = 0;
  for (size_t i = 1; i + 1 < points.size(); ++i) {
    turns += (points[i].y - points[i - 1].y) * (points[i + 1].y - points[i].y) < 0;
  }
  return 5 * turns > points.size();
}

/// Of each bucket the lowest and the highest point.
std::vector<Point> extremes(const std::vector<Point>& points, int most) {
  if (points.size() <= size_t(most)) return points;
  std::vector<Point> kept;
  for_each_bucket(points, size_t(most) / 2, [&](std::span<const Point> bucket) {
    auto [low, high] = std::minmax_element(bucket.begin(), bucket.end(),
                                           [](Point a, Point b) { return a.y < b.y; });
    if (low > high) std::swap(low, high);
    kept.push_back(*low);
    if (low != high) kept.push_back(*high);
  });
  return kept;
}

}  // namespace

std::vector<Point> thinned(std::span<const double> x, std::span<const double> y, int most) {
  return extremes(finite_points(x, y), most);
}

std::vector<Point> exponential_average(std::span<const double> x, std::span<const double> y,
                                       double weight, int most) {
  std::vector<Point> points = finite_points(x, y);
  if (weight == 0 || !is_noisy(points)) return {};
  double sum = 0, share = 0;  // a point's share of the average, as if there had been zeros before
  for (Point& p : points) {
    sum = weight * sum + (1 - weight) * p.y;
    share = weight * share + (1 - weight);
    p.y = sum / share;
  }
  return extremes(points, most);
}

std::vector<Point> trend(std::span<const double> x, std::span<const double> y, int most) {
  const std::vector<Point> points = finite_points(x, y);
  if (points.size() < 40 || !is_noisy(points)) return {};
  std::vector<Point> means;
  for_each_bucket(points, size_t(most), [&](auto bucket) { means.push_back(mean(bucket)); });
  // A weighted line through the neighbours rather than their mean: at the ends, where the window
  // has one side only, a mean would pull a slope inwards (local linear regression, Cleveland 1979).
  const double sigma = std::max(1.5, double(means.size()) / 40);
  const int reach = int(std::ceil(3 * sigma)), count = int(means.size());
  std::vector<Point> smooth = means;
  for (int i = 0; i < count; ++i) {
    double w = 0, wd = 0, wdd = 0, wy = 0, wdy = 0;
    for (int j = std::max(0, i - reach); j <= std::min(count - 1, i + reach); ++j) {
      const double d = j - i, weight = std::exp(-0.5 * d * d / (sigma * sigma));
      w += weight;
      wd += weight * d;
      wdd += weight * d * d;
      wy += weight * means[j].y;
      wdy += weight * d * means[j].y;
    }
    smooth[i].y = (wdd * wy - wd * wdy) / (w * wdd - wd * wd);
  }
  return smooth;
}

}  // namespace rlhf
