// Layer normalisation against the formulas of the contract, one row at a time.
#include "kernels/layer_norm.h"

#include <cmath>

#include "tests/case.h"

namespace rlhf {
namespace {

struct NormShape {
  std::string label;
  int64_t rows, C;
};

/// A row of one channel has variance 0 and rstd 316, by which its rounding is multiplied; in
/// thousands of channels the loss moves little with one.
constexpr Tolerance norm_tolerance{.f32 = 1e-4, .gradient = 3e-6, .bf16 = 1e-2};

void normalize(const LayerNormForward<double>& n, const double* in) {
  for (int64_t r = 0; r < n.rows; r++) {
    const double* x = in + r * n.C;
    double mean = 0, variance = 0;
    for (int64_t c = 0; c < n.C; c++) mean += x[c] / double(n.C);
    for (int64_t c = 0; c < n.C; c++) variance += std::pow(x[c] - mean, 2) / double(n.C);
    n.mean[r] = mean;
    n.rstd[r] = 1 / std::sqrt(variance + double(n.eps));
    for (int64_t c = 0; c < n.C; c++) {
      n.out[r * n.C + c] = (x[c] - mean) * n.rstd[r] * n.weight[c] + n.bias[c];
    }
  }
}

struct LayerNormCase {
  using Shape = NormShape;
  static constexpr const char* name = "layer_norm";
  static constexpr Tolerance tolerance = norm_tolerance;
  /// Rows of a warp, of several, and of more than fits into registers; more rows than blocks.
  static std::vector<Shape> shapes() {
    return {{"1x1", 1, 1},         {"3x5", 3, 5},       {"7x33", 7, 33},     {"5x96", 5, 96},
            {"200x128", 200, 128}, {"3x1544", 3, 1544}, {"1x8200", 1, 8200}, {"1060x4", 1060, 4}};
  }
  static std::vector<Shape> bench_shapes() {
    return {{"768x128", 768, 128}, {"1024x768", 1024, 768}};
  }
  static std::vector<Shape> gpu_bench_shapes() {
    return {{"65536x768", 65536, 768}, {"32768x1600", 32768, 1600}};
  }

  template <class T>
  static LayerNormForward<T> forward(Buffers& b, const Shape& s) {
    return {.out = b.output<T>(s.rows * s.C),
            .mean = b.output<Accumulator<T>>(s.rows),
            .rstd = b.output<Accumulator<T>>(s.rows),
            .in = b.normal<T>(s.rows * s.C, 2, 0.5),
            .weight = b.normal<T>(s.C, 0.3, 1),
            .bias = b.normal<T>(s.C),
            .rows = s.rows,
            .C = s.C};
  }

  static void reference(const LayerNormForward<double>& n) { normalize(n, n.in); }

  template <class T>
  static LayerNormBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_in = b.gradient<T>(s.rows * s.C),
            .d_weight = b.gradient<Accumulator<T>>(s.C),
            .d_bias = b.gradient<Accumulator<T>>(s.C),
            .d_out = b.normal<T>(s.rows * s.C),
            .in = b.output<T>(s.rows * s.C),
            .weight = b.output<T>(s.C),
            .mean = b.output<Accumulator<T>>(s.rows),
            .rstd = b.output<Accumulator<T>>(s.rows),
            .rows = s.rows,
            .C = s.C};
  }
};
const Register<LayerNormCase> registered;

/// With a residual connection in the same pass.
struct AddLayerNormCase {
  using Shape = NormShape;
  static constexpr const char* name = "add_layer_norm";
  static constexpr Tolerance tolerance = norm_tolerance;
  static std::vector<Shape> shapes() {
    return {{"3x5", 3, 5}, {"200x128", 200, 128}, {"3x1544", 3, 1544}, {"2x8200", 2, 8200}};
  }
  static std::vector<Shape> bench_shapes() { return LayerNormCase::bench_shapes(); }
  static std::vector<Shape> gpu_bench_shapes() { return LayerNormCase::gpu_bench_shapes(); }

  template <class T>
  static LayerNormForward<T> forward(Buffers& b, const Shape& s) {
    LayerNormForward<T> norm = LayerNormCase::forward<T>(b, s);
    norm.added = b.normal<T>(s.rows * s.C);
    norm.sum = b.output<T>(s.rows * s.C);
    return norm;
  }

  static void reference(const LayerNormForward<double>& n) {
    for (int64_t i = 0; i < n.rows * n.C; i++) n.sum[i] = n.in[i] + n.added[i];
    normalize(n, n.sum);
  }
};
const Register<AddLayerNormCase> add_registered;

}  // namespace
}  // namespace rlhf
