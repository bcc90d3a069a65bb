#include "core/allocator.h"

#include <algorithm>
#include <bit>

#include "core/check.h"
#include "kernels/run.h"

namespace rlhf {

Allocator& Allocator::of(Device device) {
  // Never destroyed: tensors in static storage may outlive any order of destruction.
  static Allocator* cpu = new Allocator(Device::cpu);
  check(device == Device::cpu, "allocator", "expected device cpu: this build has no CUDA half");
  return *cpu;
}

size_t Allocator::size_class(size_t bytes) {
  constexpr size_t kSmallest = 64;
  if (bytes <= kSmallest) return kSmallest;
  if (bytes > SIZE_MAX / 2) return bytes;  // nobody has it, and rounding up could wrap around
  const size_t quarter = std::bit_floor(bytes - 1) / 4;
  return std::max(kSmallest, (bytes + quarter - 1) / quarter * quarter);
}

void* Allocator::allocate(size_t bytes) {
  const size_t size = size_class(bytes);
  void* memory = nullptr;
  {
    std::lock_guard lock(mutex_);
    auto& [waiting, blocks] = classes_[size];
    if (!waiting.empty()) {
      memory = waiting.back();
      waiting.pop_back();
      statistics_.cached -= size;
    } else {
      if (blocks == waiting.capacity()) waiting.reserve(std::max<size_t>(8, 2 * blocks));
      const auto ask = [&] {
        return on_device(device_, [&](auto tag) { return rlhf::allocate(tag, size); });
      };
      memory = ask();
      if (!memory) {  // cached blocks of other sizes may be what is in the way
        trim_locked();
        memory = ask();
      }
      check(memory != nullptr, "memory", "expected room for {} bytes, got none ({} bytes live)",
            size, statistics_.live);
      blocks++;
    }
    statistics_.live += size;
    statistics_.peak = std::max(statistics_.peak, statistics_.live);
  }
#ifndef NDEBUG
  on_device(device_, [&](auto tag) { fill(tag, memory, 0xff, size, Stream{}); });
#endif
  return memory;
}

void Allocator::release(void* memory, size_t bytes) noexcept {
  if (!memory) return;
  const size_t size = size_class(bytes);
  std::lock_guard lock(mutex_);
  classes_.find(size)->second.waiting.push_back(memory);
  statistics_.live -= size;
  statistics_.cached += size;
}

void Allocator::trim() {
  std::lock_guard lock(mutex_);
  trim_locked();
}

void Allocator::trim_locked() {
  for (auto& [size, of_size] : classes_) {
    auto& [waiting, blocks] = of_size;
    for (void* block : waiting) on_device(device_, [&](auto tag) { rlhf::release(tag, block); });
    statistics_.cached -= size * waiting.size();
    blocks -= waiting.size();
    waiting.clear();
  }
}

MemoryStatistics Allocator::statistics() const {
  std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace rlhf
