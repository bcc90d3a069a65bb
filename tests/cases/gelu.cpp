// GELU against the formula of the paper, with the standard library's tanh.
#include <cmath>

#include "kernels/gelu.h"
#include "tests/case.h"

namespace rlhf {
namespace {

struct GeluCase {
  struct Shape {
    std::string label;
    int64_t count;
  };
  static constexpr const char* name = "gelu";
  static std::vector<Shape> shapes() { return {{"one", 1}, {"odd", 1003}, {"parallel", 70000}}; }
  static std::vector<Shape> bench_shapes() {
    return {{"768x512", 768 * 512}, {"1024x3072", 1024 * 3072}};
  }
  static std::vector<Shape> gpu_bench_shapes() { return {{"32768x3072", 32768 * 3072}}; }

  template <class T>
  static GeluForward<T> forward(Buffers& b, const Shape& s) {
    return {.out = b.output<T>(s.count), .in = b.normal<T>(s.count, 3), .count = s.count};
  }

  static void reference(const GeluForward<double>& c) {
    for (int64_t i = 0; i < c.count; i++) {
      const double x = c.in[i];
      c.out[i] = x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    }
  }

  template <class T>
  static GeluBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_in = b.gradient<T>(s.count),
            .d_out = b.normal<T>(s.count),
            .in = b.normal<T>(s.count, 3),
            .count = s.count};
  }

  static constexpr Tolerance tolerance = {.f32 = 1e-6, .bf16 = 4e-3};
};
const Register<GeluCase> registered;

}  // namespace
}  // namespace rlhf
