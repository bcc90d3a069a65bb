#include "rl/alarms.h"

#include <fmt/core.h>

#include <algorithm>

namespace rlhf {
namespace {

enum First { first_entropy, first_length, first_repetition, first_count };

/// What conditions read.
struct Seen {
  std::map<std::string, double> now;
  std::vector<double> first;
  double value_loss = 0;          ///< mean of the updates before
  double value_loss_updates = 0;  ///< how many those are

  double operator[](const char* name) const {
    const auto found = now.find(name);
    return found == now.end() ? 0 : found->second;
  }
};

}  // namespace

struct Alarms::Watch {
  const char* kind;
  int in_a_row;  ///< updates for which the condition must have held
  std::function<bool(const Seen&)> holds;
  std::function<std::string(const Seen&)> line;
};

const std::vector<Alarms::Watch>& Alarms::watches() {
  static const std::vector<Watch> all{
      {"ratio_not_one", 1, [](const Seen& s) { return s["val/first_logprob_difference"] > 1e-4; },
       [](const Seen& s) {
         return fmt::format(
             "log-probabilities in training differ from those of sampling by up to {:.3g} before "
             "the first step of the update: ratios do not start at 1; a defect, please report it",
             s["val/first_logprob_difference"]);
       }},
      {"kl_negative", 1, [](const Seen& s) { return s["objective/kl"] < -1; },
       [](const Seen& s) {
         return fmt::format(
             "KL to the reference is {:.3g} nats an episode, which a true KL never is: responses "
             "do "
             "not come from the whole distribution; drop --top_k and --top_p, or take "
             "--kl_estimator k3",
             s["objective/kl"]);
       }},
      {"kl_exploding", 1,
       [](const Seen& s) {
         return s["objective/kl"] > 10 && s["objective/kl"] > s["tokens/responses_len_mean"];
       },
       [](const Seen& s) {
         return fmt::format(
             "KL to the reference is {:.3g} nats an episode, more than one a token: the policy has "
             "left the text it knows; raise --kl_coef, lower --learning_rate, or set --target_kl",
             s["objective/kl"]);
       }},
      {"entropy_collapse", 1,
       [](const Seen& s) {
         return s["policy/entropy_avg"] < 0.05 ||
                s["policy/entropy_avg"] < 0.1 * s.first[first_entropy];
       },
       [](const Seen& s) {
         return fmt::format(
             "entropy is {:.3g} nats a token, {:.3g} at the start: one answer has taken over; "
             "raise "
             "--kl_coef, lower --learning_rate, or train for fewer episodes",
             s["policy/entropy_avg"], s.first[first_entropy]);
       }},
      {"length_collapse", 2,
       [](const Seen& s) {
         return s["tokens/responses_len_mean"] < std::min(0.33 * s.first[first_length], 5.0);
       },
       [](const Seen& s) {
         return fmt::format(
             "responses have shrunk from {:.3g} to {:.3g} tokens: short ones are judged better, or "
             "every token costs; look at the reward of an empty answer, lower --length_penalty, or "
             "raise --gamma to 1",
             s.first[first_length], s["tokens/responses_len_mean"]);
       }},
      {"length_explosion", 2,
       [](const Seen& s) {
         const double length = s["tokens/responses_len_mean"];
         return length > 2 * s.first[first_length] && length > 0.9 * s["response_length"];
       },
       [](const Seen& s) {
         return fmt::format(
             "responses have grown from {:.3g} to {:.3g} tokens, up to --response_length: long "
             "ones "
             "are judged better; raise --missing_eos_penalty, or set --overlong_buffer or "
             "--length_penalty",
             s.first[first_length], s["tokens/responses_len_mean"]);
       }},
      {"repetition", 2,
       [](const Seen& s) {
         return s["tokens/responses_repetition"] > 0.2 + 2 * s.first[first_repetition];
       },
       [](const Seen& s) {
         return fmt::format(
             "{:.0f} % of 4-grams repeat within a response, {:.0f} % at the start: the reward "
             "likes "
             "a phrase; raise --kl_coef, or mend the reward",
             100 * s["tokens/responses_repetition"], 100 * s.first[first_repetition]);
       }},
      {"reward_flat", 2, [](const Seen& s) { return s["objective/scores_std"] < 1e-4; },
       [](const Seen& s) {
         return fmt::format(
             "all scores of the update are {:.3g}: nothing tells a better response from a worse "
             "one; check the reward on samples, or raise --temperature",
             s["objective/scores"]);
       }},
      {"no_end", 3, [](const Seen& s) { return s["tokens/responses_eos_share"] < 0.2; },
       [](const Seen& s) {
         return fmt::format(
             "{:.0f} % of the responses reach no end: it was never learnt, or --response_length "
             "({:.0f}) is too small; fine-tune with ends, raise --response_length or "
             "--missing_eos_penalty",
             100 * (1 - s["tokens/responses_eos_share"]), s["response_length"]);
       }},
      {"critic_behind", 10, [](const Seen& s) { return s["val/explained_variance"] < 0; },
       [](const Seen& s) {
         return fmt::format(
             "the critic has explained less than nothing for 10 updates (explained variance "
             "{:.3g}): raise --critic_rate, set --critic_warmup_updates, or scale rewards with "
             "--score_scaling",
             s["val/explained_variance"]);
       }},
      {"clip_fraction", 1, [](const Seen& s) { return s["policy/clipfrac_avg"] > 0.3; },
       [](const Seen& s) {
         return fmt::format(
             "{:.0f} % of the tokens are clipped: an update moves too far; lower --learning_rate "
             "or "
             "--num_ppo_epochs, or set --target_kl",
             100 * s["policy/clipfrac_avg"]);
       }},
      {"value_loss", 1,
       [](const Seen& s) {
         return s.value_loss_updates >= 5 && s["loss/value_avg"] > 10 * s.value_loss;
       },
       [](const Seen& s) {
         return fmt::format(
             "value loss is {:.3g}, {:.3g} on average before: returns have jumped; set "
             "--score_clip or --score_scaling, or lower --critic_rate",
             s["loss/value_avg"], s.value_loss);
       }},
      {"early_stops", 5, [](const Seen& s) { return s["early_stops"] > 0; },
       [](const Seen&) {
         return std::string(
             "--target_kl has cut 5 updates in a row short: lower --learning_rate or "
             "--num_ppo_epochs, or raise --target_kl");
       }},
  };
  return all;
}

std::vector<Alarm> Alarms::check(int64_t update, const Metrics& metrics) {
  const size_t n = watches().size();
  for (auto* list : {&in_a_row_, &counts_, &told_}) list->resize(n);
  Seen seen{.now = {metrics.begin(), metrics.end()}};
  if (first_.empty()) {
    first_ = {seen["policy/entropy_avg"], seen["tokens/responses_len_mean"],
              seen["tokens/responses_repetition"]};
  }
  first_.resize(first_count);
  seen.first = first_;
  seen.value_loss_updates = value_loss_updates_;
  if (value_loss_updates_ > 0) seen.value_loss = value_loss_ / value_loss_updates_;
  value_loss_ += seen["loss/value_avg"];
  value_loss_updates_++;

  std::vector<Alarm> alarms;
  for (size_t i = 0; i < n; i++) {
    const Watch& watch = watches()[i];
    in_a_row_[i] = watch.holds(seen) ? in_a_row_[i] + 1 : 0;
    if (in_a_row_[i] < watch.in_a_row) continue;
    counts_[i]++;
    if (told_[i] > 0 && double(update) - told_[i] < double(updates_between_)) continue;
    told_[i] = double(update);
    alarms.push_back({watch.kind, fmt::format("update {}: {}", update, watch.line(seen))});
  }
  return alarms;
}

std::map<std::string, int64_t> Alarms::counts() const {
  std::map<std::string, int64_t> out;
  for (size_t i = 0; i < counts_.size(); i++) {
    if (counts_[i] > 0) out[watches()[i].kind] = int64_t(counts_[i]);
  }
  return out;
}

void Alarms::archive(StateArchive& a) {
  a.numbers("alarms.in_a_row", in_a_row_);
  a.numbers("alarms.counts", counts_);
  a.numbers("alarms.told", told_);
  a.numbers("alarms.first", first_);
  a.number("alarms.value_loss", value_loss_);
  a.number("alarms.value_loss_updates", value_loss_updates_);
}

}  // namespace rlhf
