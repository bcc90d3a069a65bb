// Every route of a server without rights, with too few, and with garbage.
#include <gtest/gtest.h>

#include <set>

#include "serve/routes/routes.h"
#include "tests/serving_site.h"

namespace rlhf::serve {
namespace {

struct Target {
  const http::Route* route;
  std::string path;
};

/// A path for each route, its {parameters} filled.
std::vector<Target> targets(const http::Router& router) {
  std::vector<Target> all;
  for (const http::Route& route : router.routes()) {
    std::string path;
    for (const std::string& piece : route.pieces)
      path += "/" + (piece.starts_with("{") ? "1" : piece);
    all.push_back({&route, path.empty() ? "/" : path});
  }
  return all;
}

Answer call(const Client& who, const Target& target, const std::string& body) {
  const bool takes_body = target.route->method != http::Method::get;
  return who.ask(http::name_of(target.route->method), target.path, takes_body ? body : "",
                 "Content-Type: " + target.route->options.content_types.at(0) + "\r\n");
}

class Rights : public testing::Test {
 protected:
  static void SetUpTestSuite() { site_ = std::make_unique<Site>(); }
  static void TearDownTestSuite() { site_.reset(); }
  static inline std::unique_ptr<Site> site_;
};

TEST_F(Rights, PublicRoutesAreThese) {
  std::set<std::string> open;
  const http::Router router = all_routes(site_->app());
  for (const http::Route& route : router.routes()) {
    if (route.needed == http::UserRole::nobody) open.insert(route.pattern);
  }
  EXPECT_EQ(open, (std::set<std::string>{"/", "/chat", "/runs", "/manage", "/static/{name}",
                                         "/health", "/api/session"}));
}

TEST_F(Rights, NobodyGetsIn) {
  const http::Router router = all_routes(site_->app());
  const Client nobody = site_->nobody(),
               stranger(site_->app().server->port(), std::string(64, 'a'));
  for (const Target& target : targets(router)) {
    if (target.route->needed == http::UserRole::nobody) continue;
    EXPECT_EQ(call(nobody, target, "{}").status, 401) << target.path;
    EXPECT_EQ(call(stranger, target, "{}").status, 401) << target.path;
  }
}

TEST_F(Rights, AnnotatorsMayNotDoWhatAdminsDo) {
  const http::Router router = all_routes(site_->app());
  const Client annotator = site_->annotator("rita");
  int refused = 0;
  for (const Target& target : targets(router)) {
    if (target.route->needed != http::UserRole::admin) continue;
    EXPECT_EQ(call(annotator, target, "{}").status, 403) << target.path;
    refused++;
  }
  EXPECT_GE(refused, 18);
}

TEST_F(Rights, GarbageGetsAnAnswerThatIsAClientsFault) {
  const http::Router router = all_routes(site_->app());
  const Client admin = site_->admin();
  const std::string deep(100, '[');
  for (const Target& target : targets(router)) {
    if (target.route->method == http::Method::get) continue;
    const std::vector<std::string> bodies{"nonsense",
                                          "[]",
                                          "{\"no_such_field\":1}",
                                          "{\"lease\":-1}",
                                          "{\"lease\":1e999}",
                                          "{\"method\":7}",
                                          "{\"name\":[]}",
                                          "\xff\xfe",
                                          deep,
                                          "{\"a\":1,\"a\":2}"};
    for (const std::string& body : bodies) {
      const Answer answer = call(admin, target, body);
      EXPECT_LT(answer.status, 500) << target.path << " " << body << " " << answer.body;
      if (answer.status >= 400) {
        EXPECT_TRUE(answer.json()["error"].contains("message")) << answer.body;
        EXPECT_TRUE(answer.json()["error"].contains("param")) << answer.body;
      }
    }
  }
  EXPECT_EQ(site_->nobody().get("/health").status, 200);
}

TEST_F(Rights, PagesForbidForeignCode) {
  const Answer page = site_->nobody().get("/");
  EXPECT_EQ(page.status, 200);
  const std::string policy = page.header("content-security-policy");
  EXPECT_NE(policy.find("default-src 'self'"), std::string::npos) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos) << policy;
  EXPECT_EQ(page.header("x-content-type-options"), "nosniff");
}

}  // namespace
}  // namespace rlhf::serve
