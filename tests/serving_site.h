// A server of this process on a free port of this machine, with a policy that nobody has trained,
// and people who call it.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "apps/cli.h"
#include "rl/model/model_folder.h"
#include "serve/accounts.h"
#include "serve/application.h"
#include "serve/store/sessions.h"
#include "tests/files.h"
#include "tests/http_client.h"
#include "tests/tiny_models.h"

namespace rlhf::serve {

using http_test::Answer, http_test::Client;

/// Saves a random model that writes letters.
inline void save_tiny_model(const std::filesystem::path& folder, uint64_t seed) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  LanguageModel model{make_gpt2(tiny_config(tokenizer.vocab_size(), 48), seed)};
  save_model(folder, model, tokenizer);
}

inline ApplicationOptions site_options(const std::filesystem::path& folder) {
  ApplicationOptions options{
      .model = folder / "model", .data = folder / "data", .runs = folder / "runs"};
  options.policies.load = [](const std::filesystem::path& path) {
    return load_language_model(path);
  };
  options.policies.engine.slots = 4;
  options.comparisons.max_tokens = 8;
  options.learning.folder = folder / "runs" / "learning";
  options.run_command = [](std::span<const std::string> arguments, Watch& watch) {
    return run_command(arguments, watch);
  };
  options.http.port = 0;
  options.http.rates = {{0, 0}, {0, 0}, {0, 0}};  // tests ask faster than people
  options.tell = [](const std::string&) {};
  return options;
}

class Site {
 public:
  explicit Site(const std::function<void(ApplicationOptions&)>& change = [](ApplicationOptions&) {
  }) {
    save_tiny_model(folder_ / "model", 1);
    ApplicationOptions options = site_options(folder_);
    change(options);
    app_ = std::make_unique<Application>(std::move(options));
    admin_token_ = operator_token(app_->store, folder_ / "data" / "admin.token", false);
  }

  /// Ends it and starts another one on its files.
  void restart() {
    ApplicationOptions options = app_->options;
    app_.reset();
    app_ = std::make_unique<Application>(std::move(options));
  }

  Application& app() { return *app_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  Client admin() { return {app_->server->port(), admin_token_}; }
  Client nobody() { return {app_->server->port()}; }
  Client annotator(const std::string& name) {
    const Answer added = admin().post("/api/people", {{"name", name}, {"role", "annotator"}});
    EXPECT_EQ(added.status, 201) << added.body;
    return {app_->server->port(), added.json()["token"]};
  }

  void add_prompts(const std::vector<std::string>& prompts) {
    std::string lines;
    for (const std::string& prompt : prompts) {
      lines += nlohmann::json{{"prompt", prompt}}.dump() + "\n";
    }
    const Answer added =
        admin().ask("POST", "/api/prompts", lines, "Content-Type: application/x-ndjson\r\n");
    EXPECT_EQ(added.status, 200) << added.body;
  }

  /// What somebody is to judge next; waits for answers that are being made.
  static nlohmann::json next(const Client& who) {
    for (int i = 0; i < 500; i++) {
      const nlohmann::json found =
          who.post("/api/comparisons/next", nlohmann::json::object()).json();
      if (found.contains("lease")) return found;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "no comparison within 5 seconds";
    return {};
  }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Application> app_;
  std::string admin_token_;
};

}  // namespace rlhf::serve
