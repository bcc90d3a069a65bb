// Asynchronous copies from global to shared memory (cp.async): support/mma.h builds on these. The
// bytes land when their thread waits for them, and until then the destination is NaN, so that a
// missing wait shows in every run.
#pragma once

#include <cstddef>

namespace rlhf::emulator {

/// Begins a copy of 4, 8 or 16 bytes, both sides aligned to as many, of which only the first `read`
/// are read; zeros land in place of the others.
void copy_async(void* shared, const void* global, size_t bytes, size_t read);
inline void copy_async(void* shared, const void* global, size_t bytes) {
  copy_async(shared, global, bytes, bytes);
}
/// Puts the copies that the thread began since the last call into one group.
void copy_async_commit();
/// Returns when no more than the newest `pending_groups` groups of the thread are on their way.
/// Other threads see what landed only behind a barrier.
void copy_async_wait(int pending_groups);

/// Forgets what the threads of the last block did not wait for.
void forget_async_copies();

}  // namespace rlhf::emulator
