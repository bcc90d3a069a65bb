// The routes of `rlhf serve`, a file a subject. Each function adds what its subject has; what the
// answers look like is in docs/serve-api.md.
#pragma once

#include "serve/http/metrics.h"
#include "serve/http/router.h"

namespace rlhf::serve {

struct Application;
class Policies;

/// All routes of a server, the OpenAI-compatible ones included.
http::Router all_routes(Application& app);

void add_page_routes(http::Router& router);
void add_health_routes(http::Router& router, Policies& policies, http::Registry& registry);
void add_session_routes(http::Router& router, Application& app);
void add_compare_routes(http::Router& router, Application& app);
void add_prompt_routes(http::Router& router, Application& app);
void add_export_routes(http::Router& router, Application& app);
void add_chat_routes(http::Router& router, Application& app);
void add_run_routes(http::Router& router, Application& app);
void add_version_routes(http::Router& router, Application& app);
void add_learning_routes(http::Router& router, Application& app);
void add_people_routes(http::Router& router, Application& app);
void add_record_routes(http::Router& router, Application& app);

}  // namespace rlhf::serve
