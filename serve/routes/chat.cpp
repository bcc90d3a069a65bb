// The Chat page: conversations, and answers as they are written.
#include <algorithm>

#include "serve/application.h"
#include "serve/body.h"
#include "serve/prompt_tokens.h"
#include "serve/routes/respond.h"
#include "serve/routes/routes.h"
#include "serve/store/chats.h"

namespace rlhf::serve {
namespace {

using http::Request, http::Response;
using nlohmann::ordered_json;

constexpr int kAlternatives = 5;  ///< of a token, for who hovers over it

ordered_json message_json(const store::ChatMessage& message) {
  return {{"id", message.id},
          {"parent", or_null(message.parent)},
          {"role", name_of(message.role)},
          {"content", message.content},
          {"version", or_null(message.version)},
          {"thumb", or_null(message.thumb)},
          {"ended", message.finish_reason != "cancelled"}};
}

Response list(Application& app, const Request& request) {
  ordered_json chats = ordered_json::array();
  for (const store::Chat& chat : store::chats_of(app.store, request.caller.person)) {
    chats.push_back({{"id", chat.id}, {"title", chat.title}, {"updated", chat.updated}});
  }
  return http::json_response({{"chats", chats}});
}

Response create(Application& app, const Request& request) {
  Body body(request);
  const std::string title = body.optional_text("title", 200).value_or("");
  const std::string system = body.optional_text("system", 8000).value_or("");
  body.finish();
  return http::json_response(
      {{"id", store::create_chat(app.store, request.caller.person, title, system)}}, 201);
}

Response show(Application& app, const Request& request) {
  const int64_t id = http::parameter_id(request), person = request.caller.person;
  const store::Chat chat = store::find_chat(app.store, person, id);
  ordered_json messages = ordered_json::array();
  for (const auto& message : store::messages_of(app.store, person, id)) {
    messages.push_back(message_json(message));
  }
  return http::json_response(
      {{"id", id}, {"title", chat.title}, {"system", chat.system}, {"messages", messages}});
}

Response remove(Application& app, const Request& request) {
  store::delete_chat(app.store, request.caller.person, http::parameter_id(request));
  return http::json_response({{"deleted", true}});
}

const char* name_of(engine::FinishReason reason) {
  constexpr const char* names[] = {"stop", "length", "cancelled", "timeout", "error"};
  return names[int(reason)];
}

/// Passes an answer on as it is written and keeps it when it ends, also one that was stopped.
class Writing : public engine::Listener {
 public:
  Writing(Application& app, Policy policy, std::shared_ptr<http::EventStream> stream,
          int64_t person, int64_t chat, store::AssistantMessage message)
      : app_(app),
        policy_(std::move(policy)),
        stream_(std::move(stream)),
        person_(person),
        chat_(chat),
        message_(std::move(message)) {}

  bool on_token(const engine::TokenOut& token) override {
    const Tokenizer& tokenizer = *policy_.model->tokenizer;
    message_.content += token.text;
    ordered_json top = ordered_json::array();
    for (const auto& [id, log_prob] : token.top) {
      top.push_back({{"text", tokenizer.token_bytes(id)}, {"log_prob", log_prob}});
    }
    return send("token", {{"text", token.text},
                          {"token", tokenizer.token_bytes(token.token)},
                          {"log_prob", token.log_prob},
                          {"top", top}});
  }

  void on_finish(const engine::Finish& finish) override {
    message_.finish_reason = name_of(finish.reason);
    // The engine does not wait for disks.
    app_.background.post([&app = app_, stream = stream_, person = person_, chat = chat_,
                          message = message_, finish] {
      ordered_json done{{"id", nullptr},
                        {"finish_reason", name_of(finish.reason)},
                        {"usage",
                         {{"prompt_tokens", finish.usage.prompt_tokens},
                          {"completion_tokens", finish.usage.completion_tokens},
                          {"cached_tokens", finish.usage.cached_tokens}}}};
      try {
        if (!message.content.empty()) {
          done["id"] = store::add_assistant_message(app.store, person, chat, message);
        }
      } catch (const std::exception& error) {
        stream->send(http::event_text("error", dumped({{"message", text_for_clients(error)}})));
        stream->finish();
        throw;
      }
      if (finish.reason == engine::FinishReason::error) {
        stream->send(http::event_text("error", dumped({{"message", finish.error}})));
      }
      stream->send(http::event_text("done", dumped(done)));
      stream->finish();
    });
  }

  /// Parts of characters that tokens may hold become U+FFFD.
  static std::string dumped(const ordered_json& value) {
    return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  }

 private:
  bool send(const char* name, const ordered_json& value) {
    return stream_->send(http::event_text(name, dumped(value)));
  }

  Application& app_;
  const Policy policy_;
  std::shared_ptr<http::EventStream> stream_;
  const int64_t person_, chat_;
  store::AssistantMessage message_;
};

/// What is to be answered, and how.
struct Asked {
  std::optional<int64_t> parent;
  std::optional<std::string> content;  ///< none: the parent, once more
  store::Sampling sampling;
};

Asked asked_in(Application& app, const Request& request, int64_t capacity) {
  Body body(request);
  Asked asked{.parent = body.optional_integer("parent", 1, INT64_MAX),
              .content = body.optional_text("content", 32'000),
              .sampling = {}};
  const bool again = body.optional_flag("regenerate").value_or(false);
  store::Sampling& sampling = asked.sampling;
  sampling.temperature = body.optional_number("temperature", 0, 2).value_or(1);
  sampling.top_p = body.optional_number("top_p", 0.01, 1).value_or(1);
  sampling.max_tokens =
      std::min(body.optional_integer("max_tokens", 1, 1 << 20).value_or(128), capacity - 1);
  // Another answer to the same message needs another seed; the clock has one.
  constexpr int64_t most = int64_t{1} << 53;
  sampling.seed = uint64_t(body.optional_integer("seed", 0, most).value_or(app.store.now() % most));
  body.finish();
  if (again == asked.content.has_value() || (again && !asked.parent)) {
    input_error("content", "expected a text, or regenerate with the user's message as parent");
  }
  return asked;
}

void say(Application& app, const Request& request, const http::Reply& reply) {
  const int64_t chat = http::parameter_id(request), person = request.caller.person;
  store::find_chat(app.store, person, chat);
  const Policy policy = app.policies.promoted();
  const int64_t capacity = policy.engine->capacity();
  const Asked asked = asked_in(app, request, capacity);
  const store::Sampling& sampling = asked.sampling;
  const Conversation said =
      asked.content
          ? store::conversation_with(app.store, person, chat, asked.parent, *asked.content)
          : store::conversation_until(app.store, person, chat, *asked.parent);
  const int64_t room = capacity - std::min(sampling.max_tokens, capacity / 2);
  engine::Job job;
  job.prompt = conversation_tokens(*policy.model, said, room);
  job.top_log_probs = kAlternatives;
  job.client = fmt::format("person {}", person);
  job.sampling.max_new_tokens =
      std::min(sampling.max_tokens, capacity - int64_t(job.prompt.size()));
  job.sampling.temperature = float(sampling.temperature);
  job.sampling.top_p = float(sampling.top_p);
  job.sampling.seed = sampling.seed;
  job.sampling.stop_tokens = policy.model->stop_tokens;
  for (const SpecialToken& special : policy.model->tokenizer->special_tokens()) {
    job.sampling.stop_tokens.push_back(special.id);
  }
  // Last, so that nothing is kept of what is refused.
  const int64_t message =
      asked.content ? store::add_user_message(app.store, person, chat, asked.parent, *asked.content)
                    : *asked.parent;

  const auto stream = reply.stream();
  stream->send(http::event_text("message", Writing::dumped({{"id", message}})));
  const auto listener = std::make_shared<Writing>(
      app, policy, stream, person, chat,
      store::AssistantMessage{
          .parent = message, .content = {}, .version = policy.version, .sampling = sampling});
  try {
    const uint64_t id = policy.engine->submit(std::move(job), listener);
    stream->on_gone([engine = std::weak_ptr(policy.engine), id] {
      if (const auto there = engine.lock()) there->cancel(id);
    });
  } catch (const Error& error) {
    stream->send(http::event_text("error", Writing::dumped({{"message", error.what()}})));
    stream->finish();
  }
}

}  // namespace

void add_chat_routes(http::Router& router, Application& app) {
  using http::Method, http::UserRole;
  router.add(Method::get, "/api/chats", UserRole::annotator, responding(app, list));
  router.add(Method::post, "/api/chats", UserRole::annotator, responding(app, create));
  router.add(Method::get, "/api/chats/{id}", UserRole::annotator, responding(app, show));
  router.add(Method::del, "/api/chats/{id}", UserRole::annotator, responding(app, remove));
  router.add(Method::post, "/api/chats/{id}/messages", UserRole::annotator,
             refusing([&app](const Request& request, const http::Reply& reply) {
               say(app, request, reply);
             }),
             {.body_limit = 64 * 1024, .rate = http::Rate::costly});
}

}  // namespace rlhf::serve
