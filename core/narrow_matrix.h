// Weights that nobody trains, in fewer bits (kernels/narrow_gemm.h): what is kept in place of a
// matrix of floats, and how it is made from one.
#pragma once

#include "core/tensor.h"

namespace rlhf {

/// A matrix (inputs, outputs) of bf16, rounded to nearest, ties to even; or of int8 with one scale
/// an output: the largest |weight| of that output over 127, so that no code is -128, and codes are
/// weights over scales rounded likewise (symmetric quantisation by channel: Krishnamoorthi 2018,
/// arXiv:1806.08342, section 2.2).
class NarrowMatrix {
 public:
  NarrowMatrix() = default;
  /// Of `matrix`, f32 (inputs, outputs), or (outputs, inputs) when `transposed`; on its device.
  /// `dtype`: bf16 or i8. Types change on the host, as those of tensors do.
  /// @throws InputError when a weight is not finite, naming `what`.
  NarrowMatrix(const Tensor& matrix, bool transposed, DType dtype, std::string_view what);

  bool defined() const { return values_.defined(); }
  int64_t inputs() const { return values_.shape()[1]; }
  int64_t outputs() const { return outputs_; }
  DType dtype() const { return values_.dtype(); }
  Device device() const { return values_.device(); }

  /// (panels, inputs, narrow_panel), as narrow_place orders them.
  const Tensor& values() const { return values_; }
  /// f32 (outputs); undefined in bf16.
  const Tensor& scale() const { return scale_; }
  int64_t bytes() const;

  /// What it stands for: f32 (inputs, outputs), on the host.
  Tensor widened() const;

 private:
  Tensor values_, scale_;
  int64_t outputs_ = 0;
};

/// Calls body(W{}) with the type of a narrow matrix's elements.
template <class Body>
decltype(auto) dispatch_narrow(DType dtype, Body&& body) {
  check(dtype == DType::bf16 || dtype == DType::i8, "dispatch",
        "expected narrow weights of bf16 or i8, got {}", name_of(dtype));
  return dtype == DType::bf16 ? body(bf16{}) : body(int8_t{});
}

}  // namespace rlhf
