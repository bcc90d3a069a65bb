// Signing in and out, and who one is.
#include "serve/accounts.h"
#include "serve/application.h"
#include "serve/body.h"
#include "serve/routes/respond.h"
#include "serve/routes/routes.h"
#include "serve/store/sessions.h"
#include "serve/store/statistics.h"

namespace rlhf::serve {
namespace {

using http::Request, http::Response;

Response sign_in(Application& app, const Request& request) {
  Body body(request);
  const auto token = body.optional_text("token", 128);
  std::optional<store::Session> session;
  if (token) {
    body.finish();
    session = store::sign_in_with_token(app.store, *token);
  } else {
    const std::string name = body.text("name", 64), password = body.text("password", 1024);
    body.finish();
    try {
      session = store::sign_in(app.store, name, password);
    } catch (const store::TooManyTries& error) {
      throw http::HttpError(429, error.what(), "rate_limit_error", "", "too_many_tries",
                            {{"Retry-After", std::to_string(error.seconds)}});
    }
  }
  if (!session) {
    throw http::HttpError(401,
                          token ? "expected a token that is valid, got another"
                                : "expected a name and its password, got others",
                          "authentication_error");
  }
  const auto lifetime = std::chrono::seconds((session->expires - app.store.now()) / 1'000'000);
  Response response = http::json_response({{"person", person_json(session->person)}});
  response.headers.push_back(
      http::set_session_cookie(session->token, lifetime, app.options.http.behind_proxy));
  return response;
}

Response sign_out(Application& app, const Request& request) {
  store::sign_out(app.store, request.session);
  Response response = http::json_response({{"signed_out", true}});
  response.headers.push_back(http::clear_session_cookie());
  return response;
}

Response me(Application& app, const Request& request) {
  const Policy policy = app.policies.promoted();
  const bool admin = request.caller.role == http::UserRole::admin;
  return http::json_response(
      {{"id", request.caller.person},
       {"name", request.caller.name},
       {"role", admin ? "admin" : "annotator"},
       {"votes", store::person_counts(app.store, request.caller.person).mine},
       {"version", {{"id", policy.version}, {"name", policy.name}}},
       {"scrubs", app.store.scrubs()}});
}

}  // namespace

void add_session_routes(http::Router& router, Application& app) {
  using http::Method, http::UserRole;
  router.add(Method::post, "/api/session", UserRole::nobody, responding(app, sign_in),
             {.body_limit = 4096, .rate = http::Rate::sign_in});
  router.add(Method::del, "/api/session", UserRole::annotator, responding(app, sign_out));
  router.add(Method::get, "/api/me", UserRole::annotator, responding(app, me));
}

}  // namespace rlhf::serve
