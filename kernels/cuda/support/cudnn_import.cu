// What a program that is linked against cuDNN would get from the linker, fetched at run time.
#include "kernels/cuda/support/cudnn_import.h"

#include <cudnn.h>

namespace rlhf::gpu {

const SharedLibrary& cudnn_library() {
  static const SharedLibrary only = [] {
    const std::string name = "libcudnn.so." + std::to_string(CUDNN_MAJOR);
    return SharedLibrary({name, std::string(RLHF_CUDNN_FOLDER "/") + name});
  }();
  return only;
}

}  // namespace rlhf::gpu

// Hidden: the library itself, when it is opened, is not to find them in place of its own.
#define RLHF_IMPORT(result, name, parameters, arguments)                           \
  __attribute__((visibility("hidden"))) result CUDNNWINAPI name parameters {       \
    static auto* const imported =                                                  \
        rlhf::gpu::cudnn_library().function<result CUDNNWINAPI parameters>(#name); \
    return imported arguments;                                                     \
  }

extern "C" {

RLHF_IMPORT(size_t, cudnnGetVersion, (), ())
RLHF_IMPORT(const char*, cudnnGetErrorString, (cudnnStatus_t status), (status))
RLHF_IMPORT(void, cudnnGetLastErrorString, (char* message, size_t size), (message, size))
RLHF_IMPORT(cudnnStatus_t, cudnnCreate, (cudnnHandle_t * handle), (handle))
RLHF_IMPORT(cudnnStatus_t, cudnnSetStream, (cudnnHandle_t handle, cudaStream_t stream),
            (handle, stream))
RLHF_IMPORT(cudnnStatus_t, cudnnBackendCreateDescriptor,
            (cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* descriptor),
            (type, descriptor))
RLHF_IMPORT(cudnnStatus_t, cudnnBackendDestroyDescriptor, (cudnnBackendDescriptor_t descriptor),
            (descriptor))
RLHF_IMPORT(cudnnStatus_t, cudnnBackendFinalize, (cudnnBackendDescriptor_t descriptor),
            (descriptor))
RLHF_IMPORT(cudnnStatus_t, cudnnBackendSetAttribute,
            (cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
             cudnnBackendAttributeType_t type, int64_t count, const void* values),
            (descriptor, name, type, count, values))
RLHF_IMPORT(cudnnStatus_t, cudnnBackendGetAttribute,
            (cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
             cudnnBackendAttributeType_t type, int64_t most, int64_t* count, void* values),
            (descriptor, name, type, most, count, values))
RLHF_IMPORT(cudnnStatus_t, cudnnBackendExecute,
            (cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack),
            (handle, plan, pack))

}  // extern "C"
