// Our matrix product beside those of Eigen, OpenBLAS, BLIS and oneDNN, whichever of them are here,
// at the shapes that a small demo model (768 rows, C = 128) and GPT-2 124M (256 and 1024 rows)
// meet: forward, gradient of the input, gradient of the weight, decoding; and ours with products in
// bfloat16. bench/peers/gemm.py lets them take turns and makes a table of ratios.
//
//   bench_gemm --benchmark_filter='/gpt2_T256/.*/threads:1'
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <omp.h>

#include <set>
#include <string>

#include "bench/ceiling_counters.h"
#include "bench/gemm/product.h"
#include "tests/buffers.h"

namespace rlhf::bench {
namespace {

struct Shape {
  std::string label;
  int64_t M, N, K;
  bool transpose_a = false, transpose_b = false;
};

/// A layer of `inputs` to `outputs` channels and its two gradients, for T rows. The head's weight
/// lies as (outputs, inputs).
void add_layer(std::vector<Shape>& shapes, const std::string& label, int64_t T, int64_t inputs,
               int64_t outputs, bool is_head = false) {
  shapes.push_back({label, T, outputs, inputs, false, is_head});
  shapes.push_back({label + "_d_in", T, inputs, outputs, false, !is_head});
  if (is_head) {
    shapes.push_back({label + "_d_weight", outputs, inputs, T, true});
  } else {
    shapes.push_back({label + "_d_weight", inputs, outputs, T, true});
  }
}

std::vector<Shape> all_shapes() {
  std::vector<Shape> shapes;
  const auto add_model = [&](const std::string& model, int64_t T, int64_t C, int64_t V) {
    add_layer(shapes, model + "/qkv", T, C, 3 * C);
    add_layer(shapes, model + "/attn_proj", T, C, C);
    add_layer(shapes, model + "/fc", T, C, 4 * C);
    add_layer(shapes, model + "/proj", T, 4 * C, C);
    add_layer(shapes, model + "/logits", T, C, V, /*is_head=*/true);
  };
  add_model("demo", 768, 128, 1024);
  add_model("gpt2_T256", 256, 768, 50257);
  add_model("gpt2_T1024", 1024, 768, 50257);
  const std::vector<Shape> narrow{
      {"demo/value", 768, 1, 128},
      {"demo/qkv_1_row", 1, 384, 128},
      {"demo/logits_1_row", 1, 1024, 128, false, true},
      {"demo/qkv_16_rows", 16, 384, 128},
      {"demo/logits_16_rows", 16, 1024, 128, false, true},
      {"gpt2/qkv_1_row", 1, 2304, 768},
      {"gpt2/logits_1_row", 1, 50257, 768, false, true},
      {"gpt2/qkv_32_rows", 32, 2304, 768},
      {"gpt2/logits_32_rows", 32, 50257, 768, false, true},
  };
  shapes.insert(shapes.end(), narrow.begin(), narrow.end());
  return shapes;
}

void time_product(benchmark::State& state, const Shape& s, const GemmLibrary& library, int threads,
                  const CeilingCounters& ceilings) {
  Buffers buffers(Device::cpu, {}, Purpose::bench);
  const Product product{.M = s.M,
                        .N = s.N,
                        .K = s.K,
                        .transpose_a = s.transpose_a,
                        .transpose_b = s.transpose_b,
                        .out = buffers.output<float>(s.M * s.N),
                        .a = buffers.normal<float>(s.M * s.K),
                        .b = buffers.normal<float>(s.K * s.N)};
  const std::function<void()> multiply = library.prepare(product, threads);
  for (auto _ : state) multiply();
  const double flops = 2.0 * double(s.M) * double(s.N) * double(s.K);
  // Where a row or a few are all there is, reading the other factor is what takes the time.
  const double bytes = s.M <= 32 ? 4.0 * double(s.N) * double(s.K) : 0;
  ceilings.count(state, threads, flops, bytes, library.bf16);
}

void register_all(const std::set<int>& thread_counts, const CeilingCounters& ceilings) {
  static const std::vector<GemmLibrary> libraries{our_gemm(),      our_bf16_gemm(), eigen_gemm(),
                                                  openblas_gemm(), blis_gemm(),     onednn_gemm()};
  for (const GemmLibrary& library : libraries) {
    if (library.problem.empty()) continue;
    fmt::print(stderr, "bench_gemm: left out: [{}] {}\n", library.name, library.problem);
  }
  for (const Shape& s : all_shapes()) {
    for (const int threads : thread_counts) {
      for (const GemmLibrary& library : libraries) {
        if (!library.problem.empty()) continue;
        const std::string name = fmt::format("{}/{}/threads:{}", library.name, s.label, threads);
        benchmark::RegisterBenchmark(name.c_str(), [=, &library, &ceilings](auto& state) {
          time_product(state, s, library, threads, ceilings);
        })->UseRealTime();
      }
    }
  }
}

}  // namespace
}  // namespace rlhf::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  const std::set<int> thread_counts{1, omp_get_num_procs()};
  const rlhf::bench::CeilingCounters ceilings(thread_counts);
  rlhf::bench::register_all(thread_counts, ceilings);
  benchmark::RunSpecifiedBenchmarks();
}
