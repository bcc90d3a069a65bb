// The library of builds without one (cmake/cuda.cmake): it has a plan for nothing.
#include "kernels/cuda/support/gemm_library.h"

namespace rlhf::gpu {

std::string gemm_library_problem() {
  return "expected a build for GPUs, got one that emulates them";
}

template <class T, class Out>
bool multiply_by_library(const Gemm<T, Out>&, Stream) {
  return false;
}

template bool multiply_by_library(const Gemm<float>&, Stream);
template bool multiply_by_library(const Gemm<bf16>&, Stream);
template bool multiply_by_library(const Gemm<bf16, float>&, Stream);

}  // namespace rlhf::gpu
