// From a request to the engine's jobs: prompts become tokens, the engine is asked whether it can do
// each of them, seeds are given.
#pragma once

#include <string>
#include <vector>

#include "serve/openai/chat_request.h"
#include "serve/openai/completion_request.h"
#include "serve/openai/generation.h"

namespace rlhf::openai {

/// What a request is answered with.
struct PlanContext {
  const engine::Engine& engine;
  std::string client;  ///< whose request it is, for the engine's fairness
};

/// The choices in the order of the answer: all of the first prompt, then all of the second, ...
/// Choice c of every prompt has the seed `seed + c`. @throws FieldError for any job of them that
/// the engine would refuse.
std::vector<PlannedChoice> plan_completion(const CompletionRequest& request,
                                           const PlanContext& context);

/// @throws FieldError as above, also for a model without a chat template.
std::vector<PlannedChoice> plan_chat(const ChatRequest& request, const PlanContext& context);

}  // namespace rlhf::openai
