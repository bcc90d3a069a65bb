#include "rl/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/dtype.h"
#include "nn/lora.h"

namespace rlhf {
namespace {

constexpr double kProgram = 16e6;  // code, texts, tokens, the working memory of threads

/// Keys and values of every layer for sequences of so many positions.
double cache_bytes(const Gpt2Config& c, int64_t sequences, int64_t positions, double element) {
  return 2.0 * double(c.n_layer) * double(sequences * positions) * double(c.n_embd) * element;
}

// A block keeps 18 numbers a channel: norm 1, qkv 3, attention 1, projection 1, sum 1, norm 1, mlp
// 4 + 4 + 1, sum 1; the trunk an embedding, a norm and the rows that a loss reads. The backward
// pass of a block holds as many gradients as half of that at a time. Rows of statistics are small.
double activation_bytes(const Gpt2Config& c, const MemoryUse& use, double element) {
  constexpr double a_block = 18, trunk = 4, gradients = 9;
  const double layers = double(c.n_layer), tokens = double(use.train_sequences * use.positions);
  const double kept = use.gradient_checkpointing ? layers + a_block : layers * a_block;
  return tokens * double(c.n_embd) * (kept + trunk + gradients) * element;
}

// On the CPU a chunk of rows and its gradient, on a GPU all of them up to 8 GiB (token_log_prob).
double logit_bytes(const Gpt2Config& c, const MemoryUse& use, double element) {
  const double rows = double(use.train_sequences * use.positions), row = double(c.vocab_size);
  if (use.device != Device::cpu) return std::min(rows * row * element, double(size_t{8} << 30));
  return std::min(rows, std::max(128.0, (4 << 20) / (4 * row))) * row * 4;
}

const void* begin_of(const Tensor& tensor) {
  return dispatch(tensor.dtype(),
                  [&](auto t) -> const void* { return tensor.data<decltype(t)>(); });
}

std::string size_text(double bytes) {
  const char* units[] = {"B", "KB", "MB", "GB", "TB"};
  size_t unit = 0;
  while (bytes >= 1000 && unit < 4) bytes /= 1000, unit++;
  return fmt::format("{:.3g} {}", bytes, units[unit]);
}

}  // namespace

void MemoryUse::add(const std::string& name, const Gpt2& model, bool trained) {
  Network network{.name = name, .config = model.config};
  Gpt2 handles = model;
  const FrozenBases bases(handles);
  for_each_parameter(handles, [&](const std::string& parameter, Tensor& tensor) {
    if (counted_.insert(begin_of(tensor)).second) network.own += tensor.count();
    if (!trained || bases.hold(parameter)) return;
    if (learnt_.insert(begin_of(tensor)).second) network.learnt += tensor.count();
  });
  networks.push_back(std::move(network));
}

void MemoryUse::add_heads(const std::string& name, std::span<const Tensor> heads) {
  Network network{.name = name, .config = {}, .heads = true};
  for (const Tensor& head : heads) {
    if (counted_.insert(begin_of(head)).second) network.own += head.count();
    if (learnt_.insert(begin_of(head)).second) network.learnt += head.count();
  }
  networks.push_back(std::move(network));
}

double MemoryPlan::total() const {
  double sum = 0;
  for (const Item& item : items) sum += item.bytes;
  return sum;
}

std::string MemoryPlan::text() const {
  std::string text = "memory:";
  for (const Item& item : items) {
    if (item.bytes > 0) text += fmt::format(" {} {},", item.what, size_text(item.bytes));
  }
  text.back() = ';';
  return fmt::format("{} {} in all", text, size_text(total()));
}

MemoryPlan memory_plan(const MemoryUse& use) {
  const double element = use.dtype == DType::bf16 ? 2 : 4;
  MemoryPlan plan;
  double trained = 0, cache = 0, activations = 0;
  for (const MemoryUse::Network& network : use.networks) {
    plan.items.push_back({network.name, double(network.own) * element});
    if (&network == &use.networks.front()) {  // the policy: it alone samples and has logits
      cache = cache_bytes(network.config, use.rollout_sequences, use.positions, element);
      activations = logit_bytes(network.config, use, element);
    }
    trained += double(network.learnt);
    if (network.learnt > 0 && !network.heads) {
      activations += activation_bytes(network.config, use, element);
    }
  }
  plan.items.push_back({"gradients", trained * 4});
  plan.items.push_back({"moments", trained * 4 * (use.masters ? 3 : 2)});
  // On the CPU blocks have one of four sizes an octave, and micro-batches of several lengths leave
  // some of each behind; parameters were blocks of their own before they moved together.
  const bool pooled = use.device != Device::cpu;
  const double slack = pooled ? 1 : 1.25;
  plan.items.push_back({"rollout", cache * slack});
  plan.items.push_back({"activations", activations * slack});
  if (!pooled) plan.items.push_back({"loading", trained * element});
  plan.items.push_back({"program", kProgram});
  return plan;
}

}  // namespace rlhf
