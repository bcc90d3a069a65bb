#include "apps/lora_flags.h"

#include <fmt/core.h>

#include <cstdio>
#include <sstream>

#include "apps/print.h"
#include "apps/terminal.h"

namespace rlhf {
namespace {

void tell(const std::string& line) { note("{}\n", escape_line(line)); }

std::string share_text(Gpt2& model) {
  int64_t learnt = 0, all = 0;
  const FrozenBases bases(model);
  for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
    all += tensor.count();
    if (!bases.hold(name)) learnt += tensor.count();
  });
  return fmt::format("{} of {} parameters learn ({:.2f} %)", learnt, all,
                     100.0 * double(learnt) / double(all));
}

}  // namespace

void LoraFlags::declare(Flags& flags) {
  flags.group("Adapters");
  flags.add("use_peft", use_peft_,
            "keep the weights as they are and learn low-rank adapters to them (LoRA): a small part "
            "of the memory, and a small file; a learning rate some ten times as high suits them");
  flags.add("lora_r", config_.r, between(1, 1 << 16), "rank of the adapters");
  flags.add("lora_alpha", config_.alpha, above(0.0), "scale of the adapters, times r");
  flags.add("lora_dropout", config_.dropout, between(0.0, 0.9),
            "of what adapters read in supervised training; policies learn without");
  flags.add("lora_target_modules", targets_, "layers that get one, by the ends of their names");
  flags.add("use_rslora", config_.use_rslora, "scale by lora_alpha / sqrt(r) instead of / r");
}

void LoraFlags::prepare(Gpt2& model, const std::string& folder, uint64_t seed) const {
  if (!use_peft_) {
    if (!model.lora) return;
    merge_adapters(model);
    return tell(fmt::format(
        "the adapter in {} is merged into its base; --use_peft would go on with it", folder));
  }
  std::string done = fmt::format("goes on with the adapter in {}", folder);
  if (!model.lora) {
    LoraConfig config = config_;
    config.target_modules.clear();
    std::istringstream names(targets_);
    for (std::string name; std::getline(names, name, ',');) config.target_modules.push_back(name);
    config.base_model_name_or_path = folder;
    if (folder.empty()) {
      input_error("--use_peft", "expected --model_name_or_path beside it, got a new model");
    }
    validate(config, "--use_peft");
    add_adapters(model, config, seed);
    done = fmt::format("adapters to {}", folder);
  }
  tell(fmt::format("{}: r {}, scale {:.3g}, {}", done, model.lora->r, model.lora->scale(),
                   share_text(model)));
}

Gpt2 LoraFlags::copy_to_train(const Gpt2& from, const std::string& folder, uint64_t seed) const {
  Gpt2 copy = use_peft_ ? shared_copy(from) : copy_of(from);
  if (copy.lora.has_value() != use_peft_) prepare(copy, folder, seed);
  return copy;
}

}  // namespace rlhf
