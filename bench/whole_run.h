// What the programs of bench/gpu.sh that time whole steps share: GPT-2 124M or a tiny stand-in for
// it, where it lives, and how results are written: JSON lines, which bench/gpu/report.py puts
// beside PyTorch's. On a CPU, `rlhf bench` times the same and holds it against the machine.
#pragma once

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <string>

#include "bench/measure/shapes.h"
#include "kernels/device_report.h"
#include "nn/gpt2.h"

namespace rlhf::bench {

struct WholeRun {
  std::string device = "cuda";
  bool tiny = false;
  bool f32 = false;

  /// Reads the flags; ends the program when they, or the device, are of no use.
  void parse(const char* what, int argc, char** argv, const std::function<void(CLI::App&)>& more) {
    CLI::App app(what);
    app.add_option("--device", device, "cpu or cuda")->check(CLI::IsMember({"cpu", "cuda"}));
    app.add_flag("--tiny", tiny, "a model of 4 x 128 channels instead of GPT-2 124M");
    app.add_flag("--f32", f32, "float instead of bf16 (always on the CPU)");
    more(app);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      std::exit(app.exit(error) == 0 ? 0 : 2);
    }
    const std::string problem = device_problem(placement().device);
    if (problem.empty()) return;
    fmt::print(stderr, "{}: [--device] {}\n", argv[0], problem);
    std::exit(2);
  }

  Placement placement() const {
    const bool cuda = device == "cuda";
    return {cuda ? Device::cuda : Device::cpu, cuda && !f32 ? DType::bf16 : DType::f32};
  }
  std::string model_name() const { return tiny ? "tiny" : "124M"; }
  std::string type_name() const { return placement().dtype == DType::bf16 ? "bf16" : "float"; }

  /// No dropout, as nanoGPT pretrains; 50,304 rows of the embedding, a multiple of 128.
  Gpt2 model(int64_t positions, uint64_t seed) const {
    Gpt2Config config = named_shape("gpt2", "shape").config;
    config.n_positions = positions;
    config.vocab_size = 50304;
    if (tiny) config.vocab_size = 512, config.n_embd = 128, config.n_layer = 4, config.n_head = 4;
    config.sampled_ids = tiny ? 500 : 50257;
    Gpt2 made = make_gpt2(config, seed);
    move_parameters(made, placement());
    return made;
  }
};

/// `tokens` that took `seconds`; 0: no such rate.
inline void print_result(const char* part, const std::string& what, double seconds, double tokens) {
  fmt::print("{{\"part\": \"{}\", \"what\": \"{}\", \"engine\": \"rlhf.cpp\", \"seconds\": {:.6g}",
             part, what, seconds);
  if (tokens > 0) fmt::print(", \"tokens_per_s\": {:.6g}", tokens / seconds);
  fmt::print("}}\n");
  std::fflush(stdout);
}

}  // namespace rlhf::bench
