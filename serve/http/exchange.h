// One request and its answer while they are on their way. The thread that owns the socket moves it
// from stage to stage; while a worker or a handler has it, the connection sleeps. libmicrohttpd
// asks for care here: a connection may be woken only while it sleeps, and must not sleep when the
// server ends. Both hold because sleeping and waking go through one lock.
#pragma once

#include <microhttpd.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "serve/http/connection.h"
#include "serve/http/front.h"
#include "serve/http/reply.h"

namespace rlhf::http {

class Exchange final : public ReplyTarget {
 public:
  Exchange(std::shared_ptr<Connection> connection, MHD_Connection* wire, size_t stream_buffer);

  // From any thread: the reply. ----------------------------------------------------------------
  void respond(Response response) override;
  std::shared_ptr<EventStream> stream(Headers headers) override;
  bool answered() const override;
  bool gone() const override;
  void on_gone(std::function<void()> action) override;
  /// Notes what went wrong inside, for the log.
  void fail(std::string text);

  // From any thread: what happens to it. -------------------------------------------------------
  /// Resumes the connection if it sleeps.
  void wake();
  /// The client has left; an answer may still be given, in case it only stopped to send.
  void lose();
  /// The server ends: no sleeping any more.
  void cut();
  bool is_cut() const;
  /// A comment for a stream at rest.
  void keep_alive();

  // From the thread that owns the socket. ------------------------------------------------------
  /// Suspends the connection; false when the server ends.
  bool sleep();
  /// The connection is through with it.
  void end();
  /// The answer, if there is one: taken once.
  std::optional<Response> take_response();
  std::shared_ptr<EventStream> open_stream() const;
  std::string failure() const;

  enum class Stage { head, identifying, refused, body, ready, working, answering };

  // Of whoever has it at the moment: the socket's thread or, while the connection sleeps, a worker.
  Stage stage = Stage::head;
  std::string method;               // for the log
  std::string target;               // as sent
  const char* target_at = nullptr;  // where the library keeps it
  Admission admission;
  bool identified = false;
  std::optional<Response> refusal;
  bool closes = false;  // the connection with its answer
  int status = 0;
  int64_t bytes_in = 0, bytes_out = 0;
  int64_t body_begin = 0;  // by now_ms()
  std::chrono::steady_clock::time_point begin{};
  const std::shared_ptr<Connection> connection;

 private:
  std::vector<std::function<void()>> lose_locked();
  void wake_locked();

  MHD_Connection* const wire_;
  const size_t stream_buffer_;
  mutable std::mutex mutex_;
  bool asleep_ = false, answered_ = false, gone_ = false, cut_ = false, ended_ = false;
  std::optional<Response> response_;
  std::shared_ptr<EventStream> stream_;
  std::vector<std::function<void()>> on_gone_;
  std::string failure_;
};

}  // namespace rlhf::http
