#include "apps/demo_sizes.h"

namespace rlhf {
namespace {

TrainingConfig training(int64_t max_steps, int64_t batch_size, double rate) {
  TrainingConfig config;
  config.max_steps = max_steps;
  config.batch_size = batch_size;
  config.schedule = {
      .kind = ScheduleKind::cosine, .peak = rate, .floor = rate / 10, .warmup_steps = 20};
  config.optimizer.weight_decay = 0.01f;
  config.optimizer.beta2 = 0.99f;
  return config;
}

DemoSizes sizes(int64_t scale) {
  DemoSizes s{.documents = 5000 * scale,
              .sft_examples = 1000 * scale,
              .pairs = 1000 * scale,
              .prompts = 500 * scale,
              .held_out = 256,
              .vocab_size = 1024};
  s.model.n_positions = 64;
  s.sft.completion_only_loss = true;
  s.ppo.episodes_per_update = 64;
  s.ppo.responses.length = 32;
  s.ppo.num_iterations = 4;
  s.ppo.num_mini_batches = 1;
  s.ppo.per_device_train_batch_size = 32;
  s.ppo.kl.coefficient = 0.4;
  s.ppo.training = training(1, 1, 3e-4);
  s.ppo.training.schedule = {.kind = ScheduleKind::linear, .peak = 3e-4, .floor = 3e-5};
  s.ppo.training.optimizer.weight_decay = 0;
  return s;
}

}  // namespace

DemoSizes full_sizes() {
  DemoSizes s = sizes(8);
  s.model.n_layer = 3;
  s.model.n_head = 4;
  s.model.n_embd = 128;
  s.pretrain.training = training(2000, 32, 2e-3);
  s.pretrain.block_size = 64;
  s.pretrain.eval_steps = 500;
  s.sft.training = training(250, 32, 5e-4);
  s.reward.training = training(0, 32, 5e-4);
  s.reward.num_train_epochs = 2;
  s.reward.eval_steps = 50;
  s.ppo.total_episodes = 64 * 60;
  return s;
}

DemoSizes quick_sizes() {
  DemoSizes s = sizes(2);
  s.model.n_layer = 2;
  s.model.n_head = 4;
  s.model.n_embd = 64;
  s.pretrain.training = training(800, 16, 3e-3);
  s.pretrain.block_size = 64;
  s.pretrain.eval_steps = 400;
  s.sft.training = training(100, 32, 1e-3);
  s.pairs = 4000;
  s.reward.training = training(0, 32, 1e-3);
  s.reward.num_train_epochs = 3;
  s.reward.eval_steps = 100;
  s.ppo.total_episodes = 64 * 30;
  return s;
}

}  // namespace rlhf
