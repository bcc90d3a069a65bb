// What a device is, and when it cannot be used, why: for choosing one, for error texts, and for the
// report that a bug needs.
#pragma once

#include <cstddef>
#include <string>

#include "kernels/run.h"

namespace rlhf {

struct DeviceReport {
  std::string name;       ///< of the device, as its maker calls it
  std::string problem;    ///< why it cannot be used, and what to do about it; empty: it can be
  bool emulated = false;  ///< kernels are interpreted on the CPU
  std::string instructions = {};  ///< of a CPU, that its kernels are compiled for: AVX-512, ...
  size_t total_bytes = 0, free_bytes = 0;
  int multiprocessors = 0;
  int capability = 0;           ///< 90 for 9.0
  int runtime = 0, driver = 0;  ///< CUDA's numbers: 13000 for 13.0
};

/// Never throws: a machine without a driver gets a report with a problem.
DeviceReport device_report(Cpu);
DeviceReport device_report(Cuda);

/// Why the device cannot be used; empty when it can.
inline std::string device_problem(Device device) {
  if (device == Device::cuda && !has_cuda) {
    return "expected a build with a CUDA half, got one without: use --device cpu";
  }
  return on_device(device, [](auto tag) { return device_report(tag).problem; });
}

}  // namespace rlhf
