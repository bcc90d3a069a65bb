#include "kernels/cuda/emulator/launch.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "kernels/cuda/emulator/copy_async.h"
#include "kernels/cuda/emulator/device_memory.h"
#include "kernels/cuda/emulator/device_thread.h"
#include "kernels/cuda/emulator/stream.h"
#include "kernels/cuda/emulator/thread_block.h"

namespace rlhf::emulator {
namespace {

/// What every GPU since Hopper takes.
constexpr size_t most_shared_bytes = 227 << 10;
constexpr unsigned most_blocks_y = 65535;

std::string text(uint3 index) {
  return "(" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " +
         std::to_string(index.z) + ")";
}
std::string text(dim3 size) { return text(uint3{size.x, size.y, size.z}); }

[[noreturn]] void refuse(const Kernel& kernel, const std::string& what) {
  throw std::runtime_error("[kernel " + std::string(kernel.name) + "] " + what);
}

void check_size(const Kernel& kernel) {
  const dim3 g = kernel.grid, b = kernel.block;
  if (!g.x || !g.y || !g.z || g.x > 0x7fffffffu || g.y > most_blocks_y || g.z > most_blocks_y) {
    refuse(kernel, "expected a grid of 1 to (2147483647, 65535, 65535) blocks, got " + text(g));
  }
  if (!b.x || !b.y || !b.z || b.z > 64 ||
      size_t(b.x) * b.y * b.z > size_t(ThreadBlock::most_threads)) {
    refuse(kernel, "expected a block of 1 to 1024 threads, got " + text(b));
  }
  if (kernel.shared_bytes > most_shared_bytes) {
    refuse(kernel, "expected at most " + std::to_string(most_shared_bytes) +
                       " bytes of dynamic shared memory, got " +
                       std::to_string(kernel.shared_bytes));
  }
}

/// The dynamic shared memory of one launch. Behind it lies a guard band; AddressSanitizer's red
/// zone begins at the exact size.
class SharedMemory {
 public:
  explicit SharedMemory(size_t bytes) : bytes_(bytes), size_(bytes + (under_asan ? 0 : guard)) {
    if (bytes == 0) return;
    if (posix_memalign(&memory_, 128, size_)) throw std::bad_alloc();
  }
  ~SharedMemory() {
    const Unwatched by_design;  // threads that used it are done, whatever ThreadSanitizer is told
    std::free(memory_);
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  void poison() {
    if (memory_) std::memset(memory_, 0xff, size_);
  }
  bool guard_intact() const {
    for (size_t i = bytes_; memory_ && i < size_; i++) {
      if (static_cast<const unsigned char*>(memory_)[i] != 0xff) return false;
    }
    return true;
  }
  void* memory() const { return memory_; }

 private:
  static constexpr size_t guard = 64;
  size_t bytes_, size_;
  void* memory_ = nullptr;
};

void* dynamic_memory = nullptr;

void run_block(const Kernel& kernel, SharedMemory& shared, RaceCheck* race_check) {
  dynamic_memory = shared.memory();
  shared.poison();
  const auto where = [] { return "block " + text(blockIdx) + ": "; };
  try {
    running_block.run(schedule(), kernel.call, kernel.arguments.get(), race_check);
  } catch (const std::runtime_error& error) {
    forget_async_copies();
    refuse(kernel, where() + error.what());
  }
  forget_async_copies();
  if (!shared.guard_intact()) {
    refuse(kernel, where() + "expected writes within " + std::to_string(kernel.shared_bytes) +
                       " bytes of dynamic shared memory, got one behind them");
  }
}

/// body() for every value of blockIdx.
template <class Body>
void for_blocks(dim3 grid, const Body& body) {
  for (unsigned z = 0; z < grid.z; z++) {
    for (unsigned y = 0; y < grid.y; y++) {
      for (unsigned x = 0; x < grid.x; x++) {
        blockIdx = {x, y, z};
        body();
      }
    }
  }
}

/// Every block gets a thread and memory of its own, so that nothing orders it with another.
void run_watched(const Kernel& kernel) {
  const dim3 b = kernel.block;
  for_blocks(kernel.grid, [&] {
    SharedMemory shared(kernel.shared_bytes);
    RaceCheck race_check(int(b.x * b.y * b.z));
    try {
      on_new_thread([&] { run_block(kernel, shared, &race_check); });
    } catch (...) {
      wait_for_threads();
      race_check.wait_for_waiting();
      throw;
    }
  });
  wait_for_threads();
}

/// Arguments are looked through word by word, which padding must not disturb. Sanitizers map so
/// much of the address space that two numbers side by side would look like an address.
void check_arguments([[maybe_unused]] const Kernel& kernel) {
#if __has_builtin(__builtin_clear_padding)
  if (under_asan || under_tsan) return;
  const auto* const function = static_cast<const char*>(kernel.arguments.get());
  check_reachable(function + sizeof(void*), kernel.argument_bytes - sizeof(void*), kernel.name);
#endif
}

void run_kernel(const Kernel& kernel) {
  check_arguments(kernel);
  gridDim = kernel.grid;
  blockDim = kernel.block;
  if (under_tsan) {
    run_watched(kernel);
  } else {
    SharedMemory shared(kernel.shared_bytes);
    on_device_thread([&] { for_blocks(kernel.grid, [&] { run_block(kernel, shared, nullptr); }); });
  }
  check_guard_bands(kernel.arguments.get(), kernel.argument_bytes,
                    "kernel " + std::string(kernel.name));
}

}  // namespace

void* dynamic_shared() {
  if (!dynamic_memory) {
    running_block.fail("expected no use of dynamic shared memory, as none was asked for");
  }
  return dynamic_memory;
}

void launch(Kernel kernel, cudaStream_t stream) {
  check_size(kernel);
  enqueue(stream, [kernel = std::move(kernel)] { run_kernel(kernel); });
}

}  // namespace rlhf::emulator
