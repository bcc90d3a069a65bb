// The lock of a device whose stream, scratch memory and recording the threads of the host share.
#pragma once

#include <mutex>

#include "kernels/device.h"

namespace rlhf {

/// While a thread holds it, nothing of other threads gets into the device's streams: what it puts
/// there lies side by side, so that its kernels find in the scratch memory what they left, and no
/// recording takes in what is not its own. Held by run(), by copies and fills, by a replay, and by
/// a recording from its begin to its end. The thread that holds it may take it again.
///
/// Lock order: nobody who holds it waits for a lock under which somebody takes it; an allocator,
/// which asks for raw memory under its own, takes none. Who waits for results does not hold it, so
/// that others go on giving the device work.
using DeviceLock = std::unique_lock<std::recursive_mutex>;
[[nodiscard]] DeviceLock lock_device(Cuda);

/// Threads compute side by side on the CPU, each in working memory of its own.
struct NoLock {};
[[nodiscard]] inline NoLock lock_device(Cpu) { return {}; }

}  // namespace rlhf
