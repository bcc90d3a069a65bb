// Supervised fine-tuning on prompts and completions, or on dialogues: the language-model loss on
// what the model is to say only, with the end token as part of it, so that it learns to stop.
#pragma once

#include <span>
#include <vector>

#include "data/datasets.h"
#include "data/tokenizer.h"
#include "rl/checkpoints.h"
#include "rl/language_model.h"
#include "rl/trainer.h"

namespace rlhf {

struct SftConfig {
  TrainingConfig training;
  int64_t num_train_epochs = 3;      ///< used when training.max_steps is 0
  int64_t max_length = 0;            ///< tokens an example, the rest is cut; 0: the model's limit
  bool completion_only_loss = true;  ///< false: learn the prompt as well
  bool assistant_only_loss = true;   ///< of dialogues; false: learn all that is no prompt
  bool packing = false;              ///< several examples a row, which cannot see each other
  int64_t logging_steps = 10;
};

struct SftResult {
  double train_loss = 0;
  double val_loss = 0;  ///< nats a completion token; 0 without validation data
  int64_t steps = 0;
  int64_t tokens = 0;
  double seconds = 0;
};

/// prompt, completion and the end token as one example. Prompt and completion are tokenised apart,
/// as generation will see them. What is too long loses its end; a dialogue
/// (rl/model/chat_encoding.h) its oldest exchanges, and it has no tokens when the last one does not
/// fit.
Example encode_example(const Tokenizer& tokenizer, const PromptCompletion& row, int64_t max_length,
                       bool completion_only_loss, bool assistant_only_loss = true,
                       bool* truncated = nullptr);

/// Everything a run reads, as tokens. Examples without a token to learn are left out: their prompt
/// alone fills max_length.
struct SftData {
  std::vector<Example> train, val;
  int64_t truncated = 0;  ///< examples that max_length cut
  int64_t dropped = 0;    ///< examples left out
};

/// Encodes for a model of `n_positions`, before a run folder exists. @throws InputError when the
/// vocabulary cannot spell a row, or no example of a set has anything to learn.
SftData encode_sft(const Tokenizer& tokenizer, std::span<const PromptCompletion> train,
                   std::span<const PromptCompletion> val, int64_t n_positions,
                   const SftConfig& config);

/// Trains in place, each epoch in an order drawn from (seed, epoch). With packing, a row holds
/// max_length tokens and a micro-batch batch_size rows' worth of examples.
SftResult sft(Gpt2& model, const SftData& data, const SftConfig& config, const OnStep& on_step,
              Checkpoints checkpoints = {});

}  // namespace rlhf
