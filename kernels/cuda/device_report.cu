#include "kernels/device_report.h"

#include "kernels/cuda/support/gpu.h"

namespace rlhf {
namespace {

constexpr int least_capability = 80;  // bfloat16 tensor cores, asynchronous copies: Ampere

/// 13.0 for CUDA's number 13000.
std::string version(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

/// What stands in the way before any device is asked.
std::string problem_of(cudaError_t status, int driver, int runtime) {
  if (driver == 0) {
    return "expected NVIDIA's driver, found none: install it, use --device cpu, or start with "
           "RLHF_CUDA=EMULATED ./rlhf and use --device emulated";
  }
  if (status == cudaErrorInsufficientDriver) {
    return "expected a driver for CUDA " + version(runtime) + ", found one for CUDA " +
           version(driver) + ": update it, or use --device cpu";
  }
  if (status == cudaErrorNoDevice)
    return "expected a GPU, found none: use --device cpu, or start with RLHF_CUDA=EMULATED ./rlhf "
           "and "
           "use --device emulated";
  return std::string("expected a GPU, got ") + cudaGetErrorString(status);
}

}  // namespace

DeviceReport device_report(Cuda) {
  DeviceReport report;
#ifndef __CUDACC__
  report.emulated = true;
#endif
  static_cast<void>(cudaDriverGetVersion(&report.driver));
  static_cast<void>(cudaRuntimeGetVersion(&report.runtime));
  int devices = 0;
  cudaError_t status = cudaGetDeviceCount(&devices);
  cudaDeviceProp properties{};
  if (status == cudaSuccess) status = cudaGetDeviceProperties(&properties, 0);
  if (status != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    report.problem = problem_of(status, report.driver, report.runtime);
    return report;
  }
  report.name = properties.name;
  report.capability = properties.major * 10 + properties.minor;
  report.multiprocessors = properties.multiProcessorCount;
  if (report.capability < least_capability) {
    report.problem = "expected a GPU of compute capability 8.0 or more, got " + report.name +
                     " of " + std::to_string(properties.major) + "." +
                     std::to_string(properties.minor) + ": use --device cpu";
    return report;
  }
  status = cudaMemGetInfo(&report.free_bytes, &report.total_bytes);
  if (status != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    report.problem = std::string("expected a GPU at our disposal, got ") +
                     cudaGetErrorString(status) + ": is another program using all of it?";
  }
  return report;
}

}  // namespace rlhf
