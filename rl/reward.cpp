#include "rl/reward.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/math.h"
#include "rl/batches.h"

namespace rlhf {
namespace {

// The losses of some examples, one each, with chosen and rejected in one concatenated batch.
Tensor losses(const ScalarModel& model, const RewardData& data, std::span<const int64_t> picked,
              const RewardConfig& config, const StepState* training) {
  const int64_t n = int64_t(picked.size());
  std::vector<Tokens> sequences;
  for (const int64_t i : picked) sequences.push_back(data.first[size_t(i)]);
  if (config.loss == RewardLoss::pairwise) {
    for (const int64_t i : picked) sequences.push_back(data.second[size_t(i)]);
  }
  const Tensor rewards = reward_at_end(model, sequences, training);
  return dispatch(rewards.dtype(), [&](auto t) -> Tensor {
    using T = decltype(t);
    std::vector<T> value;
    for (const int64_t i : picked) value.push_back(T(data.value[size_t(i)]));
    const Tensor values = Tensor::from(value, {n}, rewards.device());
    if (config.loss != RewardLoss::pairwise) {
      const bool bce = config.loss == RewardLoss::bce;
      return pointwise_loss(rewards, values, bce ? PointwiseKind::bce : PointwiseKind::mse);
    }
    const auto half = [&](int64_t first) {
      Tokens index;
      for (int64_t i = 0; i < n; i++) index.push_back(int32_t(first + i));
      return gather(rewards.reshape({2 * n, 1}), Tensor::from(index, {n}, rewards.device()))
          .reshape({n});
    };
    return pairwise_loss(half(0), half(n), values, config.center_rewards_coefficient);
  });
}

Tensor mean(const Tensor& losses, int64_t denominator) {
  return dispatch(losses.dtype(), [&](auto t) {
    using T = decltype(t);
    const std::vector<T> weight(size_t(losses.count()), T(1.0 / double(denominator)));
    return weighted_sum(losses, Tensor::from(weight, losses.shape(), losses.device()));
  });
}

}  // namespace

Tokens encode_for_reward(const Tokenizer& tokenizer, const std::string& prompt,
                         const std::string& completion, int64_t max_length, bool* truncated) {
  Tokens tokens = tokenizer.encode(prompt);
  const Tokens rest = tokenizer.encode(completion);
  tokens.insert(tokens.end(), rest.begin(), rest.end());
  const bool too_long = int64_t(tokens.size()) >= max_length;
  if (too_long) tokens.resize(size_t(max_length - 1));
  if (truncated) *truncated = too_long;
  tokens.push_back(tokenizer.eos());
  return tokens;
}

RewardData encode_preferences(const Tokenizer& tokenizer, std::span<const Preference> rows,
                              int64_t max_length) {
  RewardData data;
  for (const Preference& row : rows) {
    bool cut_chosen = false, cut_rejected = false;
    Tokens chosen = encode_for_reward(tokenizer, row.prompt, row.chosen, max_length, &cut_chosen);
    Tokens rejected =
        encode_for_reward(tokenizer, row.prompt, row.rejected, max_length, &cut_rejected);
    if (chosen == rejected) {
      data.dropped++;
      continue;
    }
    data.truncated += cut_chosen + cut_rejected;
    data.first.push_back(std::move(chosen));
    data.second.push_back(std::move(rejected));
    data.value.push_back(row.margin);
  }
  return data;
}

RewardData encode_labelled(const Tokenizer& tokenizer, std::span<const Labelled> rows,
                           int64_t max_length) {
  RewardData data;
  for (const Labelled& row : rows) {
    bool cut = false;
    data.first.push_back(encode_for_reward(tokenizer, "", row.text, max_length, &cut));
    data.value.push_back(row.label);
    data.truncated += cut;
  }
  return data;
}

Tensor reward_at_end(const ScalarModel& model, std::span<const Tokens> sequences,
                     const StepState* training) {
  const TokenBatch batch = pad_right(sequences);
  Tokens last;
  for (int64_t b = 0; b < batch.B; b++) {
    last.push_back(int32_t(b * batch.T + int64_t(sequences[size_t(b)].size()) - 1));
  }
  const Tensor hidden = model.transformer(batch, training);
  return model.score(gather(hidden, Tensor::from(last, {batch.B}, hidden.device())));
}

std::vector<double> score(const ScalarModel& model, std::span<const Tokens> sequences,
                          int64_t batch_size) {
  std::vector<double> scores;
  for (size_t first = 0; first < sequences.size(); first += size_t(batch_size)) {
    const size_t n = std::min(size_t(batch_size), sequences.size() - first);
    const Tensor rewards = reward_at_end(model, sequences.subspan(first, n));
    dispatch(rewards.dtype(), [&](auto t) {
      for (const auto value : rewards.to_vector<decltype(t)>())
        scores.push_back(model.gain * double(value) + model.bias);
    });
  }
  return scores;
}

ScoreFunction reward_score(const ScalarModel& model, int32_t eos) {
  return [&model, eos](std::span<const Episode> episodes) {
    const size_t limit = size_t(model.transformer.config.n_positions);
    std::vector<Tokens> sequences;
    for (const Episode& episode : episodes) {
      Tokens tokens = episode.tokens();
      if (!episode.stopped && tokens.size() < limit) tokens.push_back(eos);
      sequences.push_back(std::move(tokens));
    }
    return score(model, sequences);
  };
}

RewardEvaluation evaluate_reward(const ScalarModel& model, const RewardData& data,
                                 const RewardConfig& config) {
  RewardEvaluation out;
  if (data.size() == 0) return out;
  out.scores = score(model, data.first);
  std::vector<double> all = out.scores;
  const std::vector<double> rejected = score(model, data.second);
  all.insert(all.end(), rejected.begin(), rejected.end());
  for (size_t i = 0; i < data.size(); i++) {
    const double reward = out.scores[i], value = data.value[i];
    if (config.loss == RewardLoss::pairwise) {
      const double difference = reward - rejected[i], sum = reward + rejected[i];
      out.loss += softplus(value - difference) + config.center_rewards_coefficient * sum * sum;
      out.accuracy += difference > 0;
      out.margin += difference;
    } else if (config.loss == RewardLoss::bce) {
      out.loss += softplus(reward) - value * reward;
      out.accuracy += (reward > 0) == (value > 0.5);
    } else {
      out.loss += 0.5 * (reward - value) * (reward - value);
    }
  }
  const double n = double(data.size());
  out.loss /= n;
  out.accuracy /= n;
  out.margin /= n;
  for (const double reward : all) out.mean_reward += reward / double(all.size());
  for (const double reward : all) {
    out.std_reward += (reward - out.mean_reward) * (reward - out.mean_reward) / double(all.size());
  }
  out.std_reward = std::sqrt(out.std_reward);
  return out;
}

RewardResult train_reward(ScalarModel& model, const RewardData& train, const RewardData& validation,
                          const RewardConfig& config, const OnStep& on_step) {
  using Clock = std::chrono::steady_clock;
  if (train.size() == 0) input_error("reward", "expected at least one example, got none");
  TrainingConfig training = config.training;
  BatchOrder order(int64_t(train.size()),
                   training.batch_size * training.gradient_accumulation_steps, training.seed);
  if (training.max_steps == 0) {
    training.max_steps = config.num_train_epochs * order.steps_per_epoch();
  }
  Trainer trainer(model, training);
  RewardResult result{.steps = training.max_steps};
  IntervalMean interval;

  for (int64_t step = 1; step <= training.max_steps; step++) {
    const auto start = Clock::now();
    const std::span<const int64_t> picked = order.at(step);
    const int64_t n = int64_t(picked.size());
    const int64_t micro_batches = (n + training.batch_size - 1) / training.batch_size;
    const Trainer::Step done = trainer.step(micro_batches, [&](int64_t micro) {
      const int64_t first = micro * training.batch_size;
      const auto part =
          picked.subspan(size_t(first), size_t(std::min(training.batch_size, n - first)));
      return mean(losses(model, train, part, config, &trainer.state()), n);
    });
    result.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    interval.add(done.loss);

    const bool last = step == training.max_steps;
    const bool evaluate = last || (config.eval_steps > 0 && step % config.eval_steps == 0);
    if (!evaluate && step % config.logging_steps != 0) continue;
    result.train_loss = interval.take();
    Metrics metrics{{"loss", result.train_loss},
                    {"grad_norm", done.grad_norm},
                    {"learning_rate", done.learning_rate},
                    {"epoch", order.epochs(step)}};
    if (evaluate && validation.size() > 0) {
      result.validation = evaluate_reward(model, validation, config);
      metrics.emplace_back("eval_loss", result.validation.loss);
      metrics.emplace_back("eval_mean_reward", result.validation.mean_reward);
      if (config.loss != RewardLoss::mse) {
        metrics.emplace_back("eval_accuracy", result.validation.accuracy);
      }
      if (config.loss == RewardLoss::pairwise) {
        metrics.emplace_back("eval_margin", result.validation.margin);
      }
    }
    on_step(step, training.max_steps, metrics);
  }
  return result;
}

}  // namespace rlhf
