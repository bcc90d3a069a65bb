// How a conversation becomes tokens. A message is its role's special token, its content and the end
// token; what asks for an answer is the assistant's token. The roles' tokens are special, so no
// text can spell them: nobody forges a turn by typing its marker. The template also stands in the
// model folder as Jinja, from which transformers makes the same ids. That Jinja is recognised here
// and never interpreted.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/messages.h"
#include "data/tokenizer.h"

namespace rlhf {

struct ChatTemplate {
  std::array<int32_t, std::size(roles)> opens;  ///< the token before a message, by role
  int32_t end;                                  ///< the tokenizer's end token

  int32_t opening(Role role) const { return opens[size_t(role)]; }
};

/// "<|system|>", "<|user|>", "<|assistant|>".
std::string role_token(Role role);

/// The Jinja that stands for this template in chat_template.jinja.
std::string chat_template_text();

/// Whether a tokenizer has this template and its tokens.
bool has_chat_template(const Tokenizer& tokenizer);

/// The template of a tokenizer.
/// @throws InputError "[what] ..." when it has none, or another one than this, with what to do.
ChatTemplate chat_template_of(const Tokenizer& tokenizer, std::string_view what);

/// The same tokenizer with this template, and behind its last id those of the roles' tokens that it
/// lacks. @throws InputError "[what] ..." when it has another template.
std::unique_ptr<Tokenizer> with_chat_template(const Tokenizer& tokenizer, std::string_view what);

/// One message: its opening, its content, the end.
std::vector<int32_t> encode_message(const Tokenizer& tokenizer, const ChatTemplate& chat,
                                    const Message& message);

}  // namespace rlhf
