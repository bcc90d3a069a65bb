// Pretraining: next-token prediction on a stream of text, from random windows (Radford et al.
// 2019).
#pragma once

#include "data/token_stream.h"
#include "nn/gpt2.h"
#include "rl/checkpoints.h"
#include "rl/trainer.h"

namespace rlhf {

struct PretrainConfig {
  TrainingConfig training;
  int64_t block_size = 64;   ///< tokens a window
  int64_t eval_steps = 250;  ///< validation every so many steps, and at the end
  int64_t logging_steps = 10;
};

struct PretrainResult {
  double train_loss = 0;     ///< mean over the last logging interval
  double val_loss = 0;       ///< nats a token over the whole validation stream, at the end
  double best_val_loss = 0;  ///< of all evaluations; both 0 without a validation stream
  int64_t tokens = 0;        ///< trained on
  double seconds = 0;        ///< without evaluation
};

/// Trains in place. Each window of a step starts at a place that (seed, step, window) draws.
/// REQUIRES: train holds more than block_size tokens, val at least two or none.
PretrainResult pretrain(Gpt2& model, const TokenStream& train, const TokenStream& val,
                        const PretrainConfig& config, const OnStep& on_step,
                        Checkpoints checkpoints = {});

}  // namespace rlhf
