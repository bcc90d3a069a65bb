// Model folders in Hugging Face's layout: config.json, model.safetensors and the tokenizer's files.
// What a command writes, any other can read.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "data/tokenizer.h"
#include "nn/gpt2.h"

namespace rlhf {

struct LoadedLanguageModel {
  LanguageModel model;
  std::unique_ptr<Tokenizer> tokenizer;
};
struct LoadedScalarModel {
  ScalarModel model;
  std::unique_ptr<Tokenizer> tokenizer;
};

/// Reads a folder written by save_model, or a GPT-2 checkpoint with or without the `transformer.`
/// prefix. @throws InputError when the folder holds a reward model, and naming the file and the
/// tensor that is missing, extra or of another shape than config.json says.
LoadedLanguageModel load_language_model(const std::filesystem::path& folder);

/// Reads a reward model. @throws InputError likewise, also when the folder holds a language model.
LoadedScalarModel load_scalar_model(const std::filesystem::path& folder);

/// Whether a folder holds a reward model (GPT2ForSequenceClassification in config.json).
/// @throws InputError when it holds no config.json.
bool is_scalar_model(const std::filesystem::path& folder);

/// Writes all files of a model; each appears under its name only when it is complete.
void save_model(const std::filesystem::path& folder, LanguageModel& model,
                const Tokenizer& tokenizer);
void save_model(const std::filesystem::path& folder, ScalarModel& model,
                const Tokenizer& tokenizer);

}  // namespace rlhf
