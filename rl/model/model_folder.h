// Model folders in Hugging Face's layout: config.json, model.safetensors and the tokenizer's files.
// What a command writes, any other can read.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/tokenizer.h"
#include "nn/gpt2.h"

namespace rlhf {

struct LoadedLanguageModel {
  LanguageModel model;
  std::unique_ptr<Tokenizer> tokenizer;
  /// What ends a text: the tokenizer's end token, and what generation_config.json names beside it.
  std::vector<int32_t> stop_tokens;
};
struct LoadedScalarModel {
  ScalarModel model;
  std::unique_ptr<Tokenizer> tokenizer;
};

/// Reads a folder written by save_model, or a GPT-2 checkpoint in safetensors format: in one file
/// or in shards, with or without the `transformer.` prefix, in F16, BF16, F32 or F64. An embedding
/// of more rows than the tokenizer has ids is kept as it is, and those ids are never sampled
/// (Gpt2Config::sampled_ids). A head apart from the embedding, "lm_head.weight", is the model's own
/// (Gpt2::lm_head) where config.json says untied, or where it differs. Every shape is held against
/// the files before memory is asked for. Parameters are read on the host one by one, and go where
/// `placement` says.
/// @throws InputError when the folder holds a reward model, and naming the file and the tensor that
/// is missing, extra or of another shape or type than config.json says.
LoadedLanguageModel load_language_model(const std::filesystem::path& folder,
                                        const Placement& placement = {});

/// Reads a reward model. @throws InputError likewise, also when the folder holds a language model.
LoadedScalarModel load_scalar_model(const std::filesystem::path& folder,
                                    const Placement& placement = {});

/// Whether a folder holds a reward model (GPT2ForSequenceClassification in config.json).
/// @throws InputError when it holds no config.json.
bool is_scalar_model(const std::filesystem::path& folder);

/// Writes all files of a model, as StagedFolder publishes them, its parameters in their own type. A
/// reward model gets an embedding for the pad token if it has none: transformers finds the last
/// token of a padded row by that id.
/// @throws Error when a parameter is not finite: a model that has diverged must not replace one
/// that has not.
void save_model(const std::filesystem::path& folder, LanguageModel& model,
                const Tokenizer& tokenizer);
void save_model(const std::filesystem::path& folder, ScalarModel& model,
                const Tokenizer& tokenizer);

}  // namespace rlhf
