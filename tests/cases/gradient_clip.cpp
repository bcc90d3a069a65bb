// Clipping by norm and by value against their definitions.
#include "kernels/gradient_clip.h"

#include <algorithm>
#include <cmath>

#include "tests/case.h"

namespace rlhf {
namespace {

struct GradientNormCase {
  struct Shape {
    std::string label;
    int64_t count;
    float max_norm;
    double size = 1;  ///< of a gradient's elements
  };
  static constexpr const char* name = "gradient_norm";
  static std::vector<Shape> shapes() {
    return {{"one", 1, 1},           {"unclipped", 100, 1e3f}, {"only_measured", 100, 0},
            {"block_edge", 8193, 1}, {"parallel", 200003, 1},  {"huge", 1000, 1, 1e25},
            {"zero", 50, 1, 0}};
  }
  static std::vector<Shape> bench_shapes() { return {{"16M", 16 << 20, 1}}; }
  static std::vector<Shape> gpu_bench_shapes() { return {{"128M", 128 << 20, 1}}; }

  template <class T>
  static GradientNorm<T> forward(Buffers& b, const Shape& s) {
    return {.norm = b.output<Accumulator<T>>(1),
            .scale = b.output<Accumulator<T>>(1),
            .gradient = b.normal<T>(s.count, s.size),
            .count = s.count,
            .max_norm = s.max_norm};
  }

  static void reference(const GradientNorm<double>& c) {
    double sum = 0;
    for (int64_t i = 0; i < c.count; i++) sum += c.gradient[i] * c.gradient[i];
    *c.norm = std::sqrt(sum);
    *c.scale = c.max_norm == 0 ? 1 : std::min(1.0, double(c.max_norm) / (*c.norm + 1e-6));
  }
};
const Register<GradientNormCase> registered_norm;

struct GradientClipValueCase {
  struct Shape {
    std::string label;
    int64_t count;
  };
  static constexpr const char* name = "gradient_clip_value";
  static std::vector<Shape> shapes() { return {{"one", 1}, {"odd", 999}, {"parallel", 100001}}; }
  static std::vector<Shape> bench_shapes() { return {{"16M", 16 << 20}}; }

  template <class T>
  static GradientClipValue<T> forward(Buffers& b, const Shape& s) {
    return {.gradient = b.normal<T>(s.count), .count = s.count, .limit = 0.75f};
  }

  static void reference(const GradientClipValue<double>& c) {
    for (int64_t i = 0; i < c.count; i++) {
      if (c.gradient[i] > 0.75) c.gradient[i] = 0.75;
      if (c.gradient[i] < -0.75) c.gradient[i] = -0.75;
    }
  }
};
const Register<GradientClipValueCase> registered_value;

}  // namespace
}  // namespace rlhf
