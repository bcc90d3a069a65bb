// The one answer to a request. A handler gives it at once or keeps the Reply and gives it later
// from any thread: meanwhile neither a thread nor the connection's loop waits.
#pragma once

#include <functional>
#include <memory>

#include "serve/http/event_stream.h"
#include "serve/http/response.h"

namespace rlhf::http {

/// What a Reply talks to: the connection, or a test.
class ReplyTarget {
 public:
  virtual ~ReplyTarget() = default;
  virtual void respond(Response response) = 0;
  virtual std::shared_ptr<EventStream> stream(Headers headers) = 0;
  virtual bool answered() const = 0;
  virtual bool gone() const = 0;
  virtual void on_gone(std::function<void()> action) = 0;
};

/// Copies are the same reply. When the last one goes unanswered, the client gets 500.
class Reply {
 public:
  explicit Reply(std::shared_ptr<ReplyTarget> target);

  /// Gives the whole answer; nothing happens when the client has left.
  /// @throws Error when the request has its answer already.
  void respond(Response response) const;

  /// Begins an answer of server-sent events: 200, text/event-stream, and these headers besides.
  /// @throws Error when the request has its answer already.
  std::shared_ptr<EventStream> stream(Headers headers = {}) const;

  bool answered() const;

  /// True when the client left before the answer.
  bool gone() const;

  /// Calls `action` once when the client leaves before the answer has begun; at once if it has
  /// left. From another thread than this one: it must not block. After stream(), the stream's own
  /// counts.
  void on_gone(std::function<void()> action) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace rlhf::http
