// What the tests of preference learning share: the model of tests/data/gpt2_golden, the examples
// that TRL was asked about, and runs that keep what was logged.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "rl/dpo.h"
#include "rl/kto.h"
#include "rl/orpo.h"
#include "rl/simpo.h"
#include "tests/files.h"
#include "tests/paths.h"
#include "tests/tiny_models.h"

namespace rlhf {

inline const nlohmann::json& preference_golden() {
  static const nlohmann::json loaded = test_data("preference_oracle");
  return loaded;
}

/// Every parameter times `scale`: the oracle's policy at 1, its reference below or above.
inline Gpt2 golden_gpt2(double scale = 1, const Placement& placement = {}) {
  Gpt2Config config{.vocab_size = 61,
                    .n_positions = 16,
                    .n_embd = 32,
                    .n_layer = 2,
                    .n_head = 2,
                    .layer_norm_epsilon = 1e-5f};
  config.set_dropout(0);
  LanguageModel model{empty_gpt2(config)};
  const auto tensors = read_safetensors(in_source("tests/data/gpt2_golden/model.safetensors"));
  for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
    std::vector<float> values = tensors.at(name).template to_vector<float>();
    for (float& value : values) value = float(double(value) * scale);
    tensor = Tensor::from(values, tensor.shape());
  });
  move_parameters(model, placement);
  return model.transformer;
}

inline Example answered(const Tokens& prompt, const Tokens& completion) {
  Example example{prompt, std::vector<char>(prompt.size(), 0)};
  example.tokens.insert(example.tokens.end(), completion.begin(), completion.end());
  example.learn.resize(example.tokens.size(), 1);
  return example;
}

inline PreferenceData golden_pairs() {
  PreferenceData data;
  for (const auto& row : preference_golden()["pairs"]) {
    const Tokens prompt = row["prompt"];
    data.rows.push_back({answered(prompt, row["chosen"]), answered(prompt, row["rejected"])});
  }
  return data;
}

inline JudgedData golden_judged() {
  JudgedData data;
  for (const auto& row : preference_golden()["judged"]) {
    data.rows.push_back({answered(row["prompt"], row["completion"]), row["label"]});
  }
  return data;
}

/// All examples in one step of plain gradient descent at rate 1: the parameters move by the
/// gradient.
inline PreferenceSchedule one_step(int64_t batch, int64_t accumulation = 1) {
  PreferenceSchedule schedule;
  schedule.training.max_steps = 1;
  schedule.training.batch_size = batch;
  schedule.training.gradient_accumulation_steps = accumulation;
  schedule.training.schedule = {.kind = ScheduleKind::constant, .peak = 1, .warmup_steps = 0};
  schedule.training.optimizer = {.kind = OptimizerKind::sgd, .weight_decay = 0, .max_grad_norm = 0};
  schedule.training.optimizer.momentum = 0;
  return schedule;
}

/// What a run logged, step by step, without what a clock says.
struct Logged {
  std::vector<std::map<std::string, double>> steps;
  OnStep on_step() {
    return [this](int64_t, int64_t, const Metrics& metrics) {
      steps.emplace_back(metrics.begin(), metrics.end());
    };
  }
};

}  // namespace rlhf
