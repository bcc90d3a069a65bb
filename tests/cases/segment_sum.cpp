// Sums and means of stretches against plain loops; some stretches are empty, and some elements are
// in none.
#include "kernels/segment_sum.h"

#include "tests/case.h"

namespace rlhf {
namespace {

struct SegmentSumCase {
  struct Shape {
    std::string label;
    int64_t S, longest, gap;
    bool mean = false;
  };
  static constexpr const char* name = "segment_sum";
  static std::vector<Shape> shapes() {
    return {{"one", 1, 1, 0},
            {"sums", 5, 40, 0},
            {"gaps_mean", 7, 9, 4, true},
            {"long_mean", 3, 700, 1, true},
            {"parallel", 400, 300, 2}};
  }
  static std::vector<Shape> bench_shapes() { return {{"64x48", 64, 48, 0}}; }
  static std::vector<Shape> gpu_bench_shapes() { return {{"128x512", 128, 512, 0}}; }

  /// Stretch s has (7 s + longest) mod (longest + 1) elements, gaps before it and behind the last.
  static std::vector<int32_t> bounds(const Shape& s, bool ends) {
    std::vector<int32_t> out;
    int64_t at = 0;
    for (int64_t i = 0; i < s.S; i++) {
      at += s.gap;
      if (!ends) out.push_back(int32_t(at));
      at += (7 * i + s.longest) % (s.longest + 1);
      if (ends) out.push_back(int32_t(at));
    }
    return out;
  }
  static int64_t count(const Shape& s) { return bounds(s, true).back() + s.gap; }

  template <class T>
  static SegmentSumForward<T> forward(Buffers& b, const Shape& s) {
    return {.out = b.output<T>(s.S),
            .in = b.normal<T>(count(s)),
            .begin = b.hold(bounds(s, false)),
            .end = b.hold(bounds(s, true)),
            .S = s.S,
            .N = count(s),
            .mean = s.mean};
  }

  static void reference(const SegmentSumForward<double>& c) {
    for (int64_t s = 0; s < c.S; s++) {
      double sum = 0;
      for (int64_t n = c.begin[s]; n < c.end[s]; n++) sum += c.in[n];
      c.out[s] = c.mean && c.end[s] > c.begin[s] ? sum / (c.end[s] - c.begin[s]) : sum;
    }
  }

  template <class T>
  static SegmentSumBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_in = b.gradient<T>(count(s)),
            .d_out = b.normal<T>(s.S),
            .begin = b.hold(bounds(s, false)),
            .end = b.hold(bounds(s, true)),
            .S = s.S,
            .N = count(s),
            .mean = s.mean};
  }
};
const Register<SegmentSumCase> registered;

}  // namespace
}  // namespace rlhf
