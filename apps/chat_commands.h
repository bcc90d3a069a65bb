// What a person can type in a chat beside messages: lines that begin with a slash.
#pragma once

#include <string>

#include "rl/model/chat.h"

namespace rlhf {

/// What a line asks for.
enum class ChatRequest { message, retry, done, leave };

/// Does what a line says, up to an answer of the model. `message`: the text to say, where `//` at
/// its beginning stands for one slash. `done`: there is nothing more to do; `notice` is what there
/// is to tell about it.
/// @throws InputError for a command that does not exist or cannot be done now.
ChatRequest chat_request(const std::string& line, Chat& chat, std::string& message,
                         std::string& notice);

/// Appends a conversation to a .jsonl file as a row of `messages`: the file is replaced as a whole.
/// @throws InputError when there is nothing to save yet, or the file is no .jsonl or not text.
void save_conversation(const std::string& file, const Conversation& messages);

}  // namespace rlhf
