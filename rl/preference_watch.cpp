#include "rl/preference_watch.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace rlhf {
namespace {

std::optional<double> value_of(const Metrics& metrics, const std::string& name) {
  for (const auto& [known, value] : metrics) {
    if (known == name) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> LikelihoodWatch::check(int64_t step, const Metrics& metrics) {
  const auto chosen = value_of(metrics, "logps/chosen");
  const auto rejected = value_of(metrics, "logps/rejected");
  if (!chosen || !rejected) return std::nullopt;
  double start_chosen = *chosen, start_rejected = *rejected;
  if (reward_scale_ > 0) {
    start_chosen -= value_of(metrics, "rewards/chosen").value_or(0) * reward_scale_;
    start_rejected -= value_of(metrics, "rewards/rejected").value_or(0) * reward_scale_;
  } else {
    if (!known_) first_chosen_ = *chosen, first_rejected_ = *rejected;
    known_ = 1;
    start_chosen = first_chosen_, start_rejected = first_rejected_;
  }
  constexpr double much = 0.05;
  const auto fell = [](double now, double start) { return now < start - much * std::abs(start); };
  const bool both = fell(*chosen, start_chosen) && fell(*rejected, start_rejected);
  in_a_row_ = both ? in_a_row_ + 1 : 0;
  if (in_a_row_ < 3) return std::nullopt;
  count_++;
  if (told_ != 0) return std::nullopt;
  told_ = 1;
  return fmt::format(
      "step {}: both completions have become less likely, the chosen one from {:.4g} to {:.4g} "
      "nats, the rejected one from {:.4g} to {:.4g}; {}",
      step, start_chosen, *chosen, start_rejected, *rejected, advice_);
}

void LikelihoodWatch::archive(StateArchive& a) {
  a.number("watch.known", known_);
  a.number("watch.first_chosen", first_chosen_);
  a.number("watch.first_rejected", first_rejected_);
  a.number("watch.in_a_row", in_a_row_);
  a.number("watch.count", count_);
  a.number("watch.told", told_);
}

}  // namespace rlhf
