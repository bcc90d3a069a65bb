// Whether the server is well, for load balancers and Prometheus.
#include "serve/http/error.h"
#include "serve/http/metrics.h"
#include "serve/policies.h"
#include "serve/routes/routes.h"

namespace rlhf::serve {

void add_health_routes(http::Router& router, Policies& policies, http::Registry& registry) {
  using http::answering, http::Method, http::Request, http::UserRole;
  router.add(Method::get, "/health", UserRole::nobody, answering([&policies](const Request&) {
               if (policies.promoted().engine->stats().draining) {
                 throw http::HttpError(503, "the server is shutting down");
               }
               return http::json_response({{"status", "ok"}});
             }),
             {.rate = http::Rate::free});
  router.add(Method::get, "/metrics", UserRole::annotator, answering([&registry](const Request&) {
               return http::Response{.body = registry.text(),
                                     .type = std::string(http::metrics_type)};
             }));
}

}  // namespace rlhf::serve
