// Recorded launches: what was put into a stream once, put there again as one piece of work. The CPU
// runs in place and has nothing to record.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// From here on the stream keeps what it is given instead of running it. Nothing may wait for it or
/// copy from or to the host until end_recording(). Other threads' work waits until then, too
/// (kernels/device_lock.h); so the same thread ends a recording, and it has one at a time.
void begin_recording(Cuda, Stream stream);
/// What was recorded, to be given to release_recording() in the end.
/// @throws std::runtime_error when something in between could not be recorded.
void* end_recording(Cuda, Stream stream);
/// Ends the recording and keeps nothing of it; whatever spoiled it is not reported.
void abandon_recording(Cuda, Stream stream);
/// Runs it once more, with the same pointers and sizes on whatever memory now holds.
void replay(Cuda, void* recording, Stream stream);
void release_recording(Cuda, void* recording);

}  // namespace rlhf
