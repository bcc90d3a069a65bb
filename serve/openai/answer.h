// What answers to completions and to chats have in common, and the one place where they differ.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "rl/model/model_folder.h"
#include "serve/engine/job.h"
#include "serve/openai/choice.h"

namespace rlhf::openai {

/// What stands at the head of an answer and of each of its events.
struct AnswerHead {
  std::string id;       ///< "cmpl-..."
  int64_t created = 0;  ///< Unix seconds
  std::string model;
  int64_t version = 0;  ///< of the weights: the same seed gives the same answer with the same one
};

/// Which fields an answer has. Stateless, but for the model that spells the tokens.
class AnswerFormat {
 public:
  AnswerFormat(std::shared_ptr<const LoadedLanguageModel> model, bool log_probs)
      : model_(std::move(model)), log_probs_(log_probs) {}
  virtual ~AnswerFormat() = default;

  /// The prefix of ids: "cmpl-".
  virtual std::string_view id_prefix() const = 0;
  /// What "object" says of a whole answer and of an event.
  virtual std::string_view object(bool event) const = 0;
  /// A whole choice.
  virtual nlohmann::ordered_json choice(int64_t index, const Piece& whole,
                                        std::string_view finish_reason) const = 0;
  /// A choice of the event that opens it; null when there is none.
  virtual nlohmann::ordered_json opening(int64_t index) const = 0;
  /// A choice of an event: something new, or the end when `finish_reason` is not empty; null when
  /// there is nothing to show.
  virtual nlohmann::ordered_json part(int64_t index, const Piece& piece,
                                      std::string_view finish_reason) const = 0;

  /// The fields before "choices".
  nlohmann::ordered_json head(const AnswerHead& head, bool event) const;

 protected:
  const Tokenizer& tokenizer() const { return *model_->tokenizer; }
  bool log_probs() const { return log_probs_; }

 private:
  std::shared_ptr<const LoadedLanguageModel> model_;
  bool log_probs_;
};

nlohmann::ordered_json usage_json(const engine::Usage& usage);

/// "stop" or "length"; empty for an answer that did not end by itself.
std::string_view finish_text(engine::FinishReason reason);

/// The head of a new answer: a random id, the time, the model.
AnswerHead new_head(std::string_view id_prefix, std::string model, int64_t version);

}  // namespace rlhf::openai
