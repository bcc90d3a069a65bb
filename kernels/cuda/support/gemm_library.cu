// The user's choice between cuBLASLt and our own kernels.
#include "kernels/cuda/support/gemm_library.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace rlhf::gpu {
namespace {

GemmOptions options_of_environment() {
  const char* const value = std::getenv("RLHF_GEMM");
  const std::string name = value ? value : "auto";
  if (name == "native") return {GemmLibrary::native};
  if (name == "cublaslt") return {GemmLibrary::cublaslt};
  if (name == "auto" || name.empty()) return {};
  throw std::invalid_argument("[RLHF_GEMM] expected native, cublaslt or auto, got " + name);
}

}  // namespace

GemmOptions& gemm_options() {
  static GemmOptions options = options_of_environment();
  return options;
}

}  // namespace rlhf::gpu
