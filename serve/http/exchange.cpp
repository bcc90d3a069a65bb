#include "serve/http/exchange.h"

#include "core/check.h"
#include "serve/http/headers.h"

namespace rlhf::http {
namespace {

void check_answer(int status, const Headers& headers) {
  check(status >= 200 && status <= 599, "answer", "expected a status from 200 to 599, got {}",
        status);
  for (const auto& [name, value] : headers) {
    check(is_header_name(name) && is_header_value(value), "answer",
          "expected headers on one line each, got a broken {}", name);
  }
}

}  // namespace

Exchange::Exchange(std::shared_ptr<Connection> connection, MHD_Connection* wire,
                   size_t stream_buffer)
    : connection(std::move(connection)), wire_(wire), stream_buffer_(stream_buffer) {}

void Exchange::respond(Response response) {
  check_answer(response.status, response.headers);
  std::vector<std::function<void()>> unused;  // outside of the lock: they may own anything
  const std::lock_guard lock(mutex_);
  check(!answered_, "answer", "expected one for each request, got a second");
  answered_ = true;
  unused.swap(on_gone_);
  if (ended_) return;
  response_ = std::move(response);
  wake_locked();
}

std::shared_ptr<EventStream> Exchange::stream(Headers headers) {
  Response head{.status = 200, .type = "text/event-stream", .headers = std::move(headers)};
  // So that no proxy gathers events.
  head.headers.emplace_back("X-Accel-Buffering", "no");
  check_answer(head.status, head.headers);
  // Called while the connection sleeps, and then it is there.
  auto stream = std::make_shared<EventStream>([wire = wire_] { MHD_resume_connection(wire); },
                                              stream_buffer_);
  std::vector<std::function<void()>> unused;
  const std::lock_guard lock(mutex_);
  check(!answered_, "answer", "expected one for each request, got a second");
  answered_ = true;
  unused.swap(on_gone_);
  if (ended_ || gone_ || cut_ || admission.request.head) stream->lose();
  if (ended_) return stream;
  response_ = std::move(head);
  if (!admission.request.head) stream_ = stream;
  wake_locked();
  return stream;
}

bool Exchange::answered() const {
  const std::lock_guard lock(mutex_);
  return answered_;
}

bool Exchange::gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

void Exchange::on_gone(std::function<void()> action) {
  {
    const std::lock_guard lock(mutex_);
    if (!gone_) {
      if (!answered_) on_gone_.push_back(std::move(action));
      return;
    }
  }
  action();
}

void Exchange::fail(std::string text) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(text);
}

void Exchange::wake() {
  const std::lock_guard lock(mutex_);
  wake_locked();
}

void Exchange::lose() {
  std::vector<std::function<void()>> actions;
  std::shared_ptr<EventStream> stream;
  {
    const std::lock_guard lock(mutex_);
    actions = lose_locked();
    stream = stream_;
  }
  if (stream) stream->lose();
  for (const auto& action : actions) action();
}

void Exchange::cut() {
  std::vector<std::function<void()>> actions;
  std::shared_ptr<EventStream> stream;
  {
    const std::lock_guard lock(mutex_);
    cut_ = true;
    actions = lose_locked();
    stream = stream_;
    wake_locked();
  }
  if (stream) stream->lose();
  for (const auto& action : actions) action();
}

bool Exchange::is_cut() const {
  const std::lock_guard lock(mutex_);
  return cut_;
}

void Exchange::keep_alive() {
  if (const auto stream = open_stream()) stream->keep_alive();
}

bool Exchange::sleep() {
  const std::lock_guard lock(mutex_);
  if (cut_) return false;
  MHD_suspend_connection(wire_);
  asleep_ = true;
  return true;
}

void Exchange::end() {
  std::vector<std::function<void()>> actions;
  std::shared_ptr<EventStream> stream;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    if (!answered_) actions = lose_locked();
    stream = stream_;
  }
  if (stream) stream->lose();
  for (const auto& action : actions) action();
}

std::optional<Response> Exchange::take_response() {
  const std::lock_guard lock(mutex_);
  std::optional<Response> response;
  response.swap(response_);
  return response;
}

std::shared_ptr<EventStream> Exchange::open_stream() const {
  const std::lock_guard lock(mutex_);
  return stream_;
}

std::string Exchange::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

std::vector<std::function<void()>> Exchange::lose_locked() {
  gone_ = true;
  std::vector<std::function<void()>> actions;
  actions.swap(on_gone_);
  return actions;
}

void Exchange::wake_locked() {
  if (!asleep_) return;
  asleep_ = false;
  MHD_resume_connection(wire_);
}

}  // namespace rlhf::http
