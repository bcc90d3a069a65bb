// Where a command computes and in which elements, the same flags for every command.
#pragma once

#include <string>

#include "apps/flags.h"
#include "kernels/device_report.h"
#include "nn/module.h"

namespace rlhf {

class DeviceFlags {
 public:
  DeviceFlags() = default;
  DeviceFlags(const DeviceFlags&) = delete;  // flags are bound to the members
  DeviceFlags& operator=(const DeviceFlags&) = delete;

  void declare(Flags& flags);

  /// Where models are to live; says so on stderr when that is not the CPU.
  /// @throws InputError when there is no such device here, naming what stands in the way.
  Placement placement() const;

 private:
  std::string device_ = "auto";
  bool bf16_ = false;
};

/// The decision alone: `device` is auto, cpu, cuda or emulated, `gpu` what the CUDA half of this
/// build reports. An emulated GPU is hundreds of times slower than the CPU it runs on, so that only
/// its own name chooses it. @throws InputError
Placement choose_placement(const std::string& device, bool bf16, const DeviceReport& gpu);

/// What the CUDA half of this build reports; without one, that as a problem.
DeviceReport gpu_report();

/// A line about a GPU for people: its name, what it can do, its memory; or what is missing.
std::string gpu_text(const DeviceReport& gpu);

}  // namespace rlhf
