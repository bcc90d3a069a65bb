#include "bench/gemm/product.h"
#include "bench/measure/ceilings.h"
#include "kernels/cpu/support/gemm_options.h"
#include "kernels/gemm.h"

namespace rlhf::bench {
namespace {

GemmLibrary ours(const char* name, cpu::Products products) {
  return {.name = name,
          .bf16 = products == cpu::Products::bf16,
          .prepare = [products](const Product& p, int threads) -> std::function<void()> {
            use_threads(threads);
            const Gemm<float> gemm{.out = p.out,
                                   .a = p.a,
                                   .b = p.b,
                                   .M = p.M,
                                   .N = p.N,
                                   .K = p.K,
                                   .transpose_a = p.transpose_a,
                                   .transpose_b = p.transpose_b};
            return [gemm, products] {
              const cpu::WithGemmOptions scope({products});
              run(Cpu{}, gemm, {});
            };
          }};
}

}  // namespace

GemmLibrary our_gemm() { return ours("ours", cpu::Products::f32); }
GemmLibrary our_bf16_gemm() { return ours("ours_bf16", cpu::Products::bf16); }

}  // namespace rlhf::bench
