// Launching a kernel: what <<<>>> does.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

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
  std::shared_ptr<const void> arguments;  ///< the function, and behind it what it is called with
  size_t argument_bytes;
};

/// Sets to 0 what lies between a struct's members: whatever is there could look like a pointer.
template <class T>
void clear_padding([[maybe_unused]] T& value) {
#if __has_builtin(__builtin_clear_padding)
  // What is empty may lie where something else does.
  if constexpr (!std::is_empty_v<T>) __builtin_clear_padding(&value);
#endif
}

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
  struct alignas(Call) Place {
    unsigned char bytes[sizeof(Call)] = {};
  };
  auto place = std::make_shared<Place>();
  auto* const call = new (place->bytes) Call{kernel, {arguments...}};
  std::apply([](auto&... all) { (clear_padding(all), ...); }, call->arguments);
  launch(Kernel{name, grid, block, shared_bytes,
                [](const void* called) {
                  const Call& mine = *static_cast<const Call*>(called);
                  std::apply(mine.kernel, mine.arguments);
                },
                // Moved: another thread may run the kernel and free them before this one returns.
                std::shared_ptr<const void>(std::move(place), call), sizeof(Call)},
         stream);
}

/// The dynamic shared memory of the block that runs: NaN before the block writes it.
void* dynamic_shared();

}  // namespace rlhf::emulator
