// Learning from votes: how far it is, what it made so far, start, cancel and choices.
#include "serve/application.h"
#include "serve/body.h"
#include "serve/routes/respond.h"
#include "serve/routes/routes.h"

namespace rlhf::serve {
namespace {

using http::Request, http::Response;
using nlohmann::ordered_json;

/// Where the Runs page finds it; empty where it does not.
std::string run_id(const Application& app, const std::filesystem::path& folder) {
  if (folder.empty()) return "";
  return std::filesystem::proximate(folder, app.runs.root()).generic_string();
}

ordered_json running_json(const Application& app, const LearningProgress& progress) {
  ordered_json metrics = ordered_json::object();
  for (const auto& [name, value] : progress.metrics) {
    metrics[name] = finite_or_null(value);
  }
  return {{"id", progress.id},
          {"method", progress.method},
          {"stage", progress.stage},
          {"done", progress.done},
          {"total", progress.total},
          {"eta_seconds", progress.eta_seconds},
          {"run", run_id(app, progress.output)},
          {"metrics", metrics}};
}

/// Its last stage (serve/learning_plan.h).
std::filesystem::path learning_output(const store::Learning& learning) {
  return std::filesystem::path(learning.run) / learning.method;
}

ordered_json learning_json(const Application& app, const store::Learning& learning) {
  return {{"id", learning.id},
          {"method", learning.method},
          {"state", store::name_of(learning.state)},
          {"votes_until", learning.votes_until},
          {"base", learning.base_version},
          {"result", or_null(learning.result_version)},
          {"started", learning.started},
          {"ended", or_null(learning.ended)},
          {"run", learning.run.empty() ? "" : run_id(app, learning_output(learning))},
          {"figures", learning.figures},
          {"error", learning.error}};
}

ordered_json choices_json(const LearningChoices& choices) {
  return {{"method", name_of(choices.method)},
          {"automatic", choices.automatic},
          {"every_votes", choices.least_votes}};
}

Response status(Application& app, const Request&) {
  ordered_json history = ordered_json::array();
  for (const store::Learning& learning : store::learnings(app.store)) {
    history.push_back(learning_json(app, learning));
  }
  const auto progress = app.learner.progress();
  return http::json_response(
      {{"running", progress ? running_json(app, *progress) : ordered_json(nullptr)},
       {"since", store::new_votes(app.store)},
       {"needed", app.learner.choices().least_votes},
       {"history", history},
       {"settings", choices_json(app.learner.choices())}});
}

Response start(Application& app, const Request& request) {
  Body body(request);
  const auto method = body.optional_text("method", 16);
  body.finish();
  const int64_t id = app.learner.start(
      request.caller.person, method ? std::optional(learning_method(*method)) : std::nullopt);
  return http::json_response({{"id", id}}, 202);
}

Response cancel(Application& app, const Request&) {
  app.learner.cancel();
  return http::json_response({{"cancelling", true}}, 202);
}

Response choose(Application& app, const Request& request) {
  Body body(request);
  LearningChoices choices = app.learner.choices();
  if (const auto method = body.optional_text("method", 16)) {
    choices.method = learning_method(*method);
  }
  choices.automatic = body.optional_flag("automatic").value_or(choices.automatic);
  choices.least_votes =
      body.optional_integer("every_votes", 1, 1'000'000).value_or(choices.least_votes);
  body.finish();
  app.learner.choose(request.caller.person, choices);
  return http::json_response(choices_json(choices));
}

}  // namespace

void add_learning_routes(http::Router& router, Application& app) {
  using http::Method, http::UserRole;
  router.add(Method::get, "/api/learning", UserRole::admin, responding(app, status));
  router.add(Method::post, "/api/learning", UserRole::admin, responding(app, start));
  router.add(Method::del, "/api/learning", UserRole::admin, responding(app, cancel));
  router.add(Method::put, "/api/learning/settings", UserRole::admin, responding(app, choose));
}

}  // namespace rlhf::serve
