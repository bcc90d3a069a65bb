// Embeddings against their definition; few tokens, so that rows of the tables repeat.
#include "kernels/embedding.h"

#include "tests/case.h"

namespace rlhf {
namespace {

struct EmbeddingCase {
  struct Shape {
    std::string label;
    int64_t N, C, V, P;
  };
  static constexpr const char* name = "embedding";
  static std::vector<Shape> shapes() {
    return {{"one", 1, 1, 1, 1},
            {"repeated", 40, 19, 7, 5},
            {"often", 1500, 24, 3, 9},
            {"rare", 1100, 8, 1000, 64},
            {"parallel", 700, 96, 65, 128}};
  }
  static std::vector<Shape> bench_shapes() {
    return {{"768x128", 768, 128, 1024, 128}, {"1024x768", 1024, 768, 50257, 1024}};
  }
  static std::vector<Shape> gpu_bench_shapes() { return {{"32768x768", 32768, 768, 50257, 1024}}; }

  template <class T>
  static EmbeddingForward<T> forward(Buffers& b, const Shape& s) {
    return {.out = b.output<T>(s.N * s.C),
            .token_table = b.normal<T>(s.V * s.C),
            .position_table = b.normal<T>(s.P * s.C),
            .token = b.indices(s.N, s.V),
            .position = b.indices(s.N, s.P),
            .N = s.N,
            .C = s.C,
            .V = s.V,
            .P = s.P};
  }

  static void reference(const EmbeddingForward<double>& e) {
    for (int64_t i = 0; i < e.N * e.C; i++) {
      const int64_t n = i / e.C, c = i % e.C;
      e.out[i] = e.token_table[e.token[n] * e.C + c] + e.position_table[e.position[n] * e.C + c];
    }
  }

  template <class T>
  static EmbeddingBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_token_table = b.gradient<Accumulator<T>>(s.V * s.C),
            .d_position_table = b.gradient<Accumulator<T>>(s.P * s.C),
            .d_out = b.normal<T>(s.N * s.C),
            .token = b.indices(s.N, s.V),
            .position = b.indices(s.N, s.P),
            .N = s.N,
            .C = s.C,
            .V = s.V,
            .P = s.P};
  }

  // "often" sums 500 rows in one element.
  static constexpr Tolerance tolerance = {.f32 = 5e-5, .bf16 = 4e-3};
};
const Register<EmbeddingCase> registered;

}  // namespace
}  // namespace rlhf
