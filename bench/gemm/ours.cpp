#include "bench/gemm/product.h"
#include "bench/measure/ceilings.h"
#include "kernels/gemm.h"

namespace rlhf::bench {

GemmLibrary our_gemm() {
  return {.name = "ours", .prepare = [](const Product& p, int threads) -> std::function<void()> {
            use_threads(threads);
            const Gemm<float> gemm{.out = p.out,
                                   .a = p.a,
                                   .b = p.b,
                                   .M = p.M,
                                   .N = p.N,
                                   .K = p.K,
                                   .transpose_a = p.transpose_a,
                                   .transpose_b = p.transpose_b};
            return [gemm] { run(Cpu{}, gemm, {}); };
          }};
}

}  // namespace rlhf::bench
