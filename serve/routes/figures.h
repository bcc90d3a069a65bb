// What the votes and the prompts look like in answers, the same wherever they are told.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "serve/store/prompts.h"
#include "serve/store/statistics.h"

namespace rlhf::serve {

nlohmann::ordered_json choices_json(const store::ChoiceCounts& choices);
nlohmann::ordered_json position_json(const store::PositionBias& bias);
/// Percent, kappa and alpha.
nlohmann::ordered_json agreement_json(const store::Agreement& agreement);
/// Its id and its text or messages.
nlohmann::ordered_json prompt_json(const store::Prompt& prompt);

}  // namespace rlhf::serve
