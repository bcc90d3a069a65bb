// What `rlhf bench` is asked for: which models, which work at which sizes, how often.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/device_flags.h"
#include "apps/weight_flags.h"
#include "nn/gpt2.h"

namespace rlhf {

/// A model whose speed is measured. Each piece of work gets one of its own.
struct BenchModel {
  std::string name;
  Gpt2Config config;
  int64_t most_positions = 0;  ///< 0: its weights are random, and there may be as many as needed
  std::function<Gpt2(int64_t positions, uint64_t seed, const Placement& placement)> make;
};

/// The lists of flags, read and checked.
struct BenchSizes {
  std::vector<std::string> tests;
  std::vector<int64_t> batch_sizes, block_sizes, prompts, new_tokens, threads;
};

class BenchFlags {
 public:
  BenchFlags() = default;
  BenchFlags(const BenchFlags&) = delete;  // flags are bound to the members
  BenchFlags& operator=(const BenchFlags&) = delete;

  void declare(Flags& flags);

  /// @throws InputError for lists that are none and sizes that cannot be.
  BenchSizes sizes() const;
  /// @throws InputError for shapes that there are not and folders that hold no model.
  std::vector<BenchModel> models() const;

  DeviceFlags device;
  WeightFlags weights;
  int64_t repetitions = 5, warmup = 1;
  int64_t rollout_batch_size = 32, prompt_length = 32, response_length = 64;
  int64_t episodes_per_update = 8, num_iterations = 4, num_mini_batches = 2;
  std::string output_format = "md";

 private:
  std::vector<BenchModel> random_models() const;

  std::string model_name_or_path_, shape_;
  int64_t n_layer_ = 0, n_head_ = 0, n_embd_ = 0, vocab_size_ = 0;
  std::string test_ = "train,prompt,decode,rollout,ppo";
  std::string batch_size_ = "4", block_size_ = "64,256";
  std::string n_prompt_ = "512", n_gen_ = "128", threads_;
};

}  // namespace rlhf
