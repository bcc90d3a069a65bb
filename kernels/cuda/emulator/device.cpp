// The emulated GPU as it describes itself, and CUDA's errors.
#include <cstring>

#include "kernels/cuda/emulator/stream.h"

namespace {

struct Named {
  cudaError_t error;
  const char* name;
  const char* text;
};
#define RLHF_ERROR(error, text) \
  { error, #error, text }
constexpr Named errors[] = {
    RLHF_ERROR(cudaSuccess, "no error"),
    RLHF_ERROR(cudaErrorInvalidValue, "invalid argument"),
    RLHF_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    RLHF_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    RLHF_ERROR(cudaErrorInsufficientDriver,
               "CUDA driver version is insufficient for CUDA runtime version"),
    RLHF_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    RLHF_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    RLHF_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    RLHF_ERROR(cudaErrorIllegalState, "the operation cannot be performed in the present state"),
    RLHF_ERROR(cudaErrorNotReady, "device not ready"),
    RLHF_ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    RLHF_ERROR(cudaErrorLaunchFailure, "unspecified launch failure"),
    RLHF_ERROR(cudaErrorNotSupported, "operation not supported"),
    RLHF_ERROR(cudaErrorStreamCaptureUnsupported,
               "operation not permitted when stream is capturing"),
    RLHF_ERROR(cudaErrorStreamCaptureInvalidated,
               "operation failed due to a previous error during capture"),
    RLHF_ERROR(cudaErrorStreamCaptureUnmatched, "capture was not initiated in this stream"),
    RLHF_ERROR(cudaErrorStreamCaptureUnjoined, "capturing stream has unjoined work"),
    RLHF_ERROR(cudaErrorCapturedEvent,
               "operation not permitted on an event last recorded in a capturing stream"),
    RLHF_ERROR(cudaErrorUnknown, "unknown error"),
};
#undef RLHF_ERROR

const Named& named(cudaError_t error) {
  for (const Named& known : errors) {
    if (known.error == error) return known;
  }
  return named(cudaErrorUnknown);
}

thread_local cudaError_t last_error = cudaSuccess;

constexpr int cuda_version = 13000;
constexpr size_t shared_per_block = 48 << 10, shared_on_demand = 227 << 10;
/// Few, so that loops over a grid that is cut to the size of the device run more than once.
constexpr int multiprocessors = 4;

}  // namespace

cudaError_t rlhf::emulator::remember(cudaError_t error) { return last_error = error; }

const char* cudaGetErrorName(cudaError_t error) { return named(error).name; }
const char* cudaGetErrorString(cudaError_t error) { return named(error).text; }

cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() { return last_error; }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  return device == 0 ? cudaSuccess : rlhf::emulator::remember(cudaErrorInvalidDevice);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return rlhf::emulator::remember(cudaErrorInvalidDevice);
  size_t free_bytes = 0;
  *properties = {};
  std::strcpy(properties->name, "Emulated GPU");
  cudaMemGetInfo(&free_bytes, &properties->totalGlobalMem);
  properties->sharedMemPerBlock = shared_per_block;
  properties->sharedMemPerBlockOptin = shared_on_demand;
  properties->sharedMemPerMultiprocessor = shared_on_demand + 1024;
  properties->warpSize = warpSize;
  properties->maxThreadsPerBlock = 1024;
  const int threads[] = {1024, 1024, 64}, blocks[] = {0x7fffffff, 65535, 65535};
  std::memcpy(properties->maxThreadsDim, threads, sizeof threads);
  std::memcpy(properties->maxGridSize, blocks, sizeof blocks);
  properties->major = 9;
  properties->multiProcessorCount = multiprocessors;
  properties->l2CacheSize = 50 << 20;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties{};
  const cudaError_t status = cudaGetDeviceProperties(&properties, device);
  if (status != cudaSuccess) return status;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = properties.maxThreadsPerBlock;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = int(properties.sharedMemPerBlock);
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = int(properties.sharedMemPerBlockOptin);
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = properties.multiProcessorCount;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = properties.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = properties.minor;
      break;
  }
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = cuda_version;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = cuda_version;
  return cudaSuccess;
}
