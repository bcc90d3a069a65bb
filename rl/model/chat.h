// A conversation with a model: what has been said, as messages and as the tokens that the model has
// read and written, and the next answer to it. Answers stay the tokens that were sampled: text is
// never tokenised again, so the keys and values of earlier turns are used again, and an answer has
// the bits of a generation from the whole conversation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/chat_template.h"
#include "nn/generate.h"

namespace rlhf {

struct ChatAnswer {
  std::string text;
  bool ended = false;    ///< by the model; false: by its length or by whoever listens
  size_t forgotten = 0;  ///< messages of the conversation that the model no longer saw
};

class Chat {
 public:
  /// Gets the text of an answer as it comes, whole characters only; returns whether to go on.
  using OnText = std::function<bool(const std::string& text)>;

  /// The model and the tokenizer must outlive the chat. `stop_tokens` are completed by every
  /// special token: what would begin another's turn ends the answer. @throws InputError without a
  /// template.
  Chat(const Gpt2& model, const Tokenizer& tokenizer, SamplingOptions sampling,
       std::string_view model_name);

  /// The user's message and the model's answer. Each answer has draws of its own (`seed` and how
  /// many came before). When the context is full, the oldest exchanges are left out; the system
  /// message stays. Room for max_new_tokens is kept, but for at most half of the context.
  /// An answer without text is not kept, nor is the message. @throws InputError for a message that
  /// does not fit or that the vocabulary cannot spell; the conversation is then as before.
  ChatAnswer say(const std::string& text, const OnText& on_text);

  /// Another answer to the last message; one without text leaves the last. REQUIRES: can_retry().
  ChatAnswer retry(const OnText& on_text);
  bool can_retry() const { return turns_.size() > first_turn(); }

  /// Takes the last exchange back. REQUIRES: can_retry().
  void undo();

  /// Forgets all but the system message.
  void reset();

  /// Replaces the system message; an empty text removes it.
  void set_system(const std::string& text);

  Conversation messages() const;

  /// What the model reads for its next answer, and how many messages are left out.
  Tokens prompt(size_t* forgotten = nullptr) const;

 private:
  struct Turn {
    Message message;
    Tokens tokens;
  };

  size_t first_turn() const {
    return !turns_.empty() && turns_[0].message.role == Role::system ? 1 : 0;
  }
  ChatAnswer answer(const OnText& on_text);

  const Gpt2& model_;
  const Tokenizer& tokenizer_;
  ChatTemplate template_;
  SamplingOptions sampling_;
  std::vector<Turn> turns_;
  PrefixCache prefix_;
};

}  // namespace rlhf
