#include "rl/alarms.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace rlhf {
namespace {

enum First { first_entropy, first_length, first_repetition };

/// What conditions read: the signs of now, of the first update, and of the updates before.
struct Seen : VitalSigns {
  AlarmWords words;
  std::vector<double> first;
  double mean_value_loss = 0;     ///< of the updates before
  double value_loss_updates = 0;  ///< how many those are

  /// "raise --beta" and what joins it to other advice; nothing where no such flag holds the KL.
  std::string raise_kl_coef(const char* then) const {
    return words.kl_coef.empty() ? "" : "raise " + words.kl_coef + then;
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
      {"ratio_not_one", 1, [](const Seen& s) { return s.first_difference > 1e-4; },
       [](const Seen& s) {
         return fmt::format(
             "log-probabilities in training differ from those of sampling by up to {:.3g} before "
             "the first step of the update: ratios do not start at 1; a defect, please report it",
             s.first_difference);
       }},
      {"kl_negative", 1, [](const Seen& s) { return s.kl < -1; },
       [](const Seen& s) {
         return fmt::format(
             "KL to the reference is {:.3g} nats an episode, which a true KL never is: responses "
             "do not come from the whole distribution; drop --top_k and --top_p{}",
             s.kl, s.words.of_ppo ? ", or take --kl_estimator k3" : "");
       }},
      {"kl_exploding", 1, [](const Seen& s) { return s.kl > 10 && s.kl > s.length; },
       [](const Seen& s) {
         return fmt::format(
             "KL to the reference is {:.3g} nats an episode, more than one a token: the policy has "
             "left the text it knows; {}lower --learning_rate{}",
             s.kl, s.raise_kl_coef(s.words.of_ppo ? ", " : ", or "),
             s.words.of_ppo ? ", or set --target_kl" : "");
       }},
      {"entropy_collapse", 1,
       [](const Seen& s) { return s.entropy < 0.05 || s.entropy < 0.1 * s.first[first_entropy]; },
       [](const Seen& s) {
         return fmt::format(
             "entropy is {:.3g} nats a token, {:.3g} at the start: one answer has taken over; "
             "{}lower --learning_rate, or train for fewer episodes",
             s.entropy, s.first[first_entropy], s.raise_kl_coef(", "));
       }},
      {"length_collapse", 2,
       [](const Seen& s) { return s.length < std::min(0.33 * s.first[first_length], 5.0); },
       [](const Seen& s) {
         return fmt::format(
             "responses have shrunk from {:.3g} to {:.3g} tokens: short ones are judged better, or "
             "every token costs; look at the reward of an empty answer, or lower --length_penalty",
             s.first[first_length], s.length);
       }},
      {"length_explosion", 2,
       [](const Seen& s) {
         const double length = s.length;
         return length > 1.25 * s.first[first_length] && length > 0.9 * s.words.longest;
       },
       [](const Seen& s) {
         return fmt::format(
             "responses have grown from {:.3g} to {:.3g} tokens, up to {}: long ones are judged "
             "better; raise --missing_eos_penalty, or set --overlong_buffer or --length_penalty",
             s.first[first_length], s.length, s.words.response_length);
       }},
      {"repetition", 2,
       [](const Seen& s) { return s.repetition > 0.2 + 2 * s.first[first_repetition]; },
       [](const Seen& s) {
         return fmt::format(
             "{:.0f} % of 4-grams repeat within a response, {:.0f} % at the start: the reward "
             "likes a phrase; {}mend the reward",
             100 * s.repetition, 100 * s.first[first_repetition], s.raise_kl_coef(", or "));
       }},
      {"reward_flat", 2, [](const Seen& s) { return s.score_deviation < 1e-4; },
       [](const Seen& s) {
         return fmt::format(
             "all scores of the update are {:.3g}: nothing tells a better response from a worse "
             "one; check the reward on samples, or raise --temperature",
             s.score);
       }},
      {"groups_flat", 3, [](const Seen& s) { return s.flat_groups > 0.8; },
       [](const Seen& s) {
         return fmt::format(
             "{:.0f} % of the groups of responses have one score throughout and teach nothing: the "
             "reward is saturated or the prompts are too easy or too hard; take other prompts, "
             "more --num_generations, a higher --temperature, or a finer reward",
             100 * s.flat_groups);
       }},
      {"no_end", 3, [](const Seen& s) { return s.ended < 0.2; },
       [](const Seen& s) {
         return fmt::format(
             "{:.0f} % of the responses reach no end: it was never learnt, or {} ({:.0f}) is too "
             "small; fine-tune with ends, raise {} or --missing_eos_penalty",
             100 * (1 - s.ended), s.words.response_length, s.words.longest,
             s.words.response_length);
       }},
      {"critic_behind", 10, [](const Seen& s) { return s.explained_variance < 0.01; },
       [](const Seen& s) {
         return fmt::format(
             "the critic has explained nothing of the returns for 10 updates (explained variance "
             "{:.3g}): raise --critic_rate, {}or scale rewards with --score_scaling",
             s.explained_variance, s.words.of_ppo ? "set --critic_warmup_updates, " : "");
       }},
      {"clip_fraction", 1, [](const Seen& s) { return s.clipped > 0.3; },
       [](const Seen& s) {
         return fmt::format(
             "{:.0f} % of the ratios are clipped: an update moves too far; lower --learning_rate "
             "or {}{}",
             100 * s.clipped, s.words.passes, s.words.of_ppo ? ", or set --target_kl" : "");
       }},
      {"value_loss", 1,
       [](const Seen& s) {
         return s.value_loss_updates >= 5 && s.value_loss > 10 * s.mean_value_loss;
       },
       [](const Seen& s) {
         return fmt::format(
             "value loss is {:.3g}, {:.3g} on average before: returns have jumped; set "
             "--score_clip or --score_scaling, or lower --critic_rate",
             s.value_loss, s.mean_value_loss);
       }},
      {"early_stops", 5, [](const Seen& s) { return s.early_stops > 0; },
       [](const Seen& s) {
         return fmt::format(
             "--target_kl has cut 5 updates in a row short: lower --learning_rate or {}, or raise "
             "--target_kl",
             s.words.passes);
       }},
  };
  return all;
}

std::vector<Alarm> Alarms::check(int64_t update, const VitalSigns& signs) {
  const size_t n = watches().size();
  for (auto* list : {&in_a_row_, &counts_, &told_}) list->resize(n);
  if (first_.empty()) first_ = {signs.entropy, signs.length, signs.repetition};
  Seen seen{signs, words_, first_, 0, value_loss_updates_};
  if (value_loss_updates_ > 0) seen.mean_value_loss = value_loss_ / value_loss_updates_;
  if (!std::isnan(signs.value_loss)) {
    value_loss_ += signs.value_loss;
    value_loss_updates_++;
  }

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
