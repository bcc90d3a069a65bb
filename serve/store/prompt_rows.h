// How queries that join prompts read them.
#pragma once

#include "serve/store/prompts.h"
#include "serve/store/sqlite.h"

namespace rlhf::store {

/// The prompt in the five columns id, text, is_messages, source, created from `first` on.
Prompt prompt_at(const Statement& row, int first);

/// What a prompt is known by, and its side of the held-out split.
std::string digest_of(std::string_view text, bool is_messages);

}  // namespace rlhf::store
