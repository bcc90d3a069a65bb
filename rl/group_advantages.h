// Advantages without a critic: a response is compared with the other responses to its prompt. Here
// is the arithmetic on scores, apart from texts and models.
#pragma once

#include <span>
#include <vector>

#include "rl/rollout.h"

namespace rlhf {

/// What a response's advantage is divided by: the deviation of its group, of all of an update, or
/// nothing.
enum class ScaleRewards { group, batch, none };

/// @throws InputError for a group of one. `purpose`: what it takes two for, "to compare".
void check_group(int64_t num_generations, const char* purpose);

/// The places of values from the largest to the smallest, the first of equals first.
std::vector<size_t> ranked(std::span<const double> values);

/// The mean, and the deviation of a sample (n - 1), 0 for fewer than two values.
double mean_of(std::span<const double> values);
double deviation_of(std::span<const double> values);

/// score - mean of the group, over (deviation + 1e-4) unless `scale` is none (Shao et al. 2024,
/// section 4.1.2; TRL's GRPO). Groups of `generations` lie side by side.
std::vector<double> group_advantages(std::span<const double> scores, int64_t generations,
                                     ScaleRewards scale);

/// score - mean of the group's others (Kool et al. 2019; Ahmadian et al. 2024, equation 5).
/// REQUIRES: generations >= 2.
std::vector<double> leave_one_out_advantages(std::span<const double> scores, int64_t generations);

/// (x - mean) / (deviation + 1e-4), over all of them.
std::vector<double> normalised(std::vector<double> values);

/// Share of groups whose scores are all the same: they teach nothing.
double share_of_flat_groups(std::span<const Episode> episodes, int64_t generations);

std::vector<double> scores_of(std::span<const Episode> episodes);
/// The same less the KL penalty of the whole response (kl_of) at `beta` a nat.
std::vector<double> scores_less_kl(std::span<const Episode> episodes, double beta);
/// Gives every token of a response its advantage.
void set_advantages(std::span<Episode> episodes, std::span<const double> advantages);
/// Marks responses that never reached their end as not to be learnt from (Yu et al. 2025, "overlong
/// filtering").
void leave_out_truncated(std::span<Episode> episodes);

}  // namespace rlhf
