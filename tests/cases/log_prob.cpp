// Log-probability and entropy against softmax written out.
#include "kernels/log_prob.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/case.h"

namespace rlhf {
namespace {

struct LogProbCase {
  struct Shape {
    std::string label;
    int64_t N, V;
    float inverse_temperature = 1;
    int64_t stride = 0;

    int64_t row() const { return stride > 0 ? stride : V; }
  };
  static constexpr const char* name = "log_prob";
  static std::vector<Shape> shapes() {
    return {{"one_token", 2, 1},
            {"odd", 7, 65},
            {"cool", 5, 131, 1.4f},
            {"wide", 40, 1027, 0.8f},
            {"wider_than_a_block", 3, 20011},
            {"strided", 7, 65, 1.4f, 128},
            {"strided_odd", 5, 131, 1, 133}};
  }
  static std::vector<Shape> bench_shapes() {
    return {{"256x512", 256, 512}, {"64x50257", 64, 50257}};
  }
  static std::vector<Shape> gpu_bench_shapes() {
    return {{"4096x50304", 4096, 50304},
            {"4096x50257", 4096, 50257},
            {"4096x50257_strided", 4096, 50257, 1, 50304}};
  }

  /// Every third row is ignored, as prompts and padding are.
  static int32_t* targets(Buffers& b, const Shape& s) {
    int32_t* target = b.indices(s.N, s.V);
    for (int64_t n = 1; n < s.N; n += 3) target[n] = -1;
    return target;
  }

  /// Zeros lie between rows: logits that would weigh, and gradients of what has none.
  template <class T>
  static T* logits(Buffers& b, const Shape& s) {
    T* const logits = b.normal<T>(strided_count(s.N, s.V, s.row()), 3);
    for (int64_t n = 0; n + 1 < s.N; n++) {
      std::fill(logits + n * s.row() + s.V, logits + (n + 1) * s.row(), T(0.0f));
    }
    return logits;
  }

  template <class T>
  static LogProbForward<T> forward(Buffers& b, const Shape& s) {
    return {.log_prob = b.output<Accumulator<T>>(s.N),
            .entropy = b.output<Accumulator<T>>(s.N),
            .lse = b.output<Accumulator<T>>(s.N),
            .logits = logits<T>(b, s),
            .target = targets(b, s),
            .N = s.N,
            .V = s.V,
            .inverse_temperature = s.inverse_temperature,
            .stride = s.stride};
  }

  static void reference(const LogProbForward<double>& c) {
    for (int64_t n = 0; n < c.N; n++) {
      c.log_prob[n] = c.entropy[n] = c.lse[n] = 0;
      if (c.target[n] < 0) continue;
      std::vector<double> z(c.logits + n * c.row(), c.logits + n * c.row() + c.V);
      double sum = 0;
      for (double& x : z) sum += std::exp(x *= double(c.inverse_temperature));
      c.lse[n] = std::log(sum);
      c.log_prob[n] = z[size_t(c.target[n])] - c.lse[n];
      for (const double x : z) c.entropy[n] -= std::exp(x - c.lse[n]) * (x - c.lse[n]);
    }
  }

  template <class T>
  static LogProbBackward<T> backward(Buffers& b, const Shape& s) {
    return {.logits = logits<T>(b, s),
            .d_log_prob = b.normal<Accumulator<T>>(s.N),
            .d_entropy = b.normal<Accumulator<T>>(s.N),
            .entropy = b.normal<Accumulator<T>>(s.N),
            .lse = b.normal<Accumulator<T>>(s.N),
            .target = targets(b, s),
            .N = s.N,
            .V = s.V,
            .inverse_temperature = s.inverse_temperature,
            .stride = s.stride};
  }

  // bf16 logits give a float log-probability; their gradients are rounded.
  static constexpr Tolerance tolerance = {.bf16 = 4e-3};
};
const Register<LogProbCase> registered;

}  // namespace
}  // namespace rlhf
