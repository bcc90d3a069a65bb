// What a program that is linked against cuBLASLt would get from the linker, fetched at run time.
#include "kernels/cuda/support/cublaslt_import.h"

#include <cublasLt.h>

namespace rlhf::gpu {

const SharedLibrary& cublaslt_library() {
  static const SharedLibrary only = [] {
    const std::string name = "libcublasLt.so." + std::to_string(CUBLAS_VER_MAJOR);
    return SharedLibrary({name, std::string(RLHF_CUBLASLT_FOLDER "/") + name});
  }();
  return only;
}

}  // namespace rlhf::gpu

// Hidden: the library itself, when it is opened, is not to find them in place of its own.
#define RLHF_IMPORT(result, name, parameters, arguments)                               \
  __attribute__((visibility("hidden"))) result CUBLASWINAPI name parameters {          \
    static auto* const imported =                                                      \
        rlhf::gpu::cublaslt_library().function<result CUBLASWINAPI parameters>(#name); \
    return imported arguments;                                                         \
  }

extern "C" {

RLHF_IMPORT(cublasStatus_t, cublasLtCreate, (cublasLtHandle_t * handle), (handle))
RLHF_IMPORT(const char*, cublasLtGetStatusName, (cublasStatus_t status), (status))
RLHF_IMPORT(const char*, cublasLtGetStatusString, (cublasStatus_t status), (status))
RLHF_IMPORT(cublasStatus_t, cublasLtMatrixLayoutInit_internal,
            (cublasLtMatrixLayout_t layout, size_t size, cudaDataType type, uint64_t rows,
             uint64_t columns, int64_t stride),
            (layout, size, type, rows, columns, stride))
RLHF_IMPORT(cublasStatus_t, cublasLtMatmulDescInit_internal,
            (cublasLtMatmulDesc_t product, size_t size, cublasComputeType_t compute,
             cudaDataType_t scale),
            (product, size, compute, scale))
RLHF_IMPORT(cublasStatus_t, cublasLtMatmulDescSetAttribute,
            (cublasLtMatmulDesc_t product, cublasLtMatmulDescAttributes_t attribute,
             const void* value, size_t size),
            (product, attribute, value, size))
RLHF_IMPORT(cublasStatus_t, cublasLtMatmulPreferenceInit_internal,
            (cublasLtMatmulPreference_t wish, size_t size), (wish, size))
RLHF_IMPORT(cublasStatus_t, cublasLtMatmulPreferenceSetAttribute,
            (cublasLtMatmulPreference_t wish, cublasLtMatmulPreferenceAttributes_t attribute,
             const void* value, size_t size),
            (wish, attribute, value, size))
RLHF_IMPORT(cublasStatus_t, cublasLtMatmulAlgoGetHeuristic,
            (cublasLtHandle_t handle, cublasLtMatmulDesc_t product, cublasLtMatrixLayout_t a,
             cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
             cublasLtMatmulPreference_t wish, int most, cublasLtMatmulHeuristicResult_t* results,
             int* found),
            (handle, product, a, b, c, d, wish, most, results, found))
RLHF_IMPORT(cublasStatus_t, cublasLtMatmul,
            (cublasLtHandle_t handle, cublasLtMatmulDesc_t product, const void* alpha,
             const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
             cublasLtMatrixLayout_t b_layout, const void* beta, const void* c,
             cublasLtMatrixLayout_t c_layout, void* d, cublasLtMatrixLayout_t d_layout,
             const cublasLtMatmulAlgo_t* algorithm, void* workspace, size_t workspace_bytes,
             cudaStream_t stream),
            (handle, product, alpha, a, a_layout, b, b_layout, beta, c, c_layout, d, d_layout,
             algorithm, workspace, workspace_bytes, stream))

}  // extern "C"
