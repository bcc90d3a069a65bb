// The library of builds without one (cmake/cuda.cmake): it has a plan for nothing.
#include "kernels/cuda/support/attention_library.h"

namespace rlhf::gpu {

std::string attention_library_problem() {
  return "expected a build with cuDNN, got one without: install cuDNN 9.16 or later for developers "
         "and build anew, or use --attention native";
}

bool attend_by_library(const AttentionForward<bf16>&, Stream) { return false; }
bool attend_by_library(const AttentionBackward<bf16>&, Stream) { return false; }

}  // namespace rlhf::gpu
