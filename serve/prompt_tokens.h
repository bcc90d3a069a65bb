// What a policy reads for a prompt or a conversation: by its chat template, or, where it has none,
// the plain text to go on with.
#pragma once

#include "rl/model/model_folder.h"
#include "serve/store/prompts.h"

namespace rlhf::serve {

/// @throws InputError when the tokenizer cannot spell it, or for messages without a chat template.
Tokens prompt_tokens(const LoadedLanguageModel& model, const store::Prompt& prompt);

/// A conversation that ends with the user, in at most `room` tokens: the oldest exchanges go first,
/// the system message never. Without a chat template the texts follow one another, each of the
/// user's on a line of its own, and the oldest tokens go.
/// @throws InputError when even the last message does not fit.
Tokens conversation_tokens(const LoadedLanguageModel& model, const Conversation& conversation,
                           int64_t room);

}  // namespace rlhf::serve
