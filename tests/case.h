// The table of kernel cases. A file in tests/cases describes a family of contracts once; runners
// (tests/kernels_test.cpp, bench/kernels.cpp) compare it with its reference, differentiate it
// numerically, run it on different numbers of threads and time it. A family is a struct:
//
//   struct GeluCase {
//     struct Shape { std::string label; int64_t count; };
//     static constexpr const char* name = "gelu";
//     static std::vector<Shape> shapes() { return {{"one", 1}, {"odd", 1003}}; }
//     static std::vector<Shape> bench_shapes() { return {{"768x512", 768 * 512}}; }
//     static std::vector<Shape> gpu_bench_shapes() { return {{"32768x3072", 32768 * 3072}}; }  //
//     opt. template <class T> static GeluForward<T> forward(Buffers& b, const Shape& s) {
//       return {.out = b.output<T>(s.count), .in = b.normal<T>(s.count), .count = s.count};
//     }
//     static void reference(const GeluForward<double>& c) { ... plain loops ... }
//     template <class T>                                          // optional
//     static GeluBackward<T> backward(Buffers& b, const Shape& s) {
//       return {.d_in = b.gradient<T>(s.count), .d_out = b.normal<T>(s.count),
//               .in = b.normal<T>(s.count), .count = s.count};
//     }
//     static constexpr Tolerance tolerance = {.f32 = 1e-6, .bf16 = 1e-2};  // optional
//   };
//   const Register<GeluCase> registered;
//
// Names in visit() pair the two contracts. A field of the backward contract that has the name of a
// field of the forward contract (in, mean, lse, indices) gets that field's values after the forward
// ran; input `d_out` is the gradient of the loss with respect to output `out`; output `d_in` must
// be the gradient with respect to input `in`. A backward `inout` named like a forward input holds
// the input before and its gradient after. What visit() does not name must be filled alike in both.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "kernels/device.h"
#include "kernels/run.h"
#include "tests/buffers.h"

namespace rlhf {

/// |got - want| <= tolerance * (1 + |want|), for every element.
struct Tolerance {
  double f32 = 1e-5;       ///< the float kernel against double
  double f64 = 1e-12;      ///< the double kernel against the reference
  double gradient = 1e-6;  ///< the double backward against finite differences
  double bf16 = 0;         ///< the bf16 kernel against the reference; 0: there is no bf16 kernel
};

enum class Element { f32, f64, bf16 };
enum class Role { in, out, inout, index };

/// One pointer that a contract names in visit().
struct Field {
  std::string name;
  Role role;
  std::variant<float*, double*, bf16*, int32_t*, unsigned char*> data;  ///< the last: of records
  int64_t count;
  bool accumulate = false;
  int64_t bound = 0;  ///< of an index: one past the largest value

  bool written() const { return role == Role::out || role == Role::inout; }
  bool real() const {
    return !std::holds_alternative<int32_t*>(data) && !std::holds_alternative<unsigned char*>(data);
  }
  double get(int64_t i) const {
    return std::visit([i](auto* p) { return double(p[i]); }, data);
  }
  void set(int64_t i, double value) const {
    std::visit(
        [=](auto* p) {
          using T = std::remove_reference_t<decltype(*p)>;
          if constexpr (std::is_same_v<T, bf16>) {
            p[i] = bf16(float(value));
          } else {
            p[i] = T(value);
          }
        },
        data);
  }
  size_t bytes() const {
    return std::visit([this](auto* p) { return size_t(count) * sizeof(*p); }, data);
  }
  const void* raw() const {
    return std::visit([](auto* p) { return static_cast<const void*>(p); }, data);
  }
};

/// A visitor that lists a contract's fields; null pointers mean "absent" and are left out.
struct FieldList {
  std::vector<Field> fields;

  template <class T>
  void in(const char* name, const T* data, int64_t count) {
    add(name, Role::in, const_cast<T*>(data), count);
  }
  template <class T>
  void out(const char* name, T* data, int64_t count, bool accumulate = false) {
    add(name, Role::out, data, count);
    if (data) fields.back().accumulate = accumulate;
  }
  template <class T>
  void inout(const char* name, T* data, int64_t count) {
    add(name, Role::inout, data, count);
  }
  void index(const char* name, const int32_t* data, int64_t count, int64_t bound) {
    add(name, Role::index, const_cast<int32_t*>(data), count);
    if (data) fields.back().bound = bound;
  }
  /// What is neither a number of the contract's type nor an index: structs, 64-bit counters.
  template <class S>
  void record(const char* name, const S* data, int64_t count) {
    auto* bytes = reinterpret_cast<unsigned char*>(const_cast<S*>(data));
    add(name, Role::in, bytes, count * int64_t(sizeof(S)));
  }

 private:
  template <class T>
  void add(const char* name, Role role, T* data, int64_t count) {
    if (data) fields.push_back({name, role, data, count});
  }
};

/// A contract filled for one element type, without its type.
struct Instance {
  std::shared_ptr<Buffers> buffers;
  std::vector<Field> fields;
  std::function<void()> start;      ///< on the device of its buffers
  std::function<void()> reference;  ///< empty but in double, and where the family has one
  double flops = 0;

  /// Returns when the kernel is done.
  void run() const {
    start();
    on_device(buffers->device(), [](auto tag) { synchronize(tag, {}); });
  }

  const Field* find(const std::string& name) const {
    for (const Field& field : fields) {
      if (field.name == name) return &field;
    }
    return nullptr;
  }
};

/// One family in one shape.
struct Case {
  using Make = std::function<Instance(Element, std::shared_ptr<Buffers>)>;
  std::string name, label;
  Tolerance tolerance;
  bool has_bf16() const { return tolerance.bf16 > 0; }
  Make forward;
  Make backward;  ///< empty where the family has none
};

struct CaseTable {
  std::vector<Case> tests;
  std::vector<Case> benches;
  std::vector<Case> gpu_benches;  ///< of what fills a GPU
};

inline CaseTable& case_table() {
  static CaseTable table;
  return table;
}

/// Puts a family's shapes into the table; one constant of this type per family registers it.
template <class Family>
struct Register {
  Register() {
    for (const auto& shape : Family::shapes()) case_table().tests.push_back(make_case(shape));
    for (const auto& shape : Family::bench_shapes()) {
      case_table().benches.push_back(make_case(shape));
    }
    if constexpr (requires { Family::gpu_bench_shapes(); }) {
      for (const auto& shape : Family::gpu_bench_shapes()) {
        case_table().gpu_benches.push_back(make_case(shape));
      }
    }
  }

 private:
  using Shape = typename Family::Shape;

  static Case make_case(const Shape& shape) {
    Case result{Family::name, shape.label, {}, {}, {}};
    if constexpr (requires { Family::tolerance; }) result.tolerance = Family::tolerance;
    result.forward = maker(shape, [](auto zero, Buffers& b, const Shape& s) {
      return Family::template forward<decltype(zero)>(b, s);
    });
    if constexpr (requires(Buffers & b) { Family::template backward<double>(b, shape); }) {
      result.backward = maker(shape, [](auto zero, Buffers& b, const Shape& s) {
        return Family::template backward<decltype(zero)>(b, s);
      });
    }
    return result;
  }

  static Case::Make maker(const Shape& shape, auto fill) {
    return [=](Element element, std::shared_ptr<Buffers> buffers) {
      if constexpr (requires { requires Family::tolerance.bf16 > 0; }) {
        if (element == Element::bf16) return instance(fill(bf16{}, *buffers, shape), buffers);
      }
      return element == Element::f32 ? instance(fill(0.0f, *buffers, shape), buffers)
                                     : instance(fill(0.0, *buffers, shape), buffers);
    };
  }

  template <class Contract>
  static Instance instance(const Contract& contract, std::shared_ptr<Buffers> buffers) {
    FieldList list;
    contract.visit(list);
    Instance result{buffers, list.fields, {}, {}, contract.flops()};
    result.start = [contract, device = buffers->device()] { rlhf::run(device, contract); };
    if constexpr (requires { Family::reference(contract); }) {
      result.reference = [contract] { Family::reference(contract); };
    }
    return result;
  }
};

}  // namespace rlhf
