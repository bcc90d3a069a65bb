// Who may take part, and what the server knows about them.
#include "serve/accounts.h"
#include "serve/application.h"
#include "serve/body.h"
#include "serve/routes/respond.h"
#include "serve/routes/routes.h"
#include "serve/store/privacy.h"
#include "serve/store/sessions.h"

namespace rlhf::serve {
namespace {

using http::Request, http::Response;
using nlohmann::ordered_json;

Response list(Application& app, const Request&) {
  ordered_json people = ordered_json::array();
  for (const store::Person& person : store::people(app.store)) {
    people.push_back(person_json(person));
  }
  return http::json_response({{"people", people}});
}

Response add(Application& app, const Request& request) {
  Body body(request);
  const std::string name = body.text("name", 64);
  const store::Role role = store::role_named(body.text("role", 16));
  const auto password = body.optional_text("password", 1024);
  body.finish();
  const int64_t by = request.caller.person;
  const store::NewPerson added = store::add_person_with_token(app.store, by, name, role, password);
  return http::json_response({{"id", added.id}, {"token", added.token}}, 201);
}

Response change(Application& app, const Request& request) {
  const int64_t id = http::parameter_id(request), by = request.caller.person;
  Body body(request);
  store::PersonChange change;
  if (const auto role = body.optional_text("role", 16)) change.role = store::role_named(*role);
  change.active = body.optional_flag("active");
  change.password = body.optional_text("password", 1024);
  const bool new_token = body.optional_flag("new_token").value_or(false);
  body.finish();
  store::change_person(app.store, by, id, change);
  ordered_json out{{"id", id}};
  if (new_token) out["token"] = store::renew_token(app.store, by, id);
  return http::json_response(out);
}

Response data(Application& app, const Request& request) {
  const int64_t id = http::parameter_id(request);
  Response response = http::json_response(store::data_of_person(app.store, id));
  response.headers.push_back(http::download_as(fmt::format("person-{}.json", id)));
  return response;
}

Response erase(Application& app, const Request& request) {
  const int64_t id = http::parameter_id(request);
  Body body(request);
  const std::string votes = body.text("votes", 8);
  body.finish();
  if (votes != "keep" && votes != "delete") {
    input_error("votes", "expected keep or delete, got \"{}\"", votes);
  }
  store::erase_person(app.store, request.caller.person, id,
                      votes == "keep" ? store::ErasedVotes::keep : store::ErasedVotes::remove);
  return http::json_response({{"erased", id}});
}

}  // namespace

void add_people_routes(http::Router& router, Application& app) {
  using http::Method, http::UserRole;
  router.add(Method::get, "/api/people", UserRole::admin, responding(app, list));
  router.add(Method::post, "/api/people", UserRole::admin, responding(app, add));
  router.add(Method::post, "/api/people/{id}", UserRole::admin, responding(app, change));
  router.add(Method::get, "/api/people/{id}/data", UserRole::admin, responding(app, data));
  router.add(Method::post, "/api/people/{id}/erase", UserRole::admin, responding(app, erase));
}

}  // namespace rlhf::serve
