// The messages of a chat request. OpenAI's API takes more forms than a chat template can write
// (pictures, tools, any order of roles): what cannot be read as it is meant is refused, and the
// error says which message is meant.
#pragma once

#include "data/messages.h"
#include "serve/openai/fields.h"

namespace rlhf::openai {

/// An optional message of the system (or "developer"), then user and assistant in turn, the last
/// one the user's. A content is text, or a list of parts of text, which are joined.
/// @throws FieldError "[messages[2].role] expected ..., got ...".
Conversation parse_messages(const Fields& fields);

}  // namespace rlhf::openai
