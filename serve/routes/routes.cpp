#include "serve/routes/routes.h"

#include "serve/application.h"

namespace rlhf::serve {

http::Router all_routes(Application& app) {
  http::Router router;
  add_page_routes(router);
  add_health_routes(router, app.policies, app.registry);
  add_session_routes(router, app);
  add_compare_routes(router, app);
  add_prompt_routes(router, app);
  add_export_routes(router, app);
  add_chat_routes(router, app);
  add_run_routes(router, app);
  add_version_routes(router, app);
  add_learning_routes(router, app);
  add_people_routes(router, app);
  add_record_routes(router, app);
  openai::add_routes(
      router,
      [&app](const http::Caller& caller, const std::string& name) {
        return app.policies.named(caller, name);
      },
      [&app](const http::Caller& caller) { return app.policies.by_name(caller); });
  return router;
}

}  // namespace rlhf::serve
