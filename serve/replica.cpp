#include "serve/replica.h"

#include "serve/accounts.h"
#include "serve/engine_metrics.h"
#include "serve/routes/routes.h"

namespace rlhf::serve {

using namespace std::chrono_literals;

Replica::Replica(const ApplicationOptions& options)
    : store_(store::Store::open_read_only(options.data / "feedback.db", options.store)),
      policies_(*store_, options.policies),
      background_(options.tell) {
  collect_engine_metrics(registry_, policies_);
  background_.every(2s, [this] { policies_.follow(); });
  http::Router router;
  add_health_routes(router, policies_, registry_);
  openai::add_routes(
      router,
      [this](const http::Caller& caller, const std::string& name) {
        return policies_.named(caller, name);
      },
      [this](const http::Caller& caller) { return policies_.by_name(caller); });
  server_.emplace(options.http, std::move(router), authenticate_by(*store_), log_, registry_);
}

Replica::~Replica() { stop(0ms); }

void Replica::stop(std::chrono::milliseconds drain) {
  server_->stop(drain);
  policies_.drain(0ms);
  background_.stop();
}

}  // namespace rlhf::serve
