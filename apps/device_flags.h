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

  /// Where models are to live; says so on stderr when that is not the CPU in float32. From here on
  /// attention is computed by whom --attention names, and the CPU's products in what --bf16 says.
  /// @throws InputError when there is no such device or library here, naming what stands in the
  /// way.
  Placement placement() const;
  /// The same of models that nobody will train.
  Placement placement_for_inference() const;

 private:
  std::string device_ = "auto";
  bool bf16_ = false;
  std::string attention_ = "native";
};

/// The decision alone: `device` is auto, cpu, cuda or emulated, `gpu` what the CUDA half of this
/// build reports. An emulated GPU is hundreds of times slower than the CPU it runs on, so that only
/// its own name chooses it. On the CPU elements are float32 whatever `bf16` is, which is then about
/// products alone. @throws InputError
Placement choose_placement(const std::string& device, bool bf16, const DeviceReport& gpu);

/// Whether attention can be computed by `attention`, native or cudnn, there. `library_problem`: why
/// this build cannot ask cuDNN; empty: it can. @throws InputError
void check_attention(const std::string& attention, const Placement& placement,
                     const DeviceReport& gpu, const std::string& library_problem);

/// Why this build cannot ask cuDNN for attention, and what to do about it; empty: it can.
std::string cudnn_problem();

/// Why this build cannot ask cuBLASLt for matrix products, and what to do about it; empty: it can.
/// Our own kernels then take them all.
std::string cublaslt_problem();

/// What the CUDA half of this build reports; without one, that as a problem.
DeviceReport gpu_report();

/// A line about a GPU for people: its name, what it can do, its memory; or what is missing.
std::string gpu_text(const DeviceReport& gpu);

}  // namespace rlhf
