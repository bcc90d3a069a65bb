// Sampling where its result has a formula: the log-probability of what was chosen. Which token that
// is the CPU's kernel says in double; which are kept and how often each is drawn is the matter of
// tests/sample_test.cpp.
#include "kernels/sample.h"

#include <cmath>
#include <vector>

#include "tests/case.h"

namespace rlhf {
namespace {

struct SampleCase {
  struct Shape {
    std::string label;
    int64_t N, V;
    float temperature = 1;
    int64_t top_k = 0;
    float top_p = 1;
    float min_p = 0;
    float repetition_penalty = 1;
    bool own_seeds = false;
  };
  static constexpr const char* name = "sample";
  static std::vector<Shape> shapes() {
    return {{"plain", 3, 130},
            {"greedy", 5, 77, 0},
            {"parallel", 20, 1500, 0.7f},
            {"filtered", 20, 1500, 1, 50, 0.9f},
            {"min_p", 6, 700, 1, 0, 1, 0.1f},
            {"everything", 5, 1500, 0.8f, 400, 0.8f, 0.02f, 1.3f},
            {"parts", 2, 9001},
            {"filtered_parts", 2, 9001, 1, 0, 0.7f, 0, 1.5f},
            {"own_seeds", 5, 300, 1, 0, 1, 0, 1, true}};
  }
  static std::vector<Shape> bench_shapes() {
    return {{"8x512", 8, 512}, {"8x50257", 8, 50257}, {"8x50257_top_p", 8, 50257, 1, 0, 0.9f}};
  }
  static std::vector<Shape> gpu_bench_shapes() {
    return {{"1x50257", 1, 50257},
            {"64x50257", 64, 50257},
            {"64x50257_top_p", 64, 50257, 1, 0, 0.9f},
            {"64x50257_top_k", 64, 50257, 1, 50}};
  }

  template <class T>
  static Sample<T> forward(Buffers& b, const Shape& s) {
    std::vector<uint64_t> draw;
    for (int64_t n = 0; n < s.N; n++) draw.push_back(uint64_t(100 + n));
    Sample<T> c{};
    c.token = b.hold(std::vector<int32_t>(size_t(s.N), -1));
    c.log_prob = b.output<Accumulator<T>>(s.N);
    c.logits = b.normal<T>(s.N * s.V, 2);
    c.N = s.N;
    c.V = s.V;
    c.temperature = s.temperature;
    c.top_k = s.top_k;
    c.top_p = s.top_p;
    c.min_p = s.min_p;
    c.repetition_penalty = s.repetition_penalty;
    if (s.repetition_penalty != 1) {
      std::vector<int32_t> length;
      for (int64_t n = 0; n < s.N; n++) length.push_back(int32_t(n * 9 % 31));
      c.history_stride = 30;
      c.history = b.indices(s.N * c.history_stride, s.V);
      c.history_length = b.hold(length);
    }
    c.draw = b.hold(draw);
    c.seed = 11;
    if (s.own_seeds) c.row_seed = b.hold(std::vector<uint64_t>{11, 12, 13, 11, 1ull << 40});
    return c;
  }

  /// The kernel chooses; the log-probability of its choice is computed by the definition.
  static void reference(const Sample<double>& c) {
    run(Cpu{}, c, {});
    for (int64_t n = 0; n < c.N; n++) {
      const double divisor = c.temperature == 0 ? 1 : double(c.temperature);
      double sum = 0;
      for (int64_t v = 0; v < c.V; v++) sum += std::exp(c.logits[n * c.V + v] / divisor);
      c.log_prob[n] = c.logits[n * c.V + c.token[n]] / divisor - std::log(sum);
    }
  }

  // 1 / temperature is rounded to float, as LogProbForward's callers do.
  static constexpr Tolerance tolerance = {.f64 = 1e-6, .bf16 = 1e-5};
};
const Register<SampleCase> registered;

}  // namespace
}  // namespace rlhf
