#include <iterator>

#include "serve/openai/answer_writer.h"

namespace rlhf::openai {
namespace {

using nlohmann::ordered_json;

class WholeAnswer : public AnswerWriter {
 public:
  WholeAnswer(http::Reply reply, AnswerHead head, std::unique_ptr<AnswerFormat> format,
              size_t choices)
      : reply_(std::move(reply)),
        head_(std::move(head)),
        format_(std::move(format)),
        choices_(choices) {}

  void begin(std::function<void()> on_gone) override { reply_.on_gone(std::move(on_gone)); }

  void add(size_t choice, Piece piece) override {
    Piece& whole = choices_[choice].piece;
    whole.text += piece.text;
    whole.tokens.insert(whole.tokens.end(), std::make_move_iterator(piece.tokens.begin()),
                        std::make_move_iterator(piece.tokens.end()));
  }

  void end(size_t choice, engine::FinishReason reason) override {
    choices_[choice].reason = reason;
  }

  void finish(const engine::Usage& usage) override {
    ordered_json answer = format_->head(head_, false);
    ordered_json choices = ordered_json::array();
    for (size_t i = 0; i < choices_.size(); i++) {
      choices.push_back(
          format_->choice(int64_t(i), choices_[i].piece, finish_text(choices_[i].reason)));
    }
    answer["choices"] = std::move(choices);
    answer["usage"] = usage_json(usage);
    reply_.respond(http::json_response(answer));
  }

  void fail(const http::HttpError& error) override { reply_.respond(http::error_response(error)); }

 private:
  struct Grown {
    Piece piece;
    engine::FinishReason reason = engine::FinishReason::error;
  };
  http::Reply reply_;
  AnswerHead head_;
  std::unique_ptr<AnswerFormat> format_;
  std::vector<Grown> choices_;
};

}  // namespace

std::unique_ptr<AnswerWriter> whole_answer(http::Reply reply, AnswerHead head,
                                           std::unique_ptr<AnswerFormat> format, size_t choices) {
  return std::make_unique<WholeAnswer>(std::move(reply), std::move(head), std::move(format),
                                       choices);
}

}  // namespace rlhf::openai
