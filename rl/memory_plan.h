// How much memory a run will take, before it begins: what is resident, the cache of a rollout and
// the activations of a micro-batch.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "nn/gpt2.h"

namespace rlhf {

/// What a run holds and does.
class MemoryUse {
 public:
  struct Network {
    std::string name;  ///< "policy"
    Gpt2Config config;
    int64_t own = 0;     ///< parameters in memory that no network before it has
    int64_t learnt = 0;  ///< with gradients and the optimizer's moments; 0: it does not learn
    bool heads = false;  ///< no network by itself
  };
  /// Adds a network. What it shares with those before it counts once; what adapters leave as it is
  /// does not learn.
  void add(const std::string& name, const Gpt2& model, bool trained = false);
  /// Adds heads that learn on a network added before: linear, so that a tape keeps nothing for them
  /// but the states that they read. One that the network has learns once.
  void add_heads(const std::string& name, std::span<const Tensor> heads);
  std::vector<Network> networks = {};
  DType dtype = DType::f32;
  bool masters = false;  ///< a float copy of trained bfloat16 parameters
  bool gradient_checkpointing = false;
  Device device = Device::cpu;
  int64_t rollout_sequences = 0;  ///< sampled side by side
  int64_t train_sequences = 0;    ///< of a micro-batch
  int64_t positions = 0;          ///< tokens of the longest prompt and a full response

 private:
  std::set<const void*> counted_, learnt_;  // where parameters begin, and those that learn
};

struct MemoryPlan {
  struct Item {
    std::string what;
    double bytes = 0;
  };
  std::vector<Item> items;
  double total() const;
  /// "memory: parameters 1.2 MB, gradients 1.2 MB, ...; 12 MB in all", for people.
  std::string text() const;
};

/// Of networks of GPT-2's shape under AdamW. Activations are what the tape keeps of a micro-batch
/// (docs/algorithms/grpo.md has the count), and the gradients that are alive with them. What comes
/// and goes adds up: the allocator keeps freed blocks for the next request of their size.
MemoryPlan memory_plan(const MemoryUse& use);

}  // namespace rlhf
