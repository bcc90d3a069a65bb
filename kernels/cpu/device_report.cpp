#include "kernels/device_report.h"

#include <fstream>

namespace rlhf {
namespace {

/// As Linux tells it for x86.
std::string processor_name() {
  std::ifstream lines("/proc/cpuinfo");
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != line.npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace

DeviceReport device_report(Cpu) {
  return {
    .name = processor_name(), .problem = {},
#if defined(__AVX512F__)
    .instructions = "AVX-512",
#elif defined(__AVX2__) && defined(__FMA__)
    .instructions = "AVX2",
#elif defined(__x86_64__)
    .instructions = "SSE2",
#else
    .instructions = "portable",
#endif
  };
}

}  // namespace rlhf
