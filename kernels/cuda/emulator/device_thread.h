// The thread of the system that kernels run on. It is not the caller's, because `__shared__` is
// thread_local: what a kernel finds in its static shared memory is then ours to decide.
#pragma once

#include <functional>

namespace rlhf::emulator {

/// Runs `body` on the device's thread, with all static shared memory full of NaN, and returns when
/// it is done.
/// @throws what the body throws.
void on_device_thread(const std::function<void()>& body);

/// The same on a thread that begins and ends with the call: static shared memory that no other
/// thread has touched, as ThreadSanitizer sees it.
void on_new_thread(const std::function<void()>& body);

}  // namespace rlhf::emulator
