// config.json and generation_config.json of a model folder: what Hugging Face's GPT-2 says of
// itself. A value that would make it another model than ours is refused by name: a model that would
// load and be wrong does not load. Parsing takes bytes in memory and allocates nothing by them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "core/dtype.h"
#include "data/tokenizer.h"
#include "nn/gpt2_config.h"

namespace rlhf {

struct ModelConfig {
  Gpt2Config shape;
  bool scalar = false;       ///< GPT2ForSequenceClassification with one label
  bool tied = true;          ///< tie_word_embeddings; false: the file must hold the head as well
  DType dtype = DType::f32;  ///< of the parameters, written for transformers; nothing reads it
  double reward_gain = 1, reward_bias = 0;
};

/// The content of a config.json. Keys that are missing have transformers' defaults.
/// @throws InputError "[source] ..." naming the key.
ModelConfig parse_model_config(std::string_view text, std::string_view source);

/// @throws InputError likewise, and when there is no such folder or file.
ModelConfig read_model_config(const std::filesystem::path& folder);

/// The ids in `eos_token_id` of a generation_config.json: none, one or several.
/// @throws InputError naming what is no id below `vocab_size`.
std::vector<int32_t> parse_eos_ids(std::string_view text, int64_t vocab_size,
                                   std::string_view source);

/// Writes config.json and generation_config.json as transformers wants them.
void write_model_config(const std::filesystem::path& folder, const ModelConfig& config,
                        const Tokenizer& tokenizer);

}  // namespace rlhf
