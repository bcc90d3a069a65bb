// The pages and what they load: public, since they hold nothing but themselves.
#include <array>
#include <string>

#include "core/check.h"
#include "serve/http/error.h"
#include "serve/pages/pages.h"
#include "serve/routes/routes.h"

namespace rlhf::serve {
namespace {

http::Response page_response(const pages::Page& page) {
  return {.body = std::string(page.content),
          .type = std::string(page.type),
          .headers = {{"ETag", std::string(page.etag)}, {"Cache-Control", "no-cache"}}};
}

}  // namespace

void add_page_routes(http::Router& router) {
  const std::array<std::pair<const char*, const char*>, 4> places{{{"/", "compare.html"},
                                                                   {"/chat", "chat.html"},
                                                                   {"/runs", "runs.html"},
                                                                   {"/manage", "manage.html"}}};
  for (const auto& [path, name] : places) {
    const pages::Page* page = pages::find_page(name);
    check(page != nullptr, "pages", "expected a page {} in the program, found none", name);
    router.add(http::Method::get, path, http::UserRole::nobody,
               http::answering([page](const http::Request&) { return page_response(*page); }),
               {.rate = http::Rate::free});
  }
  router.add(http::Method::get, "/static/{name}", http::UserRole::nobody,
             http::answering([](const http::Request& request) {
               const pages::Page* page = pages::find_page(request.parameters.at(0));
               if (!page) throw http::HttpError(404, "expected a file of the pages, found none");
               return page_response(*page);
             }),
             {.rate = http::Rate::free});
}

}  // namespace rlhf::serve
