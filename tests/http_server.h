// A server for tests of the HTTP layer: routes of every kind, limits that a test can wait for.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/check.h"
#include "serve/http/error.h"
#include "serve/http/server.h"
#include "tests/files.h"
#include "tests/http_client.h"

namespace rlhf::http_test {

struct TestServer {
  http::Options options = quick();
  http::Router router = usual_routes();
  TemporaryFolder folder;
  http::AccessLog log{folder / "access.jsonl"};
  http::Registry registry;
  std::unique_ptr<http::Server> server;

  /// Short times, no rates.
  static http::Options quick() {
    http::Options options{.port = 0, .workers = 4};
    options.limits.header_time = 400ms;
    options.limits.body_time = 400ms;
    options.limits.body_rate = 1 << 20;
    options.limits.idle_time = 600ms;
    options.limits.write_stall = 500ms;
    options.limits.keep_alive = 300ms;
    options.limits.body = 64 * 1024;
    options.rates = {{0, 0}, {0, 0}, {0, 0}};
    return options;
  }

  static http::Response echo(const http::Request& request) {
    return http::json_response({{"path", request.path},
                                {"parameters", request.parameters},
                                {"query", request.query},
                                {"body", request.body},
                                {"type", request.content_type},
                                {"caller", request.caller.name},
                                {"peer", request.peer},
                                {"session", request.session}});
  }

  static http::Router usual_routes() {
    using namespace http;
    Router router;
    const RouteOptions any{.content_types = {"application/json", "text/plain"}};
    for (const Method method : {Method::get, Method::post, Method::put, Method::del}) {
      router.add(method, "/api/echo", UserRole::nobody, answering(echo), any);
    }
    router.add(Method::get, "/api/things/{name}", UserRole::nobody, answering(echo));
    router.add(Method::get, "/api/mine", UserRole::annotator, answering(echo));
    router.add(Method::post, "/api/mine", UserRole::annotator, answering(echo));
    router.add(Method::get, "/api/managed", UserRole::admin, answering(echo));
    router.add(Method::get, "/", UserRole::nobody, answering([](const Request&) {
                 return Response{.body = "<p>page</p>", .type = "text/html; charset=utf-8"};
               }));
    router.add(Method::get, "/api/long", UserRole::nobody, answering([](const Request& request) {
                 const size_t size = size_t(query_integer(request, "size", 0, 0, 64 << 20));
                 return Response{.body = std::string(size, 'x'), .type = "text/plain"};
               }));
    router.add(Method::get, "/api/throw/{what}", UserRole::nobody,
               answering([](const Request& request) -> Response {
                 const std::string& what = request.parameters[0];
                 if (what == "input") input_error("thing", "expected a, got b");
                 if (what == "http") throw HttpError(409, "taken", "conflict", "name", "in_use");
                 if (what == "else") throw std::runtime_error("secret detail");
                 if (what == "number") throw 7;
                 return Response{.status = 200, .headers = {{"X-A", "b\r\nSet-Cookie: c=d"}}};
               }));
    return router;
  }

  static std::optional<http::Caller> who(const http::Credentials& shown) {
    if (shown.bearer == "ann-token" || shown.session == "ann-session") {
      return http::Caller{1, "ann", http::UserRole::annotator};
    }
    if (shown.bearer == "admin-token") return http::Caller{2, "root", http::UserRole::admin};
    return std::nullopt;
  }

  Client start() {
    server = std::make_unique<http::Server>(options, router, who, log, registry);
    return Client{.port = server->port()};
  }
  Client client(const std::string& token = "") const {
    return Client{.port = server->port(), .token = token};
  }
};

}  // namespace rlhf::http_test
