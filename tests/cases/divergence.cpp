// Both Kullback-Leibler divergences of two softmaxes, written out.
#include "kernels/divergence.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/case.h"

namespace rlhf {
namespace {

struct DivergenceCase {
  struct Shape {
    std::string label;
    int64_t N, V;
    DivergenceKind kind;
    float inverse_temperature = 1;
    int64_t stride = 0;

    int64_t row() const { return stride > 0 ? stride : V; }
  };
  static constexpr const char* name = "divergence";
  static std::vector<Shape> shapes() {
    using enum DivergenceKind;
    return {{"one_token", 2, 1, forward},          {"forward", 7, 65, forward},
            {"reverse", 7, 65, reverse},           {"cool", 5, 131, forward, 1.4f},
            {"wide", 20, 1027, reverse, 0.8f},     {"wider_than_a_block", 2, 9001, forward},
            {"strided", 7, 65, reverse, 1.4f, 128}};
  }
  static std::vector<Shape> bench_shapes() {
    return {{"256x512", 256, 512, DivergenceKind::forward}};
  }
  static std::vector<Shape> gpu_bench_shapes() {
    return {{"4096x50257_strided", 4096, 50257, DivergenceKind::forward, 1, 50304}};
  }

  /// Zeros lie between rows.
  template <class T>
  static T* logits(Buffers& b, const Shape& s) {
    T* const logits = b.normal<T>(strided_count(s.N, s.V, s.row()), 2);
    for (int64_t n = 0; n + 1 < s.N; n++) {
      std::fill(logits + n * s.row() + s.V, logits + (n + 1) * s.row(), T(0.0f));
    }
    return logits;
  }

  template <class T>
  static DivergenceForward<T> forward(Buffers& b, const Shape& s) {
    return {.divergence = b.output<Accumulator<T>>(s.N),
            .lse = b.output<Accumulator<T>>(s.N),
            .ref_lse = b.output<Accumulator<T>>(s.N),
            .logits = logits<T>(b, s),
            .ref_logits = logits<T>(b, s),
            .N = s.N,
            .V = s.V,
            .kind = s.kind,
            .inverse_temperature = s.inverse_temperature,
            .stride = s.stride};
  }

  static void reference(const DivergenceForward<double>& c) {
    const auto log_softmax = [&](const double* logits, double& lse) {
      std::vector<double> z(logits, logits + c.V);
      double sum = 0;
      for (double& x : z) sum += std::exp(x *= double(c.inverse_temperature));
      lse = std::log(sum);
      for (double& x : z) x -= lse;
      return z;
    };
    for (int64_t n = 0; n < c.N; n++) {
      auto p = log_softmax(c.logits + n * c.row(), c.lse[n]);
      auto q = log_softmax(c.ref_logits + n * c.row(), c.ref_lse[n]);
      if (c.kind == DivergenceKind::forward) std::swap(p, q);
      c.divergence[n] = 0;
      for (size_t v = 0; v < p.size(); v++) c.divergence[n] += std::exp(p[v]) * (p[v] - q[v]);
    }
  }

  template <class T>
  static DivergenceBackward<T> backward(Buffers& b, const Shape& s) {
    return {.logits = logits<T>(b, s),
            .ref_logits = logits<T>(b, s),
            .d_divergence = b.normal<Accumulator<T>>(s.N),
            .divergence = b.normal<Accumulator<T>>(s.N),
            .lse = b.normal<Accumulator<T>>(s.N),
            .ref_lse = b.normal<Accumulator<T>>(s.N),
            .N = s.N,
            .V = s.V,
            .kind = s.kind,
            .inverse_temperature = s.inverse_temperature,
            .stride = s.stride};
  }

  // bf16 logits give a float divergence; their gradients are rounded.
  static constexpr Tolerance tolerance = {.bf16 = 4e-3};
};
const Register<DivergenceCase> registered;

}  // namespace
}  // namespace rlhf
