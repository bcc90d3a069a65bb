// Launching a kernel: what <<<>>> does.
#pragma once

#include <cstddef>
#include <memory>
#include <tuple>

#include "kernels/cuda/emulator/language.h"
#include "kernels/cuda/emulator/runtime.h"
#include "kernels/cuda/emulator/schedule.h"

namespace rlhf::emulator {

/// A kernel with its arguments, without its type.
struct Kernel {
  const char* name;
  dim3 grid, block;
  size_t shared_bytes;
  void (*call)(const void* arguments);
  std::shared_ptr<const void> arguments;
  size_t argument_bytes;
};

/// Puts the kernel into the stream.
/// @throws std::runtime_error with one line when no GPU would take such a launch, and, where the
/// stream runs it at once, when its threads wait for ever or misuse an operation.
void launch(Kernel kernel, cudaStream_t stream);

template <class... Parameters, class... Arguments>
void launch(const char* name, dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream,
            void (*kernel)(Parameters...), const Arguments&... arguments) {
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<Parameters...> arguments;
  };
  launch(Kernel{name, grid, block, shared_bytes,
                [](const void* call) {
                  const Call& mine = *static_cast<const Call*>(call);
                  std::apply(mine.kernel, mine.arguments);
                },
                std::make_shared<Call>(Call{kernel, {arguments...}}), sizeof(Call)},
         stream);
}

/// The dynamic shared memory of the block that runs: NaN before the block writes it.
void* dynamic_shared();

}  // namespace rlhf::emulator
