// A caching allocator. Training asks for the same sizes step after step; handing memory back to the
// system between steps would cost more in page faults than the arithmetic does (fresh pages come at
// 1-2 GB/s, cached ones at 20), and a GPU's driver waits for the device each time. Freed blocks
// wait in size classes for the next request.
//
// A block may be handed out again while the device still works on what it held: all work goes into
// one stream, so that who gets it next writes later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "kernels/device.h"

namespace rlhf {

/// Bytes as the allocator sees them; `peak` is the largest `live` so far.
struct MemoryStatistics {
  size_t live = 0;  ///< in blocks that somebody holds
  size_t peak = 0;
  size_t cached = 0;  ///< in blocks that wait to be used again
};

class Allocator {
 public:
  /// The allocator of a device, one per process. @throws Error when the device cannot be used.
  static Allocator& of(Device device);
  /// Where a new tensor of a device gets its memory: of(device), or the pool of this thread.
  static std::shared_ptr<Allocator> current(Device device);

  explicit Allocator(Device device) : device_(device) {}
  /// A pool, in which one thread allocates: borrows its blocks from another allocator, and keeps
  /// each of them until trim() or its end. A request is also given a block of up to twice its size:
  /// what is recorded for many shapes then takes little more than for the largest, if that comes
  /// first.
  explicit Allocator(Allocator& lender) : device_(lender.device_), lender_(&lender) {}
  Device device() const { return device_; }
  ~Allocator() { trim(); }
  Allocator(const Allocator&) = delete;
  Allocator& operator=(const Allocator&) = delete;

  /// Memory for `bytes`, aligned to 64 bytes, on a GPU to 256. Debug builds fill it with NaN.
  /// @throws Error naming the bytes asked for, live and cached when the device has no room.
  void* allocate(size_t bytes);
  /// Takes back what allocate(bytes) gave, or null. Asks nobody for memory, so that tensors can be
  /// destroyed when there is none left.
  void release(void* memory, size_t bytes) noexcept;

  /// Gives every cached block back to the device, or to the lender.
  void trim();
  /// Names a function that gives back what `owner` can do without; an empty one takes it off again.
  /// It is called, in whatever thread needs memory, when there is none left.
  void set_relief(const void* owner, std::function<void()> relieve);
  MemoryStatistics statistics() const;

  /// Requests are rounded up to a size class: powers of two with three steps between them, so that
  /// at most a quarter of a block is unused and nearly equal sizes share blocks.
  static size_t size_class(size_t bytes);

 private:
  /// The size class, on a GPU rounded up to what its memory is handed out in.
  size_t block_size(size_t bytes) const;
  void trim_locked();
  /// A waiting block that `size` bytes fit into, or a new one; null when there is none.
  void* take_waiting(size_t size);
  void* take_new(size_t size, std::unique_lock<std::mutex>& lock);
  /// "..., got none (...)": what stands in the way.
  [[noreturn]] void refuse(size_t bytes, size_t cached) const;

  /// The blocks of one size. `waiting` has room for all of them at any time.
  struct SizeClass {
    std::vector<void*> waiting;
    size_t blocks = 0;
  };

  Device device_;
  Allocator* lender_ = nullptr;
  mutable std::mutex mutex_;
  std::map<size_t, SizeClass> classes_;
  std::unordered_map<void*, size_t> borrowed_;  // a pool's blocks, with their sizes
  std::map<const void*, std::function<void()>> relief_;
  MemoryStatistics statistics_;
};

/// While it lives, tensors that this thread makes on the allocator's device get their memory from
/// it: what a recorded graph writes to must belong to nobody else as long as the graph may run.
class MemoryPool {
 public:
  explicit MemoryPool(std::shared_ptr<Allocator> pool);
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

 private:
  std::shared_ptr<Allocator> outer_;
};

}  // namespace rlhf
