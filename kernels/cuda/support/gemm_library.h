// NVIDIA's cuBLASLt behind the contract, and who chooses between it and our own kernels. An
// emulated build has our own only.
#pragma once

#include <string>

#include "kernels/gemm.h"

namespace rlhf::gpu {

enum class GemmLibrary {
  automatic,  ///< the library, but for products of few rows or columns, which our kernels stream
  native,     ///< our kernels only
  cublaslt,   ///< the library wherever it has a plan
};

/// How products are computed from now on; meant to be set before the first. Any change may change
/// bits.
struct GemmOptions {
  GemmLibrary library = GemmLibrary::automatic;
  bool tf32 = false;  ///< the library may round factors of float to 10 bits: about 8 times as fast
};

/// At first what RLHF_GEMM names: native, cublaslt or auto (the default).
/// @throws std::invalid_argument when it is something else.
GemmOptions& gemm_options();

/// Why the library cannot be asked, and what to do about it; empty: it can. Products then go to our
/// own kernels, unless the library is insisted on.
std::string gemm_library_problem();

/// Puts the product into the stream by way of the library; false when it has no plan for it, or had
/// one that this GPU turned out not to support.
/// @throws std::runtime_error with one line when the library is insisted on and is not there.
template <class T, class Out>
bool multiply_by_library(const Gemm<T, Out>& g, Stream stream);

}  // namespace rlhf::gpu
