// Whitening against the definition with the moments E[x] and E[x^2] - E[x]^2.
#include "kernels/whiten.h"

#include <cmath>

#include "tests/case.h"

namespace rlhf {
namespace {

struct WhitenCase {
  struct Shape {
    std::string label;
    int64_t count;
    bool shift_mean;
    int64_t ignored_every;  ///< 0: none; 1: all
  };
  static constexpr const char* name = "whiten";
  static std::vector<Shape> shapes() {
    return {{"plain", 9, true, 0},     {"keeps_mean", 100, false, 0},
            {"masked", 1001, true, 3}, {"masked_keeps_mean", 50, false, 2},
            {"single", 1, true, 0},    {"nothing_counts", 20, false, 1},
            {"blocks", 30011, true, 7}};
  }
  static std::vector<Shape> bench_shapes() { return {{"512x53", 512 * 53, true, 3}}; }

  template <class T>
  static Whiten<T> forward(Buffers& b, const Shape& s) {
    std::vector<T> mask(size_t(s.count), T(1));
    for (int64_t i = 0; s.ignored_every > 0 && i < s.count; i += s.ignored_every) {
      mask[size_t(i)] = 0;
    }
    return {.out = b.output<T>(s.count),
            .in = b.normal<T>(s.count, 2, 1),
            .mask = b.hold(mask),
            .count = s.count,
            .shift_mean = s.shift_mean};
  }

  static void reference(const Whiten<double>& c) {
    double n = 0, mean = 0, square = 0;
    for (int64_t i = 0; i < c.count; i++) n += c.mask[i] != 0;
    for (int64_t i = 0; i < c.count; i++) {
      if (c.mask[i] == 0) continue;
      mean += c.in[i] / n;
      square += c.in[i] * c.in[i] / n;
    }
    const double deviation = std::sqrt(square - mean * mean + 1e-8);
    for (int64_t i = 0; i < c.count; i++) {
      c.out[i] = (c.in[i] - mean) / deviation + (c.shift_mean ? 0 : mean);
      if (c.mask[i] == 0) c.out[i] = 0;
    }
  }
  static constexpr Tolerance tolerance = {.f64 = 1e-11};
};
const Register<WhitenCase> registered;

}  // namespace
}  // namespace rlhf
