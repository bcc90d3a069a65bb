// What answers are asked for: import and list.
#include "serve/application.h"
#include "serve/routes/figures.h"
#include "serve/routes/respond.h"
#include "serve/routes/routes.h"

namespace rlhf::serve {
namespace {

using http::Request, http::Response;
using nlohmann::ordered_json;

constexpr int64_t kMostBytes = 16 << 20;
constexpr size_t kMostRefusals = 100;  ///< that are told one by one

Response import(Application& app, const Request& request) {
  const store::PromptImport done =
      store::import_prompts(app.store, request.caller.person, request.body);
  ordered_json refused = ordered_json::array();
  for (const store::RefusedLine& line : done.refused) {
    if (refused.size() == kMostRefusals) break;
    refused.push_back({{"line", line.line}, {"message", line.message}});
  }
  app.answers.wake();
  return http::json_response({{"added", done.added},
                              {"duplicates", done.duplicates},
                              {"refused", refused},
                              {"refused_total", done.refused.size()}});
}

Response list(Application& app, const Request& request) {
  const int64_t after = http::query_integer(request, "after", 0, 0, INT64_MAX);
  const int64_t limit = http::query_integer(request, "limit", 100, 1, 1000);
  ordered_json rows = ordered_json::array();
  for (const store::Prompt& prompt : store::list_prompts(app.store, after, limit)) {
    ordered_json row = prompt_json(prompt);
    row["source"] = prompt.source;
    row["created"] = prompt.created;
    rows.push_back(std::move(row));
  }
  return http::json_response({{"prompts", rows}, {"total", store::count_prompts(app.store)}});
}

}  // namespace

void add_prompt_routes(http::Router& router, Application& app) {
  using http::Method, http::UserRole;
  router.add(Method::post, "/api/prompts", UserRole::admin, responding(app, import),
             {.body_limit = kMostBytes,
              .content_types = {"application/x-ndjson", "text/plain", "application/jsonl"}});
  router.add(Method::get, "/api/prompts", UserRole::admin, responding(app, list));
}

}  // namespace rlhf::serve
