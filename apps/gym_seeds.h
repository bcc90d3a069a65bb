// The same run with several seeds, compared on one page: a figure of one seed says little in
// reinforcement learning (Henderson et al. 2018, "Deep reinforcement learning that matters").
#pragma once

#include <vector>

#include "apps/gym_run.h"

namespace rlhf {

/// @throws InputError unless `text` is whole numbers with commas between, none twice.
std::vector<uint64_t> parse_seeds(const std::string& text);

/// Trains with each seed into output_dir/seed-<n>, then writes summary.json and report.html beside
/// these folders and prints a table.
void train_gym_seeds(const GymOptions& options, const Invocation& invocation);

}  // namespace rlhf
