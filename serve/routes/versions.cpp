// The versions of the policy, how candidates do, and who decides.
#include <algorithm>

#include "serve/application.h"
#include "serve/body.h"
#include "serve/promotion.h"
#include "serve/routes/respond.h"
#include "serve/routes/routes.h"
#include "serve/store/statistics.h"

namespace rlhf::serve {
namespace {

using http::Request, http::Response;
using nlohmann::ordered_json;

ordered_json duel_json(const store::CandidateResult& result) {
  constexpr const char* verdicts[] = {"undecided", "better", "worse"};
  const Duel duel{result.wins, result.losses, result.ties};
  return {{"wins", result.wins},
          {"losses", result.losses},
          {"ties", result.ties},
          {"win_rate", result.win_rate},
          {"low", result.low},
          {"high", result.high},
          {"wanted", result.wanted},
          {"evidence", evidence(duel)},
          {"decision", verdicts[int(verdict(duel))]}};
}

ordered_json version_json(Application& app, const store::ModelVersion& version) {
  const store::CandidateResult votes = store::candidate_result(app.store, version.id);
  return {{"id", version.id},
          {"parent", or_null(version.parent)},
          {"name", app.policies.name_of_version(version.id)},
          {"method", version.method},
          {"state", store::name_of(version.state)},
          {"created", version.created},
          {"note", version.note},
          {"digest", version.digest},
          {"metrics", version.metrics},
          {"comparison",
           votes.wanted > 0 || votes.votes() > 0 ? duel_json(votes) : ordered_json(nullptr)}};
}

Response list(Application& app, const Request&) {
  ordered_json versions = ordered_json::array(), decisions = ordered_json::array();
  for (const store::ModelVersion& version : store::versions(app.store)) {
    versions.push_back(version_json(app, version));
  }
  for (const store::Decision& decision : store::decisions(app.store)) {
    decisions.push_back({{"id", decision.id},
                         {"version", decision.version},
                         {"previous", or_null(decision.previous)},
                         {"what", decision.what},
                         {"by", decision.by_name},
                         {"reason", decision.reason},
                         {"created", decision.created}});
  }
  return http::json_response({{"promoted", app.policies.promoted().version},
                              {"versions", versions},
                              {"decisions", decisions}});
}

std::string reason_in(const Request& request) {
  Body body(request);
  const std::string reason = body.optional_text("reason", 1000).value_or("");
  body.finish();
  return reason;
}

Response promote(Application& app, const Request& request) {
  const int64_t id = http::parameter_id(request);
  const std::string reason = reason_in(request);
  app.policies.version(id);  // what cannot be loaded must not be promoted
  store::promote(app.store, request.caller.person, id, reason);
  app.versions_changed();
  return http::json_response({{"promoted", id}});
}

Response reject(Application& app, const Request& request) {
  const int64_t id = http::parameter_id(request);
  store::reject(app.store, request.caller.person, id, reason_in(request));
  app.versions_changed();
  return http::json_response({{"rejected", id}});
}

}  // namespace

void add_version_routes(http::Router& router, Application& app) {
  using http::Method, http::UserRole;
  router.add(Method::get, "/api/versions", UserRole::admin, responding(app, list));
  router.add(Method::post, "/api/versions/{id}/promote", UserRole::admin, responding(app, promote));
  router.add(Method::post, "/api/versions/{id}/reject", UserRole::admin, responding(app, reject));
}

}  // namespace rlhf::serve
