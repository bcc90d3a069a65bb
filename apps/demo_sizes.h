// How large the demo is: a full run for about four minutes on two cores, a quick one for under one.
#pragma once

#include "rl/ppo.h"
#include "rl/pretrain.h"
#include "rl/reward_training.h"
#include "rl/sft.h"

namespace rlhf {

struct DemoSizes {
  int64_t documents, sft_examples, pairs, prompts, held_out;
  int64_t vocab_size;
  double label_noise = 0.05;
  Gpt2Config model;
  PretrainConfig pretrain;
  SftConfig sft;
  RewardConfig reward;
  PpoConfig ppo;
};

DemoSizes full_sizes();
DemoSizes quick_sizes();

}  // namespace rlhf
