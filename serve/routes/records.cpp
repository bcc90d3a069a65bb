// What an admin looks up: statistics of the votes, the audit log, guidelines, backups.
#include "serve/application.h"
#include "serve/body.h"
#include "serve/routes/figures.h"
#include "serve/routes/respond.h"
#include "serve/routes/routes.h"
#include "serve/store/audit.h"
#include "serve/store/settings.h"

namespace rlhf::serve {
namespace {

using http::Request, http::Response;
using nlohmann::ordered_json;

Response statistics(Application& app, const Request&) {
  const store::Statistics all = app.statistics.get([&] { return store::statistics(app.store); });
  ordered_json people = ordered_json::array();
  for (const store::PersonStatistics& person : all.people) {
    people.push_back({{"id", person.person},
                      {"name", person.name},
                      {"votes", person.choices.judged()},
                      {"choices", choices_json(person.choices)},
                      {"today", person.today},
                      {"median_seconds", or_null(person.median_seconds)},
                      {"position", position_json(person.position)},
                      {"agreement", or_null(person.agreement)},
                      {"shared", person.shared}});
  }
  ordered_json agreement = agreement_json(all.agreement);
  agreement["comparisons"] = all.agreement.comparisons;
  return http::json_response({{"choices", choices_json(all.choices)},
                              {"position", position_json(all.position)},
                              {"agreement", agreement},
                              {"people", people}});
}

Response audit(Application& app, const Request& request) {
  const int64_t before = http::query_integer(request, "before", 0, 0, INT64_MAX);
  const int64_t limit = http::query_integer(request, "limit", 100, 1, 1000);
  ordered_json entries = ordered_json::array();
  for (const store::AuditEntry& entry : store::audit_log(app.store, before, limit)) {
    entries.push_back({{"id", entry.id},
                       {"who", entry.who_name},
                       {"what", entry.what},
                       {"detail", entry.detail},
                       {"created", entry.created}});
  }
  return http::json_response({{"entries", entries}});
}

Response guidelines(Application& app, const Request&) {
  const auto text = store::setting(app.store, "guidelines");
  return http::json_response({{"text", text ? *text : nlohmann::json("")}});
}

Response set_guidelines(Application& app, const Request& request) {
  Body body(request);
  const std::string text = body.text("text", 20'000, 0);
  body.finish();
  store::set_setting(app.store, request.caller.person, "guidelines", text);
  return http::json_response({{"text", text}});
}

Response back_up(Application& app, const Request& request) {
  const auto file = app.backups.make(app.store, request.caller.person);
  return http::json_response({{"file", file.string()}}, 201);
}

}  // namespace

void add_record_routes(http::Router& router, Application& app) {
  using http::Method, http::UserRole;
  router.add(Method::get, "/api/statistics", UserRole::admin, responding(app, statistics));
  router.add(Method::get, "/api/audit", UserRole::admin, responding(app, audit));
  router.add(Method::get, "/api/guidelines", UserRole::annotator, responding(app, guidelines));
  router.add(Method::put, "/api/guidelines", UserRole::admin, responding(app, set_guidelines));
  router.add(Method::post, "/api/backup", UserRole::admin, responding(app, back_up),
             {.rate = http::Rate::costly});
}

}  // namespace rlhf::serve
