// Changing the element type, there and back; float stays float where there is no narrower type.
#include "kernels/convert.h"

#include "tests/case.h"

namespace rlhf {
namespace {

struct ConvertShape {
  std::string label;
  int64_t count;
  bool accumulate = false;
};

std::vector<ConvertShape> convert_shapes() {
  return {{"one", 1}, {"odd", 1003}, {"odd_add", 1003, true}, {"parallel", 70001}};
}
std::vector<ConvertShape> convert_bench_shapes() { return {{"768x128", 768 * 128}}; }
std::vector<ConvertShape> convert_gpu_bench_shapes() { return {{"65536x768", 65536 * 768}}; }

template <class From, class To>
Convert<From, To> fill(Buffers& b, const ConvertShape& s) {
  return {.out = {b.output<To>(s.count), s.accumulate},
          .in = b.normal<From>(s.count),
          .count = s.count};
}

void textbook(const Convert<double, double>& c) {
  for (int64_t i = 0; i < c.count; i++)
    c.out.data[i] = (c.out.accumulate ? c.out.data[i] : 0) + c.in[i];
}

struct WidenCase {
  using Shape = ConvertShape;
  static constexpr const char* name = "convert_to_accumulator";
  static std::vector<Shape> shapes() { return convert_shapes(); }
  static std::vector<Shape> bench_shapes() { return convert_bench_shapes(); }
  static std::vector<Shape> gpu_bench_shapes() { return convert_gpu_bench_shapes(); }

  template <class T>
  static Convert<T, Accumulator<T>> forward(Buffers& b, const Shape& s) {
    return fill<T, Accumulator<T>>(b, s);
  }
  static void reference(const Convert<double, double>& c) { textbook(c); }
  static constexpr Tolerance tolerance = {.f32 = 1e-7, .bf16 = 1e-7};
};
const Register<WidenCase> widen;

struct NarrowCase {
  using Shape = ConvertShape;
  static constexpr const char* name = "convert_from_accumulator";
  static std::vector<Shape> shapes() { return convert_shapes(); }
  static std::vector<Shape> bench_shapes() { return convert_bench_shapes(); }
  static std::vector<Shape> gpu_bench_shapes() { return convert_gpu_bench_shapes(); }

  template <class T>
  static Convert<Accumulator<T>, T> forward(Buffers& b, const Shape& s) {
    return fill<Accumulator<T>, T>(b, s);
  }
  static void reference(const Convert<double, double>& c) { textbook(c); }
  static constexpr Tolerance tolerance = {.f32 = 1e-7, .bf16 = 4e-3};
};
const Register<NarrowCase> narrow;

}  // namespace
}  // namespace rlhf
