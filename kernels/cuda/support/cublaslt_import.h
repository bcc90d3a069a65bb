// cuBLASLt, opened at the first product: NVIDIA's header declares its functions, cublaslt_import.cu
// defines those that are called here and passes each call on.
#pragma once

#include "kernels/cuda/support/shared_library.h"

namespace rlhf::gpu {

const SharedLibrary& cublaslt_library();

}  // namespace rlhf::gpu
