#include "serve/openai/answer_writer.h"

namespace rlhf::openai {
namespace {

using nlohmann::ordered_json;

class StreamAnswer : public AnswerWriter {
 public:
  StreamAnswer(http::Reply reply, AnswerHead head, std::unique_ptr<AnswerFormat> format,
               size_t choices, bool include_usage)
      : reply_(std::move(reply)),
        format_(std::move(format)),
        head_(format_->head(head, true)),
        choices_(choices),
        include_usage_(include_usage) {}

  void begin(std::function<void()> on_gone) override {
    stream_ = reply_.stream();
    stream_->on_gone(std::move(on_gone));
    for (size_t i = 0; i < choices_; i++) send_choice(format_->opening(int64_t(i)));
  }

  void add(size_t choice, Piece piece) override {
    send_choice(format_->part(int64_t(choice), piece, ""));
  }

  void end(size_t choice, engine::FinishReason reason) override {
    send_choice(format_->part(int64_t(choice), {}, finish_text(reason)));
  }

  void finish(const engine::Usage& usage) override {
    if (include_usage_) {
      ordered_json event = head_;
      event["choices"] = ordered_json::array();
      event["usage"] = usage_json(usage);
      send(event);
    }
    close();
  }

  /// Once the status has gone out, the error comes as an event, which OpenAI's clients raise.
  void fail(const http::HttpError& error) override {
    if (!stream_) return reply_.respond(http::error_response(error));
    send(http::error_json(error));
    close();
  }

 private:
  void send_choice(ordered_json choice) {
    if (choice.is_null()) return;
    ordered_json event = head_;
    event["choices"] = ordered_json::array({std::move(choice)});
    if (include_usage_) event["usage"] = nullptr;
    send(event);
  }

  void send(const ordered_json& event) {
    stream_->send(
        http::event_text("", event.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
  }

  void close() {
    stream_->send(http::event_text("", "[DONE]"));
    stream_->finish();
  }

  http::Reply reply_;
  std::unique_ptr<AnswerFormat> format_;
  ordered_json head_;
  size_t choices_;
  bool include_usage_;
  std::shared_ptr<http::EventStream> stream_;
};

}  // namespace

std::unique_ptr<AnswerWriter> stream_answer(http::Reply reply, AnswerHead head,
                                            std::unique_ptr<AnswerFormat> format, size_t choices,
                                            bool include_usage) {
  return std::make_unique<StreamAnswer>(std::move(reply), std::move(head), std::move(format),
                                        choices, include_usage);
}

}  // namespace rlhf::openai
