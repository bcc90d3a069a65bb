// Matrix products by NVIDIA's cuBLASLt, whose kernels for Hopper nothing portable equals. It counts
// columns first, so it is asked for the transpose of `out`: b^T times a^T, which is how both lie.
//
// What its heuristics recommend for a shape is kept; nothing is tried and timed, so that the
// choice, and with it the bits, is the same in every run. Where they recommend nothing, or the
// recommended turns out not to work on this GPU, the product is left to our own kernels for good.
#include <cublasLt.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "kernels/cuda/support/block.h"
#include "kernels/cuda/support/cublaslt_import.h"
#include "kernels/cuda/support/gemm_library.h"
#include "kernels/cuda/support/plan_cache.h"

namespace rlhf::gpu {
namespace {

constexpr size_t most_workspace = 32 << 20;  // what NVIDIA recommends for Hopper
constexpr size_t most_plans = 4096;          // a hundred bytes each

void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw std::runtime_error("[cublaslt] expected " + std::string(what) + " to work, got " +
                           cublasLtGetStatusName(status) + ": " + cublasLtGetStatusString(status));
}

cublasLtHandle_t handle() {
  static const cublasLtHandle_t only = [] {
    cublasLtHandle_t created{};
    check(cublasLtCreate(&created), "opening cuBLASLt");
    return created;
  }();
  return only;
}

template <class T>
constexpr cudaDataType_t type_of = std::is_same_v<T, float> ? CUDA_R_32F : CUDA_R_16BF;

/// A matrix of `rows` rows of `columns`, as the library sees it: of columns.
template <class T>
struct Layout {
  cublasLtMatrixLayoutOpaque_t opaque;

  Layout(int64_t rows, int64_t columns, int64_t stride) {
    check(cublasLtMatrixLayoutInit(&opaque, type_of<T>, uint64_t(columns), uint64_t(rows), stride),
          "describing a matrix");
  }
};

/// All that describes a product to the library.
template <class T, class Out>
struct Call {
  cublasLtMatmulDescOpaque_t product;
  Layout<T> a, b;
  Layout<Out> out;
  Out* result;

  explicit Call(const Gemm<T, Out>& g, bool tf32)
      : a(g.a_rows(), g.a_columns(), g.a_row()),
        b(g.transpose_b ? g.N : g.K, g.transpose_b ? g.K : g.N, g.transpose_b ? g.K : g.N),
        out(g.M, g.N, g.out_row()),
        result(g.gelu_out ? g.gelu_out : g.out) {
    check(cublasLtMatmulDescInit(&product, tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F,
                                 CUDA_R_32F),
          "describing a product");
    set(CUBLASLT_MATMUL_DESC_TRANSA, g.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, g.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue(g));
    if (g.bias) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(g.bias));
    if (aux(g)) {
      set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, aux(g));
      set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, g.N);
    }
  }

  /// Bias and aux at an address of just this alignment: the heuristics look at the pointers.
  void pretend_alignment(const Gemm<T, Out>& g, uint32_t alignment) {
    const auto address = uintptr_t(alignment);
    if (g.bias) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, address);
    if (aux(g)) set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, address);
  }

  static cublasLtEpilogue_t epilogue(const Gemm<T, Out>& g) {
    if (g.gelu_in) return CUBLASLT_EPILOGUE_DGELU;
    if (g.gelu_out == g.out) return g.bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
    if (g.gelu_out) return g.bias ? CUBLASLT_EPILOGUE_GELU_AUX_BIAS : CUBLASLT_EPILOGUE_GELU_AUX;
    return g.bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
  }
  /// What gelu is applied to: read backward, written forward when somebody wants it.
  static const void* aux(const Gemm<T, Out>& g) {
    if (g.gelu_in) return g.gelu_in;
    return g.gelu_out && g.gelu_out != g.out ? g.out : nullptr;
  }

 private:
  template <class Value>
  void set(cublasLtMatmulDescAttributes_t attribute, const Value& value) {
    check(cublasLtMatmulDescSetAttribute(&product, attribute, &value, sizeof value),
          "describing a product");
  }
};

/// The alignment that may be relied on; beyond 16 bytes nothing is faster, and what an allocator
/// happens to return should not choose the kernel.
uint32_t alignment_of(const void* pointer) {
  constexpr uintptr_t most = 16;
  const uintptr_t bits = reinterpret_cast<uintptr_t>(pointer) | most;
  return uint32_t(bits & -bits);
}

struct Alignments {
  uint32_t a, b, out, beside;
  auto operator<=>(const Alignments&) const = default;
};

/// What a plan depends on, besides types.
struct Question {
  int64_t M, N, K, a_row, out_row;
  bool transpose_a, transpose_b, accumulate, tf32;
  cublasLtEpilogue_t epilogue;
  Alignments alignments;
  auto operator<=>(const Question&) const = default;
};

struct Plan {
  cublasLtMatmulAlgo_t algorithm;
  size_t workspace;
};

template <class T, class Out>
Question question_of(const Gemm<T, Out>& g, const Call<T, Out>& call, bool tf32) {
  return {.M = g.M,
          .N = g.N,
          .K = g.K,
          .a_row = g.a_row(),
          .out_row = g.out_row(),
          .transpose_a = g.transpose_a,
          .transpose_b = g.transpose_b,
          .accumulate = g.accumulate,
          .tf32 = tf32,
          .epilogue = call.epilogue(g),
          .alignments = {alignment_of(g.a), alignment_of(g.b), alignment_of(call.result),
                         std::min(alignment_of(g.bias), alignment_of(call.aux(g)))}};
}

/// What the library's heuristics recommend; none when they know of nothing.
template <class T, class Out>
std::optional<Plan> ask(const Gemm<T, Out>& g, Call<T, Out> call, const Alignments& alignments) {
  cublasLtMatmulPreferenceOpaque_t wish;
  check(cublasLtMatmulPreferenceInit(&wish), "describing a wish");
  const auto set = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
    check(cublasLtMatmulPreferenceSetAttribute(&wish, attribute, &value, sizeof value),
          "describing a wish");
  };
  set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t(most_workspace));
  // Parts of a sum are added in float, not in what `out` holds.
  set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, uint32_t(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
  // The library's first factor is our second.
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignments.b);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignments.a);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignments.out);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignments.out);
  call.pretend_alignment(g, alignments.beside);
  cublasLtMatmulHeuristicResult_t best{};
  int found = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(handle(), &call.product, &call.b.opaque, &call.a.opaque,
                                     &call.out.opaque, &call.out.opaque, &wish, 1, &best, &found);
  if (status != CUBLAS_STATUS_SUCCESS || found == 0 || best.state != CUBLAS_STATUS_SUCCESS) {
    return std::nullopt;
  }
  return Plan{best.algo, best.workspaceSize};
}

/// What its manual describes: no bias beside a derivative or on sums wider than the factors, and no
/// second matrix at odd places.
template <class T, class Out>
bool within_its_promises(const Gemm<T, Out>& g) {
  if (g.K == 0) return false;
  if (g.bias && (g.gelu_in || !std::is_same_v<T, Out>)) return false;
  const void* const beside = Call<T, Out>::aux(g);
  return !beside || (alignment_of(beside) == 16 && g.N % 8 == 0);
}

}  // namespace

std::string gemm_library_problem() {
  const SharedLibrary& library = cublaslt_library();
  if (library.found()) return {};
  return "expected " + library.name() + ", found none (" + library.why() +
         "): install the CUDA toolkit's libraries, or name their folder in LD_LIBRARY_PATH";
}

template <class T, class Out>
bool multiply_by_library(const Gemm<T, Out>& g, Stream stream) {
  const bool insists = gemm_options().library == GemmLibrary::cublaslt;
  if (!within_its_promises(g) || (!cublaslt_library().found() && !insists)) return false;
  static PlanCache<Question, Plan> plans(most_plans);
  const bool tf32 = std::is_same_v<T, float> && gemm_options().tf32;
  Call<T, Out> call(g, tf32);
  const Question question = question_of(g, call, tf32);
  const auto plan =
      plans.find(question, /*keep=*/false, [&] { return ask(g, call, question.alignments); });
  plans.surplus();
  if (!plan) return false;
  const float one = 1, beta = g.accumulate ? 1 : 0;
  void* const workspace = plan->workspace ? scratch_bytes(plan->workspace, stream) : nullptr;
  const cublasStatus_t status =
      cublasLtMatmul(handle(), &call.product, &one, g.b, &call.b.opaque, g.a, &call.a.opaque, &beta,
                     call.result, &call.out.opaque, call.result, &call.out.opaque, &plan->algorithm,
                     workspace, plan->workspace, stream_of(stream));
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_ARCH_MISMATCH) {
    plans.refuse(question);
    if (Trace* const trace = Trace::current()) {
      trace->remarked(std::string("gemm_cublaslt: ") + cublasLtGetStatusName(status) +
                      ", from now on by our own kernel");
    }
    return false;
  }
  check(status, "gemm_cublaslt");
  return true;
}

template bool multiply_by_library(const Gemm<float>&, Stream);
template bool multiply_by_library(const Gemm<bf16>&, Stream);
template bool multiply_by_library(const Gemm<bf16, float>&, Stream);

}  // namespace rlhf::gpu
