// Our matrix product beside Eigen's, at the shapes that a small demo model (768 rows, C = 128) and
// GPT-2 124M (256 rows) meet: forward, gradient of the input, gradient of the weight, decoding.
#include "kernels/gemm.h"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <Eigen/Core>
#include <set>
#include <string>

#include "tests/buffers.h"

namespace rlhf {
namespace {

struct Shape {
  std::string label;
  int64_t M, N, K;
  bool transpose_a = false, transpose_b = false;
};

const std::vector<Shape> shapes = {
    {"demo/qkv", 768, 384, 128},
    {"demo/fc", 768, 512, 128},
    {"demo/proj", 768, 128, 512},
    {"demo/logits", 768, 1024, 128, false, true},
    {"demo/value", 768, 1, 128},
    {"demo/qkv_d_in", 768, 128, 384, false, true},
    {"demo/fc_d_in", 768, 128, 512, false, true},
    {"demo/logits_d_in", 768, 128, 1024},
    {"demo/qkv_d_weight", 128, 384, 768, true},
    {"demo/fc_d_weight", 128, 512, 768, true},
    {"demo/proj_d_weight", 512, 128, 768, true},
    {"demo/logits_d_weight", 1024, 128, 768, true},
    {"demo/qkv_1_row", 1, 384, 128},
    {"demo/logits_1_row", 1, 1024, 128, false, true},
    {"demo/qkv_16_rows", 16, 384, 128},
    {"demo/logits_16_rows", 16, 1024, 128, false, true},
    {"gpt2/qkv", 256, 2304, 768},
    {"gpt2/attn_proj", 256, 768, 768},
    {"gpt2/fc", 256, 3072, 768},
    {"gpt2/proj", 256, 768, 3072},
    {"gpt2/logits", 256, 50257, 768, false, true},
    {"gpt2/fc_d_in", 256, 768, 3072, false, true},
    {"gpt2/logits_d_in", 256, 768, 50257},
    {"gpt2/qkv_d_weight", 768, 2304, 256, true},
    {"gpt2/proj_d_weight", 3072, 768, 256, true},
    {"gpt2/logits_d_weight", 50257, 768, 256, true},
    {"gpt2/qkv_1_row", 1, 2304, 768},
    {"gpt2/logits_1_row", 1, 50257, 768, false, true},
};

struct Operands {
  explicit Operands(const Shape& s)
      : out(buffers.output<float>(s.M * s.N)),
        a(buffers.normal<float>(s.M * s.K)),
        b(buffers.normal<float>(s.K * s.N)) {}

  Buffers buffers{Device::cpu, {}, Purpose::bench};
  float* out;
  const float* a;
  const float* b;
};

void report(benchmark::State& state, const Shape& s) {
  const double flops = 2.0 * double(s.M) * double(s.N) * double(s.K);
  state.counters["GFLOP/s"] =
      benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void time_ours(benchmark::State& state, const Shape& s, int threads) {
  omp_set_num_threads(threads);
  const Operands x(s);
  const Gemm<float> gemm{.out = x.out,
                         .a = x.a,
                         .b = x.b,
                         .M = s.M,
                         .N = s.N,
                         .K = s.K,
                         .transpose_a = s.transpose_a,
                         .transpose_b = s.transpose_b};
  for (auto _ : state) run(Cpu{}, gemm, {});
  report(state, s);
}

void time_eigen(benchmark::State& state, const Shape& s, int threads) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::setNbThreads(threads);
  const Operands x(s);
  const Eigen::Map<const Matrix> a(x.a, s.transpose_a ? s.K : s.M, s.transpose_a ? s.M : s.K);
  const Eigen::Map<const Matrix> b(x.b, s.transpose_b ? s.N : s.K, s.transpose_b ? s.K : s.N);
  Eigen::Map<Matrix> out(x.out, s.M, s.N);
  for (auto _ : state) {
    if (s.transpose_a) {
      out.noalias() = a.transpose() * b;
    } else if (s.transpose_b) {
      out.noalias() = a * b.transpose();
    } else {
      out.noalias() = a * b;
    }
    benchmark::ClobberMemory();
  }
  report(state, s);
}

void register_all() {
  const std::set<int> thread_counts{1, omp_get_num_procs()};
  for (const Shape& s : shapes) {
    for (const int threads : thread_counts) {
      const std::string tail = "/" + s.label + "/threads:" + std::to_string(threads);
      benchmark::RegisterBenchmark(("ours" + tail).c_str(), [&s, threads](auto& state) {
        time_ours(state, s, threads);
      })->UseRealTime();
      benchmark::RegisterBenchmark(("eigen" + tail).c_str(), [&s, threads](auto& state) {
        time_eigen(state, s, threads);
      })->UseRealTime();
    }
  }
}

}  // namespace
}  // namespace rlhf

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  rlhf::register_all();
  benchmark::RunSpecifiedBenchmarks();
}
