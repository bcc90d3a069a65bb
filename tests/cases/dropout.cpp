// Dropout against the definition of its mask: one uniform number per element, wherever it stands.
#include "kernels/dropout.h"

#include "tests/case.h"

namespace rlhf {
namespace {

struct DropoutCase {
  struct Shape {
    std::string label;
    int64_t count;
    float probability;
    bool accumulate = false;
  };
  static constexpr const char* name = "dropout";
  static std::vector<Shape> shapes() {
    return {{"one", 1, 0.5f},           {"none", 100, 0},
            {"odd", 1003, 0.1f},        {"odd_add", 1003, 0.1f, true},
            {"parallel", 70001, 0.25f}, {"parallel_add", 70001, 0.9f, true}};
  }
  static std::vector<Shape> bench_shapes() { return {{"768x128", 768 * 128, 0.1f}}; }
  static std::vector<Shape> gpu_bench_shapes() { return {{"65536x768", 65536 * 768, 0.1f}}; }

  template <class T>
  static Dropout<T> forward(Buffers& b, const Shape& s) {
    const StepState state{.seed = 0x123456789abcull, .step = 3, .draw = 7};
    return {.out = {b.output<T>(s.count), s.accumulate},
            .in = b.normal<T>(s.count),
            .count = s.count,
            .probability = s.probability,
            .random = {.state = b.hold(std::vector{state}), .site = 5}};
  }

  static void reference(const Dropout<double>& d) {
    for (int64_t i = 0; i < d.count; i++) {
      const bool keep = d.random.uniform(uint64_t(i)) >= d.probability;
      const double value = keep ? d.in[i] / (1 - double(d.probability)) : 0;
      d.out.data[i] = d.out.accumulate ? d.out.data[i] + value : value;
    }
  }
  static constexpr Tolerance tolerance = {.bf16 = 4e-3};
};
const Register<DropoutCase> registered;

}  // namespace
}  // namespace rlhf
