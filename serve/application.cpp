#include "serve/application.h"

#include <algorithm>
#include <ctime>
#include <vector>

#include "core/check.h"
#include "rl/hierarchical_folder.h"
#include "serve/accounts.h"
#include "serve/engine_metrics.h"
#include "serve/promotion.h"
#include "serve/routes/routes.h"
#include "serve/store/maintenance.h"
#include "serve/weights_digest.h"

namespace rlhf::serve {
namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

const fs::path& created(const fs::path& folder) {
  fs::create_directories(folder);
  return folder;
}

/// Before anything is written: what the folder holds can serve.
ApplicationOptions checked(ApplicationOptions options) {
  if (is_hierarchical_folder(options.model)) {
    input_error(options.model.string(), "expected a model of one level, got a hierarchical policy");
  }
  if (is_scalar_model(options.model)) {
    input_error(options.model.string(), "expected a language model, got a reward model");
  }
  return options;
}

/// A model that the database does not know becomes a version and serves from now on: somebody has
/// named it. One that it knows changes nothing, so that a restart goes on with what was learnt.
store::Store& with_model(store::Store& store, const fs::path& folder) {
  const std::string digest = weights_digest(folder);
  if (store::find_version_of_digest(store, digest) && store::promoted_version(store)) return store;
  const int64_t version =
      store::add_version(store, store::the_program,
                         {.path = fs::absolute(folder).lexically_normal().string(),
                          .digest = digest,
                          .method = "import",
                          .metrics = nlohmann::json::object()});
  store::promote(store, store::the_program, version, "named at the start");
  return store;
}

}  // namespace

Application::Application(ApplicationOptions given)
    : options(checked(std::move(given))),
      store(created(options.data) / "feedback.db", options.store),
      log(options.data / "access.jsonl"),
      policies(with_model(store, options.model), options.policies),
      runs(created(options.runs)),
      answers(store, policies, options.comparisons, options.tell),
      learner(store, options.learning, options.run_command,
              [this](int64_t version) {
                options.tell(fmt::format("version {} is a candidate now", version));
                answers.wake();
              }),
      background([this](const std::string& what) { options.tell(what); }) {
  collect_engine_metrics(registry, policies);
  background.every(2s, [this] { learner.consider(); });
  background.every(24h, [this] {
    store::apply_retention(store, store::the_program, options.retention);
    if (options.backups_kept > 0) back_up(store::the_program);
  });
  learner.go_on();
  server.emplace(options.http, all_routes(*this), authenticate_by(store), log, registry);
}

Application::~Application() { stop(0ms); }

void Application::stop(std::chrono::milliseconds drain) {
  answers.stop();
  learner.stop();
  if (server) server->stop(drain);
  policies.drain(0ms);
  background.stop();
}

void Application::versions_changed() {
  policies.follow();
  answers.wake();
}

void Application::decide(int64_t candidate) {
  const auto version = store::find_version(store, candidate);
  if (!version || version->state != store::VersionState::candidate) return;
  const store::CandidateResult votes = store::candidate_result(store, candidate);
  const Duel duel{votes.wins, votes.losses, votes.ties};
  const Verdict what = verdict(duel);
  if (what == Verdict::undecided) return;
  const std::string reason =
      fmt::format("votes: {} for it, {} against, {} ties", duel.wins, duel.losses, duel.ties);
  if (what == Verdict::better) {
    store::promote(store, store::the_program, candidate, reason);
  } else {
    store::reject(store, store::the_program, candidate, reason);
  }
  options.tell(fmt::format("version {} was {} by {}", candidate,
                           what == Verdict::better ? "promoted" : "rejected", reason));
  versions_changed();
}

fs::path Application::back_up(int64_t by) {
  const fs::path folder = created(options.data / "backups");
  const std::time_t now = store.now() / 1'000'000;
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char name[32];
  std::strftime(name, sizeof name, "%Y%m%d-%H%M%S.db", &utc);
  store::backup(store, by, folder / name);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".db") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());  // names are times
  const size_t kept = size_t(std::max(1, options.backups_kept));
  for (size_t i = 0; options.backups_kept > 0 && i + kept < files.size(); i++) fs::remove(files[i]);
  return folder / name;
}

}  // namespace rlhf::serve
