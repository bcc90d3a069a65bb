#include "serve/routes/figures.h"

#include "serve/routes/respond.h"

namespace rlhf::serve {

using nlohmann::ordered_json;

ordered_json choices_json(const store::ChoiceCounts& choices) {
  return {{"better", choices.better},
          {"tie", choices.tie},
          {"both_bad", choices.both_bad},
          {"skip", choices.skip}};
}

ordered_json position_json(const store::PositionBias& bias) {
  return {{"left", bias.left}, {"right", bias.right}, {"p", bias.p}};
}

ordered_json agreement_json(const store::Agreement& agreement) {
  return {{"percent", or_null(agreement.percent)},
          {"kappa", or_null(agreement.kappa)},
          {"alpha", or_null(agreement.alpha)}};
}

ordered_json prompt_json(const store::Prompt& prompt) {
  return {{"id", prompt.id}, {prompt.is_messages ? "messages" : "text", store::value_of(prompt)}};
}

}  // namespace rlhf::serve
