// cuDNN, opened when somebody first asks for it: NVIDIA's header declares its functions,
// cudnn_import.cu defines those that are called here and passes each call on.
#pragma once

#include "kernels/cuda/support/shared_library.h"

namespace rlhf::gpu {

const SharedLibrary& cudnn_library();

}  // namespace rlhf::gpu
