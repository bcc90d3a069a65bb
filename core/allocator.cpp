#include "core/allocator.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/check.h"
#include "kernels/device_report.h"
#include "kernels/run.h"

namespace rlhf {
namespace {
thread_local std::shared_ptr<Allocator> pool_of_thread;
}

MemoryPool::MemoryPool(std::shared_ptr<Allocator> pool)
    : outer_(std::exchange(pool_of_thread, std::move(pool))) {}
MemoryPool::~MemoryPool() { pool_of_thread = std::move(outer_); }

std::shared_ptr<Allocator> Allocator::current(Device device) {
  if (pool_of_thread && pool_of_thread->device() == device) return pool_of_thread;
  return {std::shared_ptr<Allocator>(), &of(device)};  // owned by nobody: it is never destroyed
}

Allocator& Allocator::of(Device device) {
  // Never destroyed: tensors in static storage may outlive any order of destruction.
  static Allocator* const cpu = new Allocator(Device::cpu);
  if (device == Device::cpu) return *cpu;
  static Allocator* const cuda = [] {
    const std::string problem = device_problem(Device::cuda);
    check(problem.empty(), "device", "{}", problem);
    return new Allocator(Device::cuda);
  }();
  return *cuda;
}

size_t Allocator::size_class(size_t bytes) {
  constexpr size_t kSmallest = 64;
  if (bytes <= kSmallest) return kSmallest;
  if (bytes > SIZE_MAX / 2) return bytes;  // nobody has it, and rounding up could wrap around
  const size_t quarter = std::bit_floor(bytes - 1) / 4;
  return std::max(kSmallest, (bytes + quarter - 1) / quarter * quarter);
}

size_t Allocator::block_size(size_t bytes) const {
  constexpr size_t granularity = 256;
  const size_t size = size_class(bytes);
  if (device_ == Device::cpu || size > SIZE_MAX / 2) return size;
  return (size + granularity - 1) / granularity * granularity;
}

void Allocator::refuse(size_t bytes, size_t cached) const {
  const DeviceReport report = on_device(device_, [](auto tag) { return device_report(tag); });
  const std::string room = report.total_bytes == 0
                               ? ""
                               : fmt::format("; {} of {} free on {}", report.free_bytes,
                                             report.total_bytes, report.name);
  throw Error(
      fmt::format("[memory] expected room for {} bytes, got none ({} bytes live, {} cached{})",
                  bytes, statistics_.live, cached, room));
}

void* Allocator::take_waiting(size_t size) {
  const size_t most = lender_ ? 2 * size : size;
  for (auto at = classes_.lower_bound(size); at != classes_.end() && at->first <= most; ++at) {
    std::vector<void*>& waiting = at->second.waiting;
    if (waiting.empty()) continue;
    void* const memory = waiting.back();
    waiting.pop_back();
    statistics_.cached -= at->first;
    statistics_.live += at->first;
    return memory;
  }
  return nullptr;
}

void* Allocator::take_new(size_t size, std::unique_lock<std::mutex>& lock) {
  auto& [waiting, blocks] = classes_[size];
  if (blocks == waiting.capacity()) waiting.reserve(std::max<size_t>(8, 2 * blocks));
  void* memory = nullptr;
  if (lender_) {
    lock.unlock();  // the lender may ask for what is here
    memory = lender_->allocate(size);
    lock.lock();
    borrowed_[memory] = size;
  } else {
    memory = on_device(device_, [&](auto tag) { return rlhf::allocate(tag, size); });
  }
  if (!memory) return nullptr;
  blocks++;
  statistics_.live += size;
  return memory;
}

void* Allocator::allocate(size_t bytes) {
  const size_t size = block_size(bytes);
  void* memory = nullptr;
  {
    std::unique_lock lock(mutex_);
    memory = take_waiting(size);
    if (!memory) memory = take_new(size, lock);
    if (!memory) {  // cached blocks of other sizes may be what is in the way, here or in pools
      const size_t cached = statistics_.cached;
      const auto relief = relief_;
      lock.unlock();
      for (const auto& [owner, relieve] : relief) relieve();
      lock.lock();
      trim_locked();
      memory = take_new(size, lock);
      if (!memory) refuse(size, cached);
    }
    statistics_.peak = std::max(statistics_.peak, statistics_.live);
  }
#ifndef NDEBUG
  on_device(device_, [&](auto tag) { fill(tag, memory, 0xff, size, Stream{}); });
#endif
  return memory;
}

void Allocator::release(void* memory, size_t bytes) noexcept {
  if (!memory) return;
  std::lock_guard lock(mutex_);
  const size_t size = lender_ ? borrowed_.find(memory)->second : block_size(bytes);
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
    for (void* block : waiting) {
      if (lender_) {
        lender_->release(block, size);
        borrowed_.erase(block);
      } else {
        on_device(device_, [&](auto tag) { rlhf::release(tag, block); });
      }
    }
    statistics_.cached -= size * waiting.size();
    blocks -= waiting.size();
    waiting.clear();
  }
}

void Allocator::set_relief(const void* owner, std::function<void()> relieve) {
  std::lock_guard lock(mutex_);
  if (relieve) {
    relief_[owner] = std::move(relieve);
  } else {
    relief_.erase(owner);
  }
}

MemoryStatistics Allocator::statistics() const {
  std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace rlhf
