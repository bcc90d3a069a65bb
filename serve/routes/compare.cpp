// The Compare page: what to judge next, votes, their undoing, and judgements of single texts.
#include <algorithm>

#include "serve/application.h"
#include "serve/body.h"
#include "serve/routes/figures.h"
#include "serve/routes/respond.h"
#include "serve/routes/routes.h"
#include "serve/store/ratings.h"
#include "serve/store/settings.h"
#include "serve/store/votes.h"

namespace rlhf::serve {
namespace {

using http::Request, http::Response;
using nlohmann::ordered_json;

/// Blind: neither versions nor slots nor what the comparison is for.
ordered_json lease_json(Application& app, const store::Lease& lease) {
  ordered_json answers = ordered_json::array();
  for (size_t place = 0; place < lease.order.size(); place++) {
    answers.push_back({{"place", place}, {"text", lease.at(int(place)).text}});
  }
  const auto guidelines = store::setting(app.store, "guidelines");
  return {{"lease", lease.id},
          {"until", lease.until},
          {"prompt", prompt_json(lease.comparison.prompt)},
          {"answers", answers},
          {"guidelines", guidelines ? *guidelines : nlohmann::json("")}};
}

const char* why_none(Application& app) {
  if (store::count_prompts(app.store) == 0) return "no_prompts";
  return app.answers.busy() ? "making_answers" : "all_done";
}

Response next(Application& app, const Request& request) {
  app.answers.expect(request.caller.person);
  const auto lease = store::lease_next(app.store, request.caller.person);
  if (!lease) {
    app.answers.wake();
    return http::json_response({{"waiting", true}, {"reason", why_none(app)}});
  }
  return http::json_response(lease_json(app, *lease));
}

Response vote(Application& app, const Request& request) {
  Body body(request);
  store::Vote vote{
      .request_id = body.text("request_id", 64),
      .lease = body.integer("lease", 1, INT64_MAX),
      .choice = store::choice_named(body.text("choice", 16)),
      .note = body.optional_text("note", 4000).value_or(""),
      .milliseconds = body.optional_integer("milliseconds", 0, 86'400'000).value_or(0)};
  if (const auto place = body.optional_integer("place", 0, 7)) vote.place = int(*place);
  if (const auto strength = body.optional_integer("strength", 1, 2)) vote.strength = int(*strength);
  body.finish();
  const int64_t person = request.caller.person;
  const store::CastVote cast = store::cast_vote(app.store, person, vote);
  app.answers.wake();
  // Whoever voted need not wait for what follows from it.
  app.background.post([&app] { app.decide(); });
  const store::PersonCounts counts = store::person_counts(app.store, person);
  return http::json_response(
      {{"vote", cast.id}, {"saved", true}, {"mine", counts.mine}, {"today", counts.today}});
}

Response undo(Application& app, const Request& request) {
  Body body(request);
  const std::string id = body.text("request_id", 64);
  body.finish();
  ordered_json out = lease_json(app, store::undo_vote(app.store, request.caller.person, id));
  out["undone"] = true;
  return http::json_response(out);
}

Response rate(Application& app, const Request& request) {
  Body body(request);
  store::Rating rating{.request_id = body.text("request_id", 64),
                       .lease = body.optional_integer("lease", 1, INT64_MAX),
                       .message = body.optional_integer("message", 1, INT64_MAX)};
  if (const auto place = body.optional_integer("place", 0, 7)) rating.place = int(*place);
  const std::string kind = body.text("kind", 8);
  if (kind != "thumb" && kind != "score") {
    input_error("kind", "expected thumb or score, got \"{}\"", kind);
  }
  rating.kind = kind == "thumb" ? store::RatingKind::thumb : store::RatingKind::score;
  rating.value = int(body.integer("value", -1, 5));
  body.finish();
  store::rate(app.store, request.caller.person, rating);
  return http::json_response({{"saved", true}});
}

Response progress(Application& app, const Request& request) {
  store::Store& db = app.store;
  const int64_t person = request.caller.person;
  const store::PersonCounts counts = store::person_counts(db, person);
  const store::QueueCounts queue = store::queue_counts(db);
  const store::Statistics all = app.statistics.get([&] { return store::statistics(db); });
  const auto found = std::find_if(all.people.begin(), all.people.end(),
                                  [&](const auto& other) { return other.person == person; });
  const store::PersonStatistics mine =
      found == all.people.end() ? store::PersonStatistics{} : *found;
  const int64_t sided = mine.position.left + mine.position.right;
  return http::json_response(
      {{"mine", counts.mine},
       {"today", counts.today},
       {"total", all.choices.judged()},
       {"prompts", store::count_prompts(db)},
       {"waiting", store::waiting_for(db, person)},
       {"wanted", queue.waiting + queue.leased + queue.done},
       {"done", queue.done},
       {"agreement", agreement_json(all.agreement)},
       {"position", position_json(all.position)},
       {"choices", choices_json(all.choices)},
       {"my",
        {{"median_seconds", or_null(mine.median_seconds)},
         {"left_share", sided ? ordered_json(double(mine.position.left) / double(sided))
                              : ordered_json(nullptr)}}}});
}

}  // namespace

void add_compare_routes(http::Router& router, Application& app) {
  using http::Method, http::UserRole;
  const http::RouteOptions small{.body_limit = 16 * 1024};
  router.add(Method::post, "/api/comparisons/next", UserRole::annotator, responding(app, next),
             small);
  router.add(Method::post, "/api/votes", UserRole::annotator, responding(app, vote), small);
  router.add(Method::post, "/api/votes/undo", UserRole::annotator, responding(app, undo), small);
  router.add(Method::post, "/api/ratings", UserRole::annotator, responding(app, rate), small);
  router.add(Method::get, "/api/progress", UserRole::annotator, responding(app, progress));
}

}  // namespace rlhf::serve
