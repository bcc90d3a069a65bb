#include "bench/gemm/product.h"
#include "bench/measure/ceilings.h"

#ifdef RLHF_HAS_ONEDNN

#include <memory>
#include <oneapi/dnnl/dnnl.hpp>

namespace rlhf::bench {
namespace {

using Dims = dnnl::memory::dims;

dnnl::memory::desc matrix(int64_t rows, int64_t columns, bool transposed) {
  return {Dims{rows, columns}, dnnl::memory::data_type::f32,
          transposed ? Dims{1, rows} : Dims{columns, 1}};
}

dnnl::matmul::primitive_desc matmul(const dnnl::engine& engine, const Product& p) {
  const dnnl::memory::desc a = matrix(p.M, p.K, p.transpose_a), b = matrix(p.K, p.N, p.transpose_b),
                           out = matrix(p.M, p.N, false);
#if DNNL_VERSION_MAJOR >= 3
  return {engine, a, b, out};
#else
  return {dnnl::matmul::desc(a, b, out), engine};
#endif
}

}  // namespace

GemmLibrary onednn_gemm() {
  return {.name = "onednn", .prepare = [](const Product& p, int threads) -> std::function<void()> {
            use_threads(threads);  // it asks OpenMP
            const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
            dnnl::stream stream(engine);
            const dnnl::matmul::primitive_desc description = matmul(engine, p);
            const dnnl::matmul primitive(description);
            const auto memory = [&](const dnnl::memory::desc& desc, const float* data) {
              return dnnl::memory(desc, engine, const_cast<float*>(data));
            };
            const std::unordered_map<int, dnnl::memory> arguments{
                {DNNL_ARG_SRC, memory(description.src_desc(), p.a)},
                {DNNL_ARG_WEIGHTS, memory(description.weights_desc(), p.b)},
                {DNNL_ARG_DST, memory(description.dst_desc(), p.out)}};
            return [=]() mutable {
              primitive.execute(stream, arguments);
              stream.wait();
            };
          }};
}

}  // namespace rlhf::bench

#else

namespace rlhf::bench {

GemmLibrary onednn_gemm() {
  return {.name = "onednn",
          .problem = "expected oneDNN when CMake configured (Debian: libdnnl-dev), got none"};
}

}  // namespace rlhf::bench

#endif
