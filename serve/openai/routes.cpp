#include "serve/openai/routes.h"

#include <algorithm>

#include "serve/openai/chat_response.h"
#include "serve/openai/completion_response.h"
#include "serve/openai/errors.h"
#include "serve/openai/plan.h"

namespace rlhf::openai {
namespace {

using http::Reply;
using http::Request;
using nlohmann::ordered_json;

ordered_json model_json(const Served& served) {
  return {{"id", served.name},
          {"object", "model"},
          {"created", served.created},
          {"owned_by", "rlhf.cpp"}};
}

http::Response list_models(const AllModels& all, const Request& request) {
  ordered_json data = ordered_json::array();
  for (const Served& served : all(request.caller)) data.push_back(model_json(served));
  return http::json_response({{"object", "list"}, {"data", std::move(data)}});
}

http::Response show_model(const AllModels& all, const Request& request) {
  const std::string& name = request.parameters[0];
  const std::vector<Served> models = all(request.caller);
  const auto found =
      std::find_if(models.begin(), models.end(), [&](auto& served) { return served.name == name; });
  if (found == models.end()) throw no_such_model(name);
  return http::json_response(model_json(*found));
}

/// Whose turn it is when slots are scarce: a person, or an address.
std::string client_of(const Request& request) {
  return request.caller.person > 0 ? fmt::format("person {}", request.caller.person) : request.peer;
}

/// What the two kinds of requests share, once their bodies are read.
template <class Format, class Body>
void answer(const Request& request, Reply reply, const CurrentModel& current, const Limits& limits,
            const Body& body, bool log_probs,
            std::vector<PlannedChoice> (*plan)(const Body&, const PlanContext&)) {
  const Served served = current(request.caller, body.generation.model);
  std::vector<PlannedChoice> choices = plan(body, {*served.engine, client_of(request)});
  auto format = std::make_unique<Format>(served.model, log_probs);
  AnswerHead head = new_head(format->id_prefix(), served.name, served.version);
  const size_t count = choices.size();
  auto writer = body.generation.stream
                    ? stream_answer(std::move(reply), std::move(head), std::move(format), count,
                                    body.generation.include_usage)
                    : whole_answer(std::move(reply), std::move(head), std::move(format), count);
  Generation::start(served.engine, std::move(choices), std::move(writer), limits.at_once,
                    limits.timeout);
}

/// A handler whose errors about fields say which.
http::Handler naming_fields(http::Handler handler) {
  return [handler = std::move(handler)](const Request& request, Reply reply) {
    try {
      handler(request, std::move(reply));
    } catch (const FieldError& error) {
      throw bad_field(error);
    }
  };
}

}  // namespace

void add_routes(http::Router& router, CurrentModel current, AllModels all, Limits limits) {
  using http::Method;
  using http::UserRole;
  router.add(Method::get, "/v1/models", UserRole::annotator,
             http::answering([all](const Request& request) { return list_models(all, request); }));
  router.add(Method::get, "/v1/models/{id}", UserRole::annotator,
             http::answering([all](const Request& request) { return show_model(all, request); }));
  const http::RouteOptions options{.body_limit = limits.body, .rate = http::Rate::costly};
  router.add(Method::post, "/v1/completions", UserRole::annotator,
             naming_fields([current, limits](const Request& request, Reply reply) {
               const CompletionRequest body = parse_completion_request(request.body);
               answer<CompletionFormat>(request, std::move(reply), current, limits, body,
                                        body.log_probs >= 0, plan_completion);
             }),
             options);
  router.add(Method::post, "/v1/chat/completions", UserRole::annotator,
             naming_fields([current, limits](const Request& request, Reply reply) {
               const ChatRequest body = parse_chat_request(request.body);
               answer<ChatFormat>(request, std::move(reply), current, limits, body, body.log_probs,
                                  plan_chat);
             }),
             options);
}

}  // namespace rlhf::openai
