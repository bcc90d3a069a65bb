// Adapter folders in PEFT's layout: adapter_config.json, adapter_model.safetensors, and beside them
// the tokenizer's files, as its users keep them. The base is a model folder of its own.
#pragma once

#include <filesystem>
#include <optional>

#include "nn/gpt2.h"
#include "rl/model/adapter_config.h"
#include "rl/model/model_config.h"

namespace rlhf {

/// Whether the folder holds an adapter instead of a whole model.
bool is_adapter_folder(const std::filesystem::path& folder);

struct Adapter {
  std::filesystem::path folder;
  AdapterConfig config;  ///< names the base by the path where it was found

  std::filesystem::path base() const { return config.lora.base_model_name_or_path; }
  /// The adapter's own folder, or the base's when it has no tokenizer.
  std::filesystem::path tokenizer_folder() const;

  /// Gives a model of the base's weights the adapters, and the head that was learnt beside them:
  /// a reward model's, or a language model's own (LoraConfig::trains_head).
  /// @throws InputError naming the file and the tensor that is missing, extra or of another shape
  /// or type than adapter_config.json and the base say.
  void load_into(LanguageModel& model, const Placement& placement) const;
  void load_into(ScalarModel& model, const Placement& placement) const;
};

/// The adapter in a folder, if it holds one. `base_model_name_or_path` is looked for from here, and
/// then from the adapter's folder and each folder above it: so that both may be moved together.
/// @throws InputError for a bad configuration, and when there is no base of that name, or it is an
/// adapter itself.
std::optional<Adapter> find_adapter(const std::filesystem::path& folder);

/// Writes adapter_config.json and adapter_model.safetensors: all that learns.
void write_adapter(const std::filesystem::path& folder, LanguageModel& model,
                   const ModelConfig& config);
void write_adapter(const std::filesystem::path& folder, ScalarModel& model,
                   const ModelConfig& config);

}  // namespace rlhf
