// CUDA C++ for a machine without a GPU: with this header, any C++20 compiler builds the .cu files,
// and their kernels run on the CPU, thread by thread. Every thread of a block is a fiber; a
// scheduler that knows why each one waits runs them in a chosen order, and says in one line what is
// wrong where they wait for ever. docs/emulator.md tells what is checked and what cannot be.
//
// Only kernels/cuda/support/gpu.h includes this file; kernels are written to that header.
#pragma once

#include "kernels/cuda/emulator/atomics.h"
#include "kernels/cuda/emulator/barrier.h"
#include "kernels/cuda/emulator/cache_hints.h"
#include "kernels/cuda/emulator/copy_async.h"
#include "kernels/cuda/emulator/device_memory.h"
#include "kernels/cuda/emulator/language.h"
#include "kernels/cuda/emulator/launch.h"
#include "kernels/cuda/emulator/math.h"
#include "kernels/cuda/emulator/runtime.h"
#include "kernels/cuda/emulator/schedule.h"
#include "kernels/cuda/emulator/stream_mode.h"
#include "kernels/cuda/emulator/warp.h"
