// The OpenAI-compatible API for tests, without sockets: a tiny model behind the routes, and a
// client's end of their answers.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "data/bpe.h"
#include "data/chat_template.h"
#include "serve/http/error.h"
#include "serve/openai/errors.h"
#include "serve/openai/routes.h"
#include "tests/tiny_models.h"

namespace rlhf {

/// Bytes and special tokens, with a chat template unless said otherwise; random weights.
inline std::shared_ptr<const LoadedLanguageModel> tiny_byte_model(int64_t n_positions = 64,
                                                                  bool chat = true) {
  std::unique_ptr<Tokenizer> tokenizer =
      std::make_unique<BpeTokenizer>(BpeTokenizer::from_merges({}));
  if (chat) tokenizer = with_chat_template(*tokenizer, "test");
  auto loaded = std::make_shared<LoadedLanguageModel>(LoadedLanguageModel{
      .model = {make_gpt2(tiny_config(tokenizer->vocab_size(), n_positions), 8)},
      .tokenizer = std::move(tokenizer),
      .stop_tokens = {}});
  loaded->stop_tokens = {loaded->tokenizer->eos()};
  return loaded;
}

/// The client of one request.
class TestClient : public http::ReplyTarget, public std::enable_shared_from_this<TestClient> {
 public:
  void respond(http::Response response) override {
    const std::lock_guard lock(mutex_);
    check(!response_ && !stream_, "reply", "expected one answer, got two");
    response_ = std::move(response);
    told_.notify_all();
  }
  std::shared_ptr<http::EventStream> stream(http::Headers) override {
    const std::lock_guard lock(mutex_);
    check(!response_ && !stream_, "reply", "expected one answer, got two");
    stream_ = std::make_shared<http::EventStream>([] {}, size_t{1} << 20);
    told_.notify_all();
    return stream_;
  }
  bool answered() const override {
    const std::lock_guard lock(mutex_);
    return response_ || stream_;
  }
  bool gone() const override { return gone_; }
  void on_gone(std::function<void()> action) override {
    const std::lock_guard lock(mutex_);
    on_gone_.push_back(std::move(action));
  }

  /// Closes the connection.
  void leave() {
    std::vector<std::function<void()>> actions;
    std::shared_ptr<http::EventStream> stream;
    {
      const std::lock_guard lock(mutex_);
      gone_ = true;
      actions.swap(on_gone_);
      stream = stream_;
    }
    if (stream) return stream->lose();
    for (const auto& action : actions) action();
  }

  const http::Response& response() {
    std::unique_lock lock(mutex_);
    told_.wait_for(lock, std::chrono::seconds(20), [&] { return response_.has_value(); });
    check(response_.has_value(), "client", "expected an answer within 20 s, got none");
    return *response_;
  }

  /// Everything that a stream sends until its end, or until it holds `part`.
  std::string sent(const std::string& part = "") {
    std::unique_lock lock(mutex_);
    told_.wait_for(lock, std::chrono::seconds(20), [&] { return stream_ != nullptr; });
    check(stream_ != nullptr, "client", "expected a stream within 20 s, got none");
    for (int i = 0; i < 20'000; i++) {
      char bytes[4096];
      size_t taken = 0;
      const auto state = stream_->take(bytes, sizeof bytes, taken, [] {});
      sent_.append(bytes, taken);
      if (state == http::EventStream::Taken::end) return sent_;
      if (!part.empty() && sent_.find(part) != std::string::npos) return sent_;
      if (taken == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    throw Error("the stream does not end");
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable told_;
  std::optional<http::Response> response_;
  std::shared_ptr<http::EventStream> stream_;
  std::vector<std::function<void()>> on_gone_;
  std::atomic<bool> gone_ = false;
  std::string sent_;
};

/// A model served as "tiny", and requests to it.
class OpenAiService {
 public:
  explicit OpenAiService(std::shared_ptr<const LoadedLanguageModel> loaded = tiny_byte_model(),
                         engine::Options options = {.threads = 1}, openai::Limits limits = {})
      : model(std::move(loaded)),
        served{.name = "tiny",
               .version = 3,
               .created = 1'700'000'000,
               .engine = std::make_shared<engine::Engine>(model, options),
               .model = model} {
    openai::add_routes(
        router,
        [this](const std::string& name) {
          if (!name.empty() && name != served.name) throw openai::no_such_model(name);
          return served;
        },
        [this] { return std::vector{served}; }, limits);
  }

  /// Sends a request as the server does: what a handler throws is the answer.
  std::shared_ptr<TestClient> send(http::Method method, std::vector<std::string> pieces,
                                   const std::string& body = "") {
    auto client = std::make_shared<TestClient>();
    const http::Router::Found found = router.find(method, pieces);
    check(found.route != nullptr, "client", "expected a route");
    http::Request request{.method = method, .path = found.route->pattern};
    request.parameters = found.parameters;
    request.body = body;
    request.peer = "127.0.0.1";
    const http::Reply reply(client);
    try {
      found.route->handler(request, reply);
    } catch (...) {
      reply.respond(http::error_response(std::current_exception(), 1));
    }
    return client;
  }

  std::shared_ptr<TestClient> post(bool chat, const nlohmann::json& body) {
    return chat ? send(http::Method::post, {"v1", "chat", "completions"}, body.dump())
                : send(http::Method::post, {"v1", "completions"}, body.dump());
  }

  /// A whole answer's JSON. @throws Error when its status is another.
  nlohmann::json ask(bool chat, const nlohmann::json& body, int status = 200) {
    const http::Response& response = post(chat, body)->response();
    check(response.status == status, "client", "expected {}, got {}: {}", status, response.status,
          response.body);
    return nlohmann::json::parse(response.body);
  }
  nlohmann::json complete(const nlohmann::json& body) { return ask(false, body); }
  /// What an error says of itself.
  nlohmann::json refused(bool chat, const nlohmann::json& body, int status = 400) {
    return ask(chat, body, status).at("error");
  }

  /// A stream's events as JSON, but the last, which must be [DONE].
  static std::vector<nlohmann::json> events_of(const std::string& sent) {
    std::vector<nlohmann::json> events;
    const std::string mark = "data: ";
    std::string last;
    for (size_t at = 0; at < sent.size();) {
      const size_t end = sent.find("\n\n", at);
      check(end != std::string::npos && sent.compare(at, mark.size(), mark) == 0, "stream",
            "expected whole events, got {}", sent.substr(at));
      last = sent.substr(at + mark.size(), end - at - mark.size());
      if (last != "[DONE]") events.push_back(nlohmann::json::parse(last));
      at = end + 2;
    }
    check(last == "[DONE]", "stream", "expected [DONE] at the end, got {}", last);
    return events;
  }
  std::vector<nlohmann::json> stream(bool chat, nlohmann::json body) {
    body["stream"] = true;
    return events_of(post(chat, body)->sent());
  }

  std::shared_ptr<const LoadedLanguageModel> model;
  openai::Served served;
  http::Router router;
};

/// Waits for something that another thread does.
template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 10'000; i++) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace rlhf
