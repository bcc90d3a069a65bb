// Products with narrow weights, and the embedding read from them, against plain loops over the
// elements as narrow_place finds them: sizes on and off the edges of panels, tiles and blocks.
#include "kernels/narrow_gemm.h"

#include <cmath>
#include <cstring>

#include "tests/case.h"

namespace rlhf {
namespace {

template <class W>
constexpr bool scaled = std::is_same_v<W, int8_t>;

/// Any elements, behind the last column, too: those are not to be taken for some of a column.
template <class W>
W* weights(Buffers& b, int64_t K, int64_t N) {
  std::vector<W> values(static_cast<size_t>(narrow_count(K, N)));
  for (size_t i = 0; i < values.size(); i++) {
    const PhiloxWords words = random_words(2, RandomStream::init, 7, 0, i);
    if constexpr (!scaled<W>) {
      values[i] = W(float(unit_normal(words[0], words[1])));
    } else if (i % 4 == 0) {
      int32_t word = 0;
      for (int s = 3; s >= 0; s--) word = 256 * word + int32_t(words[size_t(s)] % 255) - 127;
      std::memcpy(&values[i], &word, sizeof word);
    }
  }
  return b.hold(values);
}

template <class W>
const float* scales(Buffers& b, int64_t N) {
  return scaled<W> ? b.uniform<float>(N, 0.002, 0.03) : nullptr;
}

struct NarrowShape {
  std::string label;
  int64_t M, N, K;
  bool bias = false, gelu = false;
};

std::vector<NarrowShape> labelled(std::vector<NarrowShape> shapes) {
  for (NarrowShape& s : shapes) {
    s.label = std::to_string(s.M) + "x" + std::to_string(s.K) + "x" + std::to_string(s.N) +
              (s.bias ? "_bias" : "") + (s.gelu ? "_gelu" : "");
  }
  return shapes;
}

template <class W>
struct NarrowGemmCase {
  using Shape = NarrowShape;
  static constexpr const char* name = scaled<W> ? "narrow_gemm_int8" : "narrow_gemm_bf16";

  static std::vector<Shape> shapes() {
    return labelled({{{}, 1, 1, 1},
                     {{}, 1, 64, 300},
                     {{}, 1, 130, 40, true},
                     {{}, 2, 65, 33, true, true},
                     {{}, 3, 17, 70},
                     {{}, 6, 128, 64, true},
                     {{}, 7, 128, 64, true, true},
                     {{}, 13, 200, 515, true},
                     {{}, 37, 192, 260},
                     {{}, 37, 70, 256, true, true},
                     {{}, 130, 129, 24},
                     {{}, 3, 20, 0, true},
                     {{}, 9, 64, 0}});
  }
  static std::vector<Shape> bench_shapes() {
    return labelled({{{}, 1, 3072, 768}, {{}, 32, 3072, 768}, {{}, 256, 3072, 768}});
  }

  template <class T>
  static NarrowGemm<T, W> forward(Buffers& b, const Shape& s) {
    return {.out = b.output<T>(s.M * s.N),
            .a = b.normal<T>(s.M * s.K),
            .b = weights<W>(b, s.K, s.N),
            .scale = scales<W>(b, s.N),
            .bias = s.bias ? b.normal<T>(s.N) : nullptr,
            .gelu = s.gelu,
            .M = s.M,
            .N = s.N,
            .K = s.K};
  }

  static void reference(const NarrowGemm<double, W>& g) {
    for (int64_t m = 0; m < g.M; m++) {
      for (int64_t n = 0; n < g.N; n++) {
        double sum = 0;
        for (int64_t k = 0; k < g.K; k++) {
          sum += g.a[m * g.K + k] * double(narrow_value(g.b, g.K, k, n));
        }
        if (g.scale) sum *= double(g.scale[n]);
        if (g.bias) sum += g.bias[n];
        const double inner = std::sqrt(2 / M_PI) * (sum + 0.044715 * sum * sum * sum);
        g.out[m * g.N + n] = g.gelu ? sum / 2 * (1 + std::tanh(inner)) : sum;
      }
    }
  }

  // A chain of K roundings, each relative to a partial sum of the size of sqrt(K).
  static constexpr Tolerance tolerance = {.f32 = 2e-4, .f64 = 4e-13};
};

struct LookupShape {
  std::string label;
  int64_t rows, N, K;
};

template <class W>
struct NarrowEmbeddingCase {
  using Shape = LookupShape;
  static constexpr const char* name = scaled<W> ? "narrow_embedding_int8" : "narrow_embedding_bf16";
  static constexpr int64_t positions = 9;

  static std::vector<Shape> shapes() {
    return {{"one", 1, 1, 1}, {"some", 7, 67, 16}, {"many", 300, 200, 50}};
  }
  static std::vector<Shape> bench_shapes() { return {{"64x50257x768", 64, 50257, 768}}; }

  template <class T>
  static NarrowEmbedding<T, W> forward(Buffers& b, const Shape& s) {
    return {.out = b.output<T>(s.rows * s.K),
            .b = weights<W>(b, s.K, s.N),
            .scale = scales<W>(b, s.N),
            .position_table = b.normal<T>(positions * s.K),
            .token = b.indices(s.rows, s.N),
            .position = b.indices(s.rows, positions),
            .rows = s.rows,
            .N = s.N,
            .K = s.K,
            .P = positions};
  }

  static void reference(const NarrowEmbedding<double, W>& e) {
    for (int64_t row = 0; row < e.rows; row++) {
      for (int64_t k = 0; k < e.K; k++) {
        const int64_t token = e.token[row];
        const double weight = double(narrow_value(e.b, e.K, k, token));
        e.out[row * e.K + k] = weight * (e.scale ? double(e.scale[token]) : 1) +
                               e.position_table[e.position[row] * e.K + k];
      }
    }
  }
};

const Register<NarrowGemmCase<bf16>> gemm_bf16;
const Register<NarrowGemmCase<int8_t>> gemm_int8;
const Register<NarrowEmbeddingCase<bf16>> embedding_bf16;
const Register<NarrowEmbeddingCase<int8_t>> embedding_int8;

}  // namespace
}  // namespace rlhf
