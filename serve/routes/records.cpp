// What an admin looks up: statistics of the votes, the audit log, guidelines, backups.
#include "serve/application.h"
#include "serve/body.h"
#include "serve/routes/respond.h"
#include "serve/routes/routes.h"
#include "serve/store/audit.h"
#include "serve/store/settings.h"
#include "serve/store/statistics.h"

namespace rlhf::serve {
namespace {

using http::Request, http::Response;
using nlohmann::ordered_json;

ordered_json choices_json(const store::ChoiceCounts& choices) {
  return {{"better", choices.better},
          {"tie", choices.tie},
          {"both_bad", choices.both_bad},
          {"skip", choices.skip}};
}

ordered_json position_json(const store::PositionBias& bias) {
  return {{"left", bias.left}, {"right", bias.right}, {"p", bias.p}};
}

Response statistics(Application& app, const Request&) {
  const store::Statistics all = store::statistics(app.store);
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
  return http::json_response({{"choices", choices_json(all.choices)},
                              {"position", position_json(all.position)},
                              {"agreement",
                               {{"comparisons", all.agreement.comparisons},
                                {"percent", or_null(all.agreement.percent)},
                                {"kappa", or_null(all.agreement.kappa)},
                                {"alpha", or_null(all.agreement.alpha)}}},
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
  const auto add = [&](Method method, const char* path, UserRole needed,
                       Response (*make)(Application&, const Request&)) {
    router.add(method, path, needed,
               responding([&app, make](const Request& request) { return make(app, request); }));
  };
  add(Method::get, "/api/statistics", UserRole::admin, statistics);
  add(Method::get, "/api/audit", UserRole::admin, audit);
  add(Method::get, "/api/guidelines", UserRole::annotator, guidelines);
  add(Method::put, "/api/guidelines", UserRole::admin, set_guidelines);
  router.add(Method::post, "/api/backup", UserRole::admin,
             responding([&app](const Request& request) { return back_up(app, request); }),
             {.rate = http::Rate::costly});
}

}  // namespace rlhf::serve
