// Who turns the events of a request's choices into an answer. Two of them: one whole answer, or a
// stream of events. Generation calls one function at a time.
#pragma once

#include <functional>
#include <memory>

#include "serve/http/error.h"
#include "serve/http/reply.h"
#include "serve/openai/answer.h"

namespace rlhf::openai {

class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;
  /// Before everything else: the request has been accepted. `on_gone` is called when the client
  /// leaves, perhaps within any call of this class.
  virtual void begin(std::function<void()> on_gone) = 0;
  virtual void add(size_t choice, Piece piece) = 0;
  virtual void end(size_t choice, engine::FinishReason reason) = 0;
  /// After all choices have ended.
  virtual void finish(const engine::Usage& usage) = 0;
  /// Instead of finish(), at any time, also when another function has thrown.
  virtual void fail(const http::HttpError& error) = 0;
};

/// One whole answer at the end.
std::unique_ptr<AnswerWriter> whole_answer(http::Reply reply, AnswerHead head,
                                           std::unique_ptr<AnswerFormat> format, size_t choices);

/// Server-sent events, in the order that clients rely on: per choice an opening (chat), parts, an
/// empty one with the finish reason; then the usage if `include_usage`, and "[DONE]".
std::unique_ptr<AnswerWriter> stream_answer(http::Reply reply, AnswerHead head,
                                            std::unique_ptr<AnswerFormat> format, size_t choices,
                                            bool include_usage);

}  // namespace rlhf::openai
