// Element-by-element sums against their definition.
#include "kernels/add.h"

#include "tests/case.h"

namespace rlhf {
namespace {

struct CountShape {
  std::string label;
  int64_t count;
  bool accumulate = false;
};

struct AddScaledCase {
  using Shape = CountShape;
  static constexpr const char* name = "add_scaled";
  static std::vector<Shape> shapes() { return {{"one", 1}, {"odd", 1003}, {"parallel", 70001}}; }
  static std::vector<Shape> bench_shapes() { return {{"768x128", 768 * 128}}; }
  static std::vector<Shape> gpu_bench_shapes() { return {{"65536x768", 65536 * 768}}; }

  template <class T>
  static AddScaled<T> forward(Buffers& b, const Shape& s) {
    return {.out = b.output<T>(s.count),
            .a = b.normal<T>(s.count),
            .b = b.normal<T>(s.count),
            .scale = 0.75f,
            .count = s.count};
  }

  static void reference(const AddScaled<double>& c) {
    for (int64_t i = 0; i < c.count; i++) c.out[i] = c.a[i] + 0.75 * c.b[i];
  }
  static constexpr Tolerance tolerance = {.bf16 = 4e-3};
};
const Register<AddScaledCase> add_scaled;

struct ScaleIntoCase {
  using Shape = CountShape;
  static constexpr const char* name = "scale_into";
  static std::vector<Shape> shapes() {
    return {{"one", 1}, {"odd", 1003}, {"odd_add", 1003, true}, {"parallel_add", 70001, true}};
  }
  static std::vector<Shape> bench_shapes() { return {{"768x128_add", 768 * 128, true}}; }

  template <class T>
  static ScaleInto<T> forward(Buffers& b, const Shape& s) {
    return {.out = {b.output<T>(s.count), s.accumulate},
            .in = b.normal<T>(s.count),
            .scale = -1.5f,
            .count = s.count};
  }

  static void reference(const ScaleInto<double>& c) {
    for (int64_t i = 0; i < c.count; i++) {
      c.out.data[i] = (c.out.accumulate ? c.out.data[i] : 0) - 1.5 * c.in[i];
    }
  }
  static constexpr Tolerance tolerance = {.bf16 = 4e-3};
};
const Register<ScaleIntoCase> scale_into;

}  // namespace
}  // namespace rlhf
