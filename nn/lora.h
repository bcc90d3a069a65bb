// Low-rank adaptation (Hu et al. 2021, "LoRA: Low-rank adaptation of large language models",
// arXiv:2106.09685): a linear layer keeps its weight W (in, out) as it is and learns what is to be
// added to it as a product of two thin matrices,
//
//     y = x W + bias + scale (dropout(x) A^T) B^T,   A (r, in), B (out, r).
//
// Names, shapes, initialisation and scale are those of Hugging Face's PEFT, so that its files are
// read and written as they are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/ops.h"
#include "nn/lora_config.h"
#include "nn/module.h"

namespace rlhf {

struct Gpt2;

/// The adapter of one linear layer.
struct Lora {
  Tensor a;  ///< (r, in)
  Tensor b;  ///< (out, r)
  float scale = 1;
  float dropout = 0;
  uint32_t site = 0;  ///< its random numbers, apart from all other dropout

  bool defined() const { return a.defined(); }
  LowRank term(const Tensor& x, const StepState* training) const {
    const float probability = training ? dropout : 0;
    return {rlhf::dropout(x, probability, {training, RandomStream::dropout, site}), a, b, scale};
  }
  void visit(auto&& v) {
    v("lora_A.weight", a);
    v("lora_B.weight", b);
  }
};

/// Gives a trunk adapters that change nothing yet: A from U(-1/sqrt(in), 1/sqrt(in)), which is
/// PEFT's kaiming_uniform with a = sqrt(5), each from a random site of its own; B zero.
/// REQUIRES: a trunk without adapters, and a valid configuration. @throws InputError as
/// for_each_target does.
void add_adapters(Gpt2& model, const LoraConfig& config, uint64_t seed);

/// Lets an adapted model's language-model head learn whole beside its adapters: one of its own, in
/// memory of its own, so that whoever shared it keeps the head as it was.
void train_head(Gpt2& model);

/// Adds each adapter's product to its weight, W + scale (B A)^T, and takes the adapters away; of a
/// bfloat16 model in float, rounded once. The sums lie in memory of their own: whoever shared the
/// weights keeps them as they were.
void merge_adapters(Gpt2& model);

/// A trunk that shares the base's memory with this one and has adapters of its own, and a head of
/// its own if that learns.
Gpt2 shared_copy(const Gpt2& model);

/// A frozen reference: the policy as it is now, sharing with it what will not learn. Without
/// adapters that is nothing, and all is copied; adapters that change nothing yet are left out.
Gpt2 reference_policy(const Gpt2& policy);

/// Which parameters of a model stay as they are because of adapters: the trunks around these, but
/// for a head that learns beside them (LoraConfig::trains_head). Heads apart from a trunk learn,
/// and so do trunks without adapters.
class FrozenBases {
 public:
  template <class Module>
  explicit FrozenBases(Module& model) {
    visit_trunks(model, "", [&](const std::string& prefix, const auto& trunk) {
      if (!trunk.lora) return;
      trunks_.push_back({prefix, trunk.lora->trains_head ? prefix + "lm_head.weight" : ""});
    });
  }
  bool hold(const std::string& name) const {
    const auto trunk = std::find_if(trunks_.begin(), trunks_.end(), [&](const Trunk& around) {
      return name.starts_with(around.prefix);
    });
    return trunk != trunks_.end() && !is_adapter(name) && name != trunk->learnt_head;
  }

  static bool is_adapter(std::string_view name);

 private:
  struct Trunk {
    std::string prefix;       // of its parameters' names, "policy.transformer."
    std::string learnt_head;  // empty: none
  };
  // Calls f(prefix, trunk) for each trunk within a module.
  template <class Module, class F>
  static void visit_trunks(Module& module, const std::string& prefix, const F& f) {
    if constexpr (std::is_same_v<Module, Gpt2>) {
      f(prefix, module);
    } else if constexpr (requires { module.visit([](auto&&...) {}); }) {
      module.visit(
          [&](const std::string& name, auto& part) { visit_trunks(part, prefix + name + ".", f); });
    }
  }

  std::vector<Trunk> trunks_;
};

}  // namespace rlhf
