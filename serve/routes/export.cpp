// What people said, as the files that training reads.
#include "serve/store/export.h"
#include "serve/application.h"
#include "serve/routes/respond.h"
#include "serve/routes/routes.h"

namespace rlhf::serve {
namespace {

http::Response export_of(Application& app, const http::Request& request) {
  constexpr std::string_view ending = ".jsonl";
  std::string name = request.parameters.at(0);
  if (!name.ends_with(ending)) {
    throw http::HttpError(404, "expected preferences, kto, scores, ties or log with .jsonl");
  }
  name.resize(name.size() - ending.size());
  store::ExportOptions options{.kind = store::export_named(name),
                               .held_out_fraction = app.options.learning.held_out};
  if (request.query.contains("held_out")) {
    options.held_out = http::query_integer(request, "held_out", 0, 0, 1) == 1;
  }
  options.pseudonyms = http::query_integer(request, "names", 0, 0, 1) == 0;
  std::string rows;
  store::export_rows(app.store, options, [&](std::string_view line) { rows += line; });
  return {.body = std::move(rows),
          .type = "application/x-ndjson",
          .headers = {http::download_as(name + std::string(ending))}};
}

}  // namespace

void add_export_routes(http::Router& router, Application& app) {
  router.add(http::Method::get, "/api/export/{file}", http::UserRole::admin,
             responding(app, export_of), {.rate = http::Rate::costly});
}

}  // namespace rlhf::serve
