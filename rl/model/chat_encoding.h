// Conversations as what models read: prompts, examples to learn from, texts to be judged. All of
// them follow the tokenizer's chat template, and all make room in the same way: whole exchanges,
// the oldest first, and never the system message.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/chat_template.h"
#include "data/datasets.h"
#include "data/prompt_rows.h"
#include "nn/gpt2.h"
#include "rl/language_model.h"

namespace rlhf {

/// How many messages after the system message have to go so that the others take at most `room`
/// tokens, where `lengths` are those of the messages: an even number, user and assistant in turn.
/// @returns -1 when the last exchange alone (or the last message, when it is the user's) is longer.
int64_t messages_to_drop(std::span<const Message> messages, std::span<const int64_t> lengths,
                         int64_t room);

/// A conversation and the token that asks the assistant to answer.
Tokens encode_chat_prompt(const Tokenizer& tokenizer, std::span<const Message> messages);

/// The prompt of a row: text, or messages. @throws InputError for messages when the tokenizer has
/// no chat template.
Tokens encode_prompt(const Tokenizer& tokenizer, const Row& row);

/// The same of several rows.
std::vector<Tokens> encode_prompts(const Tokenizer& tokenizer, std::span<const PromptRow> rows);

/// What a model is asked for an example: its prompt; of a dialogue, all before the last message.
Tokens encode_prompt_of(const Tokenizer& tokenizer, const PromptCompletion& row);

/// Which of a dialogue's tokens are learnt.
struct DialogueLoss {
  bool assistant_only = true;   ///< what the assistant says and its end token, else every token
  bool completion_only = true;  ///< nothing of Dialogue::given
};

/// A dialogue of at most `max_length` tokens as an example. `dropped` is how many of its messages
/// did not fit; -1 when nothing is left, and then there are no tokens.
Example encode_dialogue(const Tokenizer& tokenizer, const Dialogue& dialogue, int64_t max_length,
                        const DialogueLoss& loss, int64_t* dropped = nullptr);

/// One or two dialogues to be judged at their last end token. Both lose the same number of
/// messages, so that a pair differs in its answers only. @returns false when they do not fit.
bool encode_dialogues_for_reward(const Tokenizer& tokenizer, const Dialogue& first,
                                 const Dialogue& second, int64_t max_length, Tokens& first_tokens,
                                 Tokens& second_tokens, bool& truncated);

/// An example's tokens as stretches of text that are learnt or not, with special tokens by name.
struct MarkedText {
  std::string text;
  bool learnt;
};
std::vector<MarkedText> marked_text(const Tokenizer& tokenizer, const Example& example);

/// What tokens say to a person: with a chat template a line "user: ..." a message, else their text.
std::string readable(const Tokenizer& tokenizer, std::span<const int32_t> tokens);

/// Gives a model and its tokenizer the chat template, and tokens of the roles with embeddings where
/// they lack them. @returns one line about what was done; empty: nothing.
/// @throws InputError "[what] ..." when the tokenizer has another template.
std::string ensure_chat_template(Gpt2& model, std::unique_ptr<Tokenizer>& tokenizer,
                                 std::string_view what);

}  // namespace rlhf
