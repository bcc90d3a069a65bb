#include "apps/reward_flags.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "core/check.h"
#include "data/datasets.h"
#include "data/same_tokens.h"
#include "rl/reward/reward.h"
#include "rl/reward/reward_normalisation.h"

namespace rlhf {
namespace {

std::vector<double> read_weights(const std::string& text) {
  std::vector<double> weights;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    double weight = 0;
    const char* end = part.data() + part.size();
    const auto [stop, failure] = std::from_chars(part.data(), end, weight);
    if (failure != std::errc() || stop != end || !(std::abs(weight) < 1e9)) {
      input_error("--reward_weights", "expected numbers such as 1,0.5, got \"{}\"", text);
    }
    weights.push_back(weight);
  }
  return weights;
}

}  // namespace

void RewardFlags::declare(Flags& flags) {
  flags.group("Judgement");
  flags
      .add("reward_model_path", model_path_,
           "reward model of the same tokenizer; may be missing where there are functions")
      .shown_as("DIR");
  flags.add("reward_model_weight", model_weight_, between(-1e6, 1e6), "weight of its score");
  flags.add("reward_funcs", descriptions_,
            "functions such as length:target=20; keyword:good|fine; regex:^[A-Z]; bleu; rouge; "
            "command:./judge.py (docs/reward-functions.md); may be given several times");
  flags.add("reward_weights", weights_, "a weight for each function, as 1,0.5; without it 1");
  flags.add("reward_timeout", timeout_seconds_, above(0.0), "seconds that a command may take");
  flags.choice("normalize_reward_model", normalise_, {"off", "reference", "demonstrations"},
               "mean 0, deviation 1 over the reference's responses, or mean 0 over "
               "--demonstrations_name");
  flags.add("normalize_samples", samples_, between(2, 1 << 20), "responses for that");
  flags.add("demonstrations_name", demonstrations_, "rows of prompt and completion")
      .shown_as("FILE");
}

std::string RewardFlags::descriptions() const {
  return fmt::format("{}", fmt::join(descriptions_, ";"));
}

std::vector<NamedReward> RewardFlags::functions() const {
  std::vector<NamedReward> rewards = parse_reward_functions(descriptions(), timeout_seconds_);
  if (rewards.empty() && model_path_.empty()) {
    input_error("--reward_model_path", "expected a reward model or --reward_funcs, got neither");
  }
  const std::vector<double> weights = read_weights(weights_);
  if (!weights.empty() && weights.size() != rewards.size()) {
    input_error("--reward_weights", "expected one for each of {} functions, got {}", rewards.size(),
                weights.size());
  }
  for (size_t i = 0; i < weights.size(); i++) rewards[i].weight = weights[i];
  return rewards;
}

std::optional<LoadedScalarModel> RewardFlags::load_model(const Tokenizer& policy,
                                                         const Placement& placement) const {
  if (model_path_.empty()) {
    if (normalise_ != "off") {
      input_error("--normalize_reward_model", "expected --reward_model_path beside it, got none");
    }
    return std::nullopt;
  }
  LoadedScalarModel model = load_scalar_model(model_path_, placement);
  check_same_tokenizer(policy, *model.tokenizer, model_path_);
  return model;
}

void RewardFlags::normalise(ScalarModel& model, const Tokenizer& tokenizer, const Gpt2& reference,
                            std::span<const Tokens> prompts, SamplingOptions sampling) const {
  if (normalise_ == "reference") {
    sampling.seed += 1;
    normalise_reward(model, reference_scores(reference, prompts, samples_, sampling,
                                             reward_score(model, tokenizer.eos())));
  } else if (normalise_ == "demonstrations") {
    if (demonstrations_.empty()) {
      input_error("--demonstrations_name", "expected rows of prompt and completion, got nothing");
    }
    std::vector<Tokens> texts;
    for (const PromptCompletion& row : read_prompt_completion(demonstrations_)) {
      if (int64_t(texts.size()) == samples_) break;
      texts.push_back(encode_for_reward(tokenizer, row.prompt, row.completion,
                                        model.transformer.config.n_positions));
    }
    centre_reward(model, score(model, texts));
  }
}

std::string RewardFlags::summary() const {
  const std::string model = model_path_.empty() ? "" : "the reward model in " + model_path_;
  if (descriptions_.empty()) return model;
  return model + (model.empty() ? "" : " and ") + descriptions();
}

void check_same_tokenizer(const Tokenizer& policy, const Tokenizer& other,
                          const std::string& folder) {
  if (!same_tokens(policy, other)) {
    input_error(folder, "expected the policy's tokenizer ({} tokens), got another ({} tokens)",
                policy.vocab_size(), other.vocab_size());
  }
}

}  // namespace rlhf
