// What the machine has and what of it this process uses, for the Runs page and /metrics.
#pragma once

#include <cstdint>
#include <string>

namespace rlhf::serve {

struct MachineUse {
  std::string processor;
  unsigned cores = 0;
  double load = 0;  ///< of the last minute, as `uptime` tells
  int64_t rss_bytes = 0, total_bytes = 0;
};

MachineUse machine_use();

}  // namespace rlhf::serve
