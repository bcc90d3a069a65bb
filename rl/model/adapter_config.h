// adapter_config.json: what Hugging Face's PEFT says of a low-rank adapter. A value that would make
// it another adapter than ours is refused by name, as model_config.h does it.
#pragma once

#include <filesystem>
#include <string_view>

#include "nn/lora_config.h"

namespace rlhf {

struct AdapterConfig {
  LoraConfig lora;
  bool scalar = false;  ///< task_type SEQ_CLS: a reward model, whose head is in the file as well
  double reward_gain = 1, reward_bias = 0;
};

/// The content of an adapter_config.json. Keys that are missing have PEFT's defaults.
/// @throws InputError "[source] ..." naming the key.
AdapterConfig parse_adapter_config(std::string_view text, std::string_view source);

/// @throws InputError likewise, and when there is no such file.
AdapterConfig read_adapter_config(const std::filesystem::path& folder);

/// Writes adapter_config.json as PEFT wants it.
void write_adapter_config(const std::filesystem::path& folder, const AdapterConfig& config);

}  // namespace rlhf
