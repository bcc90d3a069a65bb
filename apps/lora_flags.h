// The flags of low-rank adapters under TRL's names, the same for every training command: one line
// declares them, one readies the model that was loaded. What learns, what a checkpoint holds and
// what is saved follow from the model (nn/lora.h, rl/model/adapter_folder.h).
#pragma once

#include <string>

#include "apps/flags.h"
#include "nn/gpt2.h"

namespace rlhf {

class LoraFlags {
 public:
  LoraFlags() = default;
  LoraFlags(const LoraFlags&) = delete;  // flags are bound to the members
  LoraFlags& operator=(const LoraFlags&) = delete;

  void declare(Flags& flags);

  /// Whether --use_peft asks for adapters.
  bool used() const { return use_peft_; }

  /// Readies a trunk read from `folder` for training, and says what it did on stderr. With
  /// --use_peft it gets adapters, or goes on with those that the folder holds; without, those are
  /// merged into the weights, which learn. Call it before anything is copied from the model.
  /// @throws InputError for a target that names no layer.
  void prepare(Gpt2& model, const std::string& folder, uint64_t seed) const;

  /// A trunk that starts from another one, read from `folder`, and will learn apart from it: a
  /// critic. With --use_peft the two share the frozen weights.
  Gpt2 copy_to_train(const Gpt2& from, const std::string& folder, uint64_t seed) const;

 private:
  bool use_peft_ = false;
  LoraConfig config_;
  std::string targets_ = "c_attn,c_proj,c_fc";
};

}  // namespace rlhf
