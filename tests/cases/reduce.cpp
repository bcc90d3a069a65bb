// Sums against plain loops.
#include "kernels/reduce.h"

#include "tests/case.h"

namespace rlhf {
namespace {

struct ColumnSumCase {
  struct Shape {
    std::string label;
    int64_t rows, C;
    bool accumulate = false;
  };
  static constexpr const char* name = "column_sum";
  static std::vector<Shape> shapes() {
    return {{"1x1", 1, 1},
            {"9x70", 9, 70},
            {"9x70_add", 9, 70, true},
            {"600x200", 600, 200},
            {"150x520_add", 150, 520, true}};
  }
  static std::vector<Shape> bench_shapes() { return {{"768x384", 768, 384}}; }
  static std::vector<Shape> gpu_bench_shapes() { return {{"32768x3072", 32768, 3072}}; }

  template <class T>
  static ColumnSum<T> forward(Buffers& b, const Shape& s) {
    return {.out = {b.output<Accumulator<T>>(s.C), s.accumulate},
            .in = b.normal<T>(s.rows * s.C),
            .rows = s.rows,
            .C = s.C};
  }

  static void reference(const ColumnSum<double>& s) {
    for (int64_t c = 0; c < s.C; c++) {
      double sum = s.out.accumulate ? s.out.data[c] : 0;
      for (int64_t r = 0; r < s.rows; r++) sum += s.in[r * s.C + c];
      s.out.data[c] = sum;
    }
  }
  static constexpr Tolerance tolerance = {.bf16 = 1e-5};  // sums are in float
};
const Register<ColumnSumCase> column_sum;

struct WeightedSumCase {
  struct Shape {
    std::string label;
    int64_t count;
  };
  static constexpr const char* name = "weighted_sum";
  static std::vector<Shape> shapes() { return {{"one", 1}, {"31", 31}, {"1003", 1003}}; }
  static std::vector<Shape> bench_shapes() { return {{"768", 768}}; }

  template <class T>
  static WeightedSumForward<T> forward(Buffers& b, const Shape& s) {
    return {.out = b.output<T>(1),
            .in = b.normal<T>(s.count),
            .weight = b.uniform<T>(s.count, 0, 1),
            .count = s.count};
  }

  static void reference(const WeightedSumForward<double>& s) {
    *s.out = 0;
    for (int64_t i = 0; i < s.count; i++) *s.out += s.weight[i] * s.in[i];
  }

  template <class T>
  static WeightedSumBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_in = b.gradient<T>(s.count),
            .d_out = b.normal<T>(1),
            .weight = b.uniform<T>(s.count, 0, 1),
            .count = s.count};
  }

  static constexpr Tolerance tolerance = {.f32 = 2e-5};
};
const Register<WeightedSumCase> weighted_sum;

}  // namespace
}  // namespace rlhf
