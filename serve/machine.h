// What the machine has and what of it this process uses, for the Runs page and /metrics.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernels/device.h"

namespace rlhf::serve {

struct MachineUse {
  std::string processor;
  unsigned cores = 0;
  double load = 0;  ///< of the last minute, as `uptime` tells
  int64_t rss_bytes = 0, total_bytes = 0;
};

MachineUse machine_use();

struct GpuUse {
  std::string name;
  int64_t used_bytes = 0, total_bytes = 0;  ///< used by all programs
};

/// Of the GPU, where models live on it; none where they live on the CPU, so that a GPU that nobody
/// asked for is not woken.
std::optional<GpuUse> gpu_use(Device models);

}  // namespace rlhf::serve
