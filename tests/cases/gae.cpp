// Advantages against the explicit sum of discounted errors (Schulman et al. 2016, equation 16),
// which shares no recursion with the kernel.
#include "kernels/gae.h"

#include <cmath>

#include "tests/case.h"

namespace rlhf {
namespace {

struct GaeCase {
  struct Shape {
    std::string label;
    int64_t B, T;
    float gamma, lambda;
    bool bootstrap = false;
    int64_t episode = 0;  ///< about so many steps between ends within a row; 0: none
  };
  static constexpr const char* name = "gae";
  static std::vector<Shape> shapes() {
    return {{"one_step", 2, 1, 1, 0.95f},
            {"language", 5, 24, 1, 0.95f},
            {"control", 8, 40, 0.99f, 0.9f, true},
            {"one_step_errors", 3, 10, 0.9f, 0},
            {"episodes", 6, 100, 0.99f, 0.95f, true, 7},
            {"episodes_of_one_step", 3, 70, 0.9f, 0.9f, true, 1},
            {"parallel", 400, 50, 0.98f, 0.95f, true}};
  }
  static std::vector<Shape> bench_shapes() { return {{"512x53", 512, 53, 1, 0.95f}}; }

  template <class T>
  static Gae<T> forward(Buffers& b, const Shape& s) {
    std::vector<int32_t> length;
    for (int64_t row = 0; row < s.B; row++) length.push_back(int32_t(s.T - row % (s.T + 1)));
    Gae<T> c{};
    c.advantages = b.output<T>(s.B * s.T);
    c.returns = b.output<T>(s.B * s.T);
    c.rewards = b.normal<T>(s.B * s.T);
    c.values = b.normal<T>(s.B * s.T);
    c.bootstrap = s.bootstrap ? b.normal<T>(s.B) : nullptr;
    c.length = b.hold(length);
    if (s.episode > 0) {
      std::vector<int32_t> ends;
      for (int64_t i = 0; i < s.B * s.T; i++) ends.push_back(i * 5 % (s.episode + i % 3) == 0);
      c.ends = b.hold(ends);
    }
    c.B = s.B;
    c.T_max = s.T;
    c.gamma = s.gamma;
    c.lambda = s.lambda;
    return c;
  }

  static void reference(const Gae<double>& c) {
    for (int64_t b = 0; b < c.B; b++) {
      const double* reward = c.rewards + b * c.T_max;
      const double* value = c.values + b * c.T_max;
      const int64_t length = c.length[b];
      for (int64_t t = 0; t < c.T_max; t++) {
        double sum = 0;
        bool ended = false;
        for (int64_t l = 0; t + l < length && !ended; l++) {
          ended = c.ends && c.ends[b * c.T_max + t + l];
          const double last = c.bootstrap ? c.bootstrap[b] : 0;
          const double next = ended ? 0 : t + l + 1 < length ? value[t + l + 1] : last;
          const double delta = reward[t + l] + double(c.gamma) * next - value[t + l];
          sum += std::pow(double(c.gamma) * double(c.lambda), double(l)) * delta;
        }
        c.advantages[b * c.T_max + t] = sum;
        c.returns[b * c.T_max + t] = t < length ? sum + value[t] : 0;
      }
    }
  }
};
const Register<GaeCase> registered;

}  // namespace
}  // namespace rlhf
