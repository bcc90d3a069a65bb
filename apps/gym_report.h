// What a run of `rlhf gym` shows: its curves, what the agent is worth, and its policy on a grid.
#pragma once

#include "apps/gym_evaluation.h"
#include "apps/gym_folder.h"
#include "apps/session.h"

namespace rlhf {

Report gym_report(const Session& session, const GymConfig& config, const GymEvaluation& evaluation,
                  GymAgent& agent, const AnyEnvironment& environment);

/// The agent's action in each state of a grid world, as arrows; without rows elsewhere.
Table policy_grid(GymAgent& agent, const AnyEnvironment& environment);

/// The lines that a report compares returns with: threshold and optimum, where they are known.
std::vector<ReferenceLine> return_lines(const GymEvaluation& evaluation);

}  // namespace rlhf
