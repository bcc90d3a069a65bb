// An environment of whatever kind, and its observations as plain numbers for a network to read.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <variant>

#include "rl/env/goal_environment.h"
#include "rl/env/tabular_environment.h"

namespace rlhf {

/// By kind of observation: numbers of states (with a table), vectors, goals. Never null.
using AnyEnvironment = std::variant<std::unique_ptr<TabularEnvironment>,
                                    std::unique_ptr<Environment<std::vector<float>>>,
                                    std::unique_ptr<GoalEnvironment>>;

/// Makes one copy of an environment.
using MakeEnvironment = std::function<AnyEnvironment()>;

const EnvironmentSpec& spec_of(const AnyEnvironment& environment);

/// How many floats an observation of `space` becomes: n for n states, each a one-hot vector; a
/// vector's components; those of a goal environment's observation, then of its desired goal, which
/// is what a goal-conditioned policy reads (the achieved goal is left out).
/// @throws Error for token sequences, which are for language models to read.
int64_t flat_size(const Space& space);

/// Writes the observation's floats. REQUIRES: out.size() == flat_size(space of the observation).
void flatten(int64_t state, std::span<float> out);
void flatten(std::span<const float> observation, std::span<float> out);
void flatten(const GoalObservation& observation, std::span<float> out);

}  // namespace rlhf
