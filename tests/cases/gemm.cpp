// Matrix products against three nested loops: all transposes, bias, accumulation, and sizes on and
// off the edges of every tile and block.
#include "kernels/gemm.h"

#include "tests/case.h"

namespace rlhf {
namespace {

struct GemmCase {
  struct Shape {
    std::string label;
    int64_t M, N, K;
    bool transpose_a = false, transpose_b = false, bias = false, accumulate = false;
  };
  static constexpr const char* name = "gemm";

  static std::vector<Shape> shapes() {
    struct Size {
      int64_t M, N, K;
    };
    std::vector<Shape> all;
    for (const Size& s : {Size{1, 1, 1},
                          {1, 130, 40},
                          {3, 400, 17},
                          {5, 48, 300},
                          {8, 96, 64},
                          {9, 65, 33},
                          {16, 50, 130},
                          {37, 49, 515},
                          {70, 1, 20},
                          {2, 7, 4100},
                          {300, 20, 4200}}) {
      for (int flags = 0; flags < 16; flags++) {
        Shape shape{
            {}, s.M, s.N, s.K, bool(flags & 1), bool(flags & 2), bool(flags & 4), bool(flags & 8)};
        const bool every_flag = s.M == 9;  // elsewhere bias and accumulation come together
        if (!every_flag && shape.bias != shape.accumulate) continue;
        shape.label = label(shape);
        all.push_back(shape);
      }
    }
    all.push_back({"empty_sum", 3, 20, 0, false, false, true, false});
    return all;
  }

  static std::vector<Shape> bench_shapes() {
    std::vector<Shape> all = {{{}, 768, 384, 128},
                              {{}, 768, 1024, 128, false, true},
                              {{}, 128, 384, 768, true},
                              {{}, 16, 384, 128},
                              {{}, 256, 2304, 768}};
    for (Shape& shape : all) shape.label = label(shape);
    return all;
  }

  template <class T>
  static Gemm<T> forward(Buffers& b, const Shape& s) {
    return {.out = b.output<T>(s.M * s.N),
            .accumulate = s.accumulate,
            .a = b.normal<T>(s.M * s.K),
            .b = b.normal<T>(s.K * s.N),
            .bias = s.bias ? b.normal<T>(s.N) : nullptr,
            .M = s.M,
            .N = s.N,
            .K = s.K,
            .transpose_a = s.transpose_a,
            .transpose_b = s.transpose_b};
  }

  static void reference(const Gemm<double>& g) {
    for (int64_t i = 0; i < g.M; i++) {
      for (int64_t j = 0; j < g.N; j++) {
        double sum = 0;
        for (int64_t k = 0; k < g.K; k++) {
          const double a = g.transpose_a ? g.a[k * g.M + i] : g.a[i * g.K + k];
          const double b = g.transpose_b ? g.b[j * g.K + k] : g.b[k * g.N + j];
          sum += a * b;
        }
        if (g.bias) sum += g.bias[j];
        g.out[i * g.N + j] = g.accumulate ? g.out[i * g.N + j] + sum : sum;
      }
    }
  }

  // A chain of K roundings, each relative to a partial sum of the size of sqrt(K).
  static constexpr Tolerance tolerance = {.f32 = 2e-4, .f64 = 4e-13};

 private:
  static std::string label(const Shape& s) {
    const auto side = [](int64_t rows, int64_t columns, bool transposed) {
      return std::to_string(rows) + "x" + std::to_string(columns) + (transposed ? "T" : "");
    };
    return side(s.M, s.K, s.transpose_a) + "_" + side(s.K, s.N, s.transpose_b) +
           (s.bias ? "_bias" : "") + (s.accumulate ? "_add" : "");
  }
};
const Register<GemmCase> registered;

}  // namespace
}  // namespace rlhf
