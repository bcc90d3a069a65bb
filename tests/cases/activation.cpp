// Activations against the standard library.
#include "kernels/activation.h"

#include <cmath>

#include "tests/case.h"

namespace rlhf {
namespace {

struct ActivationCase {
  struct Shape {
    std::string label;
    int64_t count;
    ActivationKind kind;
  };
  static constexpr const char* name = "activation";
  static std::vector<Shape> shapes() {
    return {{"tanh_one", 1, ActivationKind::tanh},
            {"tanh_odd", 1003, ActivationKind::tanh},
            {"tanh_parallel", 70000, ActivationKind::tanh},
            {"relu_odd", 1003, ActivationKind::relu}};
  }
  static std::vector<Shape> bench_shapes() {
    return {{"tanh_128x64", 128 * 64, ActivationKind::tanh},
            {"relu_128x64", 128 * 64, ActivationKind::relu}};
  }
  static std::vector<Shape> gpu_bench_shapes() {
    return {{"tanh_32768x64", 32768 * 64, ActivationKind::tanh}};
  }

  template <class T>
  static ActivationForward<T> forward(Buffers& b, const Shape& s) {
    return {.out = b.output<T>(s.count),
            .in = b.normal<T>(s.count, 3),
            .count = s.count,
            .kind = s.kind};
  }

  static void reference(const ActivationForward<double>& c) {
    for (int64_t i = 0; i < c.count; i++) {
      c.out[i] = c.kind == ActivationKind::tanh ? std::tanh(c.in[i]) : std::fmax(c.in[i], 0);
    }
  }

  template <class T>
  static ActivationBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_in = b.gradient<T>(s.count),
            .d_out = b.normal<T>(s.count),
            .out = b.normal<T>(s.count),
            .count = s.count,
            .kind = s.kind};
  }

  static constexpr Tolerance tolerance = {.f32 = 1e-6, .bf16 = 4e-3};
};
const Register<ActivationCase> registered;

}  // namespace
}  // namespace rlhf
