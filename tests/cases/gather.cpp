// Picked rows against their definition; some rows are picked twice and some never.
#include "kernels/gather.h"

#include "tests/case.h"

namespace rlhf {
namespace {

struct GatherCase {
  struct Shape {
    std::string label;
    int64_t N, rows, C;
  };
  static constexpr const char* name = "gather";
  static std::vector<Shape> shapes() {
    return {{"one", 1, 1, 1},
            {"repeated", 12, 7, 19},
            {"often", 700, 3, 40},
            {"parallel", 500, 700, 96}};
  }
  static std::vector<Shape> bench_shapes() { return {{"384of768x128", 384, 768, 128}}; }
  static std::vector<Shape> gpu_bench_shapes() { return {{"32768of65536x768", 32768, 65536, 768}}; }

  template <class T>
  static GatherForward<T> forward(Buffers& b, const Shape& s) {
    return {.out = b.output<T>(s.N * s.C),
            .in = b.normal<T>(s.rows * s.C),
            .row = b.indices(s.N, s.rows),
            .N = s.N,
            .rows = s.rows,
            .C = s.C};
  }

  static void reference(const GatherForward<double>& g) {
    for (int64_t i = 0; i < g.N * g.C; i++) g.out[i] = g.in[g.row[i / g.C] * g.C + i % g.C];
  }

  template <class T>
  static GatherBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_in = b.gradient<T>(s.rows * s.C),
            .d_out = b.normal<T>(s.N * s.C),
            .row = b.indices(s.N, s.rows),
            .N = s.N,
            .rows = s.rows,
            .C = s.C};
  }

  // "often" sums 233 rows in one element.
  static constexpr Tolerance tolerance = {.f32 = 2e-5, .bf16 = 4e-3};
};
const Register<GatherCase> registered;

}  // namespace
}  // namespace rlhf
