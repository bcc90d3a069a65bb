// Matrix products against three nested loops: all transposes, bias, addition, GELU on either side
// of it, and sizes on and off the edges of every tile and block.
#include "kernels/gemm.h"

#include <cmath>

#include "tests/case.h"

namespace rlhf {
namespace {

enum class Gelu { none, forward, in_place, backward };

struct GemmShape {
  std::string label;
  int64_t M, N, K;
  bool transpose_a = false, transpose_b = false, bias = false, accumulate = false;
  Gelu gelu = Gelu::none;
};

std::string label(const GemmShape& s) {
  const auto side = [](int64_t rows, int64_t columns, bool transposed) {
    return std::to_string(rows) + "x" + std::to_string(columns) + (transposed ? "T" : "");
  };
  constexpr const char* gelus[] = {"", "_gelu", "_gelu_in_place", "_gelu_backward"};
  return side(s.M, s.K, s.transpose_a) + "_" + side(s.K, s.N, s.transpose_b) +
         (s.bias ? "_bias" : "") + (s.accumulate ? "_add" : "") + gelus[int(s.gelu)];
}

std::vector<GemmShape> labelled(std::vector<GemmShape> shapes) {
  for (GemmShape& shape : shapes) shape.label = label(shape);
  return shapes;
}

template <class T, class Out>
Gemm<T, Out> fill(Buffers& b, const GemmShape& s) {
  Gemm<T, Out> g{.out = b.output<Out>(s.M * s.N),
                 .accumulate = s.accumulate,
                 .a = b.normal<T>(s.M * s.K),
                 .b = b.normal<T>(s.K * s.N),
                 .bias = s.bias ? b.normal<T>(s.N) : nullptr,
                 .M = s.M,
                 .N = s.N,
                 .K = s.K,
                 .transpose_a = s.transpose_a,
                 .transpose_b = s.transpose_b};
  if (s.gelu == Gelu::forward) g.gelu_out = b.output<Out>(s.M * s.N);
  if (s.gelu == Gelu::in_place) g.gelu_out = g.out;
  if (s.gelu == Gelu::backward) g.gelu_in = b.normal<T>(s.M * s.N, 2);
  return g;
}

void textbook(const Gemm<double>& g) {
  const auto inner = [](double x) { return std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x); };
  for (int64_t i = 0; i < g.M; i++) {
    for (int64_t j = 0; j < g.N; j++) {
      double sum = 0;
      for (int64_t k = 0; k < g.K; k++) {
        const double a = g.transpose_a ? g.a[k * g.M + i] : g.a[i * g.K + k];
        const double b = g.transpose_b ? g.b[j * g.K + k] : g.b[k * g.N + j];
        sum += a * b;
      }
      if (g.bias) sum += g.bias[j];
      const int64_t at = i * g.N + j;
      if (g.gelu_in) {
        const double x = g.gelu_in[at], tanh = std::tanh(inner(x));
        const double d_inner = std::sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);
        sum *= (1 + tanh) / 2 + x / 2 * (1 - tanh * tanh) * d_inner;
      }
      g.out[at] = g.accumulate ? g.out[at] + sum : sum;
      if (g.gelu_out) g.gelu_out[at] = sum / 2 * (1 + std::tanh(inner(sum)));
    }
  }
}

struct GemmCase {
  using Shape = GemmShape;
  static constexpr const char* name = "gemm";

  static std::vector<Shape> shapes() {
    std::vector<Shape> all;
    for (const Shape& size : {Shape{{}, 1, 1, 1},
                              {{}, 1, 130, 40},
                              {{}, 3, 400, 17},
                              {{}, 5, 48, 300},
                              {{}, 8, 96, 64},
                              {{}, 9, 65, 33},
                              {{}, 16, 50, 130},
                              {{}, 37, 49, 515},
                              {{}, 70, 1, 20},
                              {{}, 2, 7, 4100},
                              {{}, 40, 72, 80},
                              {{}, 130, 136, 72},
                              {{}, 210, 136, 260}}) {
      for (int flags = 0; flags < 16; flags++) {
        Shape shape = size;
        shape.transpose_a = flags & 1;
        shape.transpose_b = flags & 2;
        shape.bias = flags & 4;
        shape.accumulate = flags & 8;
        const bool every_flag = shape.M == 9;  // elsewhere bias and addition come together
        if (every_flag || shape.bias == shape.accumulate) all.push_back(shape);
      }
    }
    for (const Gelu gelu : {Gelu::forward, Gelu::in_place, Gelu::backward}) {
      for (const Shape& size : {Shape{{}, 1, 130, 40}, {{}, 19, 72, 24}, {{}, 33, 35, 1100}}) {
        Shape shape = size;
        shape.gelu = gelu;
        shape.bias = gelu != Gelu::backward;
        shape.transpose_b = gelu == Gelu::backward;
        all.push_back(shape);
      }
    }
    all.push_back({{}, 264, 5, 4200});
    all.push_back({{}, 264, 5, 4200, true, true, true, true});
    all.push_back({{}, 1032, 1048, 24});  // tiles of 128
    all.push_back({{}, 1032, 1048, 24, true, true});
    all.push_back({{}, 3, 20, 0, false, false, true});
    all.push_back({{}, 12, 20, 0, false, false, true, true});
    return labelled(all);
  }

  static std::vector<Shape> bench_shapes() {
    return labelled({{{}, 768, 384, 128},
                     {{}, 768, 1024, 128, false, true},
                     {{}, 128, 384, 768, true},
                     {{}, 16, 384, 128},
                     {{}, 256, 2304, 768}});
  }
  /// GPT-2 124M with 32 x 1024 tokens: forward, gradients of inputs, the head; decoding one token.
  static std::vector<Shape> gpu_bench_shapes() {
    return labelled({{{}, 32768, 2304, 768},
                     {{}, 32768, 768, 768},
                     {{}, 32768, 3072, 768},
                     {{}, 32768, 768, 3072},
                     {{}, 32768, 768, 2304, false, true},
                     {{}, 8192, 50304, 768, false, true},
                     {{}, 8192, 50257, 768, false, true},
                     {{}, 1, 2304, 768},
                     {{}, 1, 3072, 768},
                     {{}, 1, 50257, 768, false, true}});
  }

  template <class T>
  static Gemm<T> forward(Buffers& b, const Shape& s) {
    return fill<T, T>(b, s);
  }
  static void reference(const Gemm<double>& g) { textbook(g); }

  // A chain of K roundings, each relative to a partial sum of the size of sqrt(K); bf16: the sum is
  // in float, its rounding an error of 2^-9.
  static constexpr Tolerance tolerance = {.f32 = 2e-4, .f64 = 4e-13, .bf16 = 4e-3};
};
const Register<GemmCase> registered;

/// Products of bf16 that are kept in float: gradients of parameters.
struct GemmSumCase {
  using Shape = GemmShape;
  static constexpr const char* name = "gemm_sum";

  static std::vector<Shape> shapes() {
    std::vector<Shape> all;
    for (const Shape& size : {Shape{{}, 64, 48, 300, true},
                              {{}, 50, 67, 129, true},
                              {{}, 40, 1, 70, true},
                              {{}, 7, 33, 65, true},
                              {{}, 24, 40, 2200, true}}) {
      for (const bool accumulate : {false, true}) {
        all.push_back(size);
        all.back().accumulate = accumulate;
      }
    }
    all.push_back({{}, 33, 40, 50, false, true, true});
    return labelled(all);
  }
  static std::vector<Shape> bench_shapes() { return labelled({{{}, 128, 384, 768, true}}); }
  /// Gradients of weights.
  static std::vector<Shape> gpu_bench_shapes() {
    return labelled({{{}, 768, 2304, 32768, true}, {{}, 3072, 768, 32768, true}});
  }

  template <class T>
  static Gemm<T, Accumulator<T>> forward(Buffers& b, const Shape& s) {
    return fill<T, Accumulator<T>>(b, s);
  }
  static void reference(const Gemm<double>& g) { textbook(g); }

  static constexpr Tolerance tolerance = {.f32 = 2e-4, .f64 = 4e-13, .bf16 = 2e-4};
};
const Register<GemmSumCase> sum_registered;

}  // namespace
}  // namespace rlhf
