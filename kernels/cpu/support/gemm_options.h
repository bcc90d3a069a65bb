// How the CPU multiplies matrices of float when this thread asks for it: a model may learn on one
// thread in other products than another thread generates with.
#pragma once

namespace rlhf::cpu {

enum class Products {
  f32,   ///< of the elements as they are
  bf16,  ///< of elements rounded to bfloat16 on their way, summed in float
};

/// Matrices stay in float either way; doubles are never rounded, and neither are the small products
/// within attention.
struct GemmOptions {
  Products products = Products::f32;
};

/// Of the calling thread. Meant to be set before its first product. Any change changes bits.
GemmOptions& gemm_options();

/// What threads have that ask for their first product, or for gemm_options(), later on.
void begin_threads_with(const GemmOptions& options);

/// These options until the end of the scope.
class WithGemmOptions {
 public:
  explicit WithGemmOptions(const GemmOptions& options) : before_(gemm_options()) {
    gemm_options() = options;
  }
  ~WithGemmOptions() { gemm_options() = before_; }
  WithGemmOptions(const WithGemmOptions&) = delete;
  WithGemmOptions& operator=(const WithGemmOptions&) = delete;

 private:
  GemmOptions before_;
};

/// Whether this build has an instruction for products in bfloat16; else they take as long as those
/// in float, or longer.
bool has_fast_bf16_products();

}  // namespace rlhf::cpu
