// A caching allocator. Training asks for the same sizes step after step; handing memory back to the
// system between steps would cost more in page faults than the arithmetic does (fresh pages come at
// 1-2 GB/s, cached ones at 20). Freed blocks wait in size classes for the next request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
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
  /// The allocator of a device, one per process.
  static Allocator& of(Device device);

  explicit Allocator(Device device) : device_(device) {}
  ~Allocator() { trim(); }
  Allocator(const Allocator&) = delete;
  Allocator& operator=(const Allocator&) = delete;

  /// Memory for `bytes`, 64-byte aligned. Debug builds fill it with NaN.
  /// @throws Error naming the bytes asked for, live and cached when the device has no room.
  void* allocate(size_t bytes);
  /// Takes back what allocate(bytes) gave, or null. Asks nobody for memory, so that tensors can be
  /// destroyed when there is none left.
  void release(void* memory, size_t bytes) noexcept;

  /// Gives every cached block back to the device.
  void trim();
  MemoryStatistics statistics() const;

  /// Requests are rounded up to a size class: powers of two with three steps between them, so that
  /// at most a quarter of a block is unused and nearly equal sizes share blocks.
  static size_t size_class(size_t bytes);

 private:
  void trim_locked();

  /// The blocks of one size. `waiting` has room for all of them at any time.
  struct SizeClass {
    std::vector<void*> waiting;
    size_t blocks = 0;
  };

  Device device_;
  mutable std::mutex mutex_;
  std::map<size_t, SizeClass> classes_;
  MemoryStatistics statistics_;
};

}  // namespace rlhf
