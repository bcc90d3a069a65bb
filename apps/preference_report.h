// What dpo, kto, orpo and simpo say of a run in the end.
#pragma once

#include <string>
#include <vector>

#include "apps/session.h"
#include "rl/preference_training.h"

namespace rlhf {

/// train_loss, the last metrics of training and validation, steps, both_fell, ...
nlohmann::ordered_json preference_summary(const PreferenceResult& result);
std::vector<Tile> preference_tiles(const PreferenceResult& result);

/// The curves of both sides, a warning when both fell, and the figures at the end.
Section preference_section(const Session& session, const PreferenceResult& result);

/// "train_loss 0.5676  eval_loss 0.6026  eval_rewards/accuracies 0.6914"
std::string preference_line(const PreferenceResult& result);

}  // namespace rlhf
