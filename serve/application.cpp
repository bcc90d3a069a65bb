#include "serve/application.h"

#include "core/check.h"
#include "rl/hierarchical_folder.h"
#include "serve/accounts.h"
#include "serve/engine_metrics.h"
#include "serve/promotion.h"
#include "serve/routes/routes.h"
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
      backups(options.data / "backups", options.backups_kept),
      runs(created(options.runs)),
      answers(store, policies, options.comparisons, options.tell),
      learner(
          store, options.learning, options.run_command,
          [this](int64_t version) {
            options.tell(fmt::format("version {} is a candidate now", version));
            answers.wake();
          },
          options.tell),
      background([this](const std::string& what) { options.tell(what); }) {
  collect_engine_metrics(registry, policies);
  background.every(2s, [this] { learner.consider(); });
  // Votes that the last process saved and did not come to weigh.
  background.post([this] { decide(); });
  background.post([this] { keep_house(); });
  background.every(1h, [this] { keep_house(); });
  learner.go_on();
  server.emplace(options.http, all_routes(*this), authenticate_by(store), log, registry);
}

Application::~Application() { stop(0ms); }

void Application::stop(std::chrono::milliseconds drain) {
  answers.end();
  learner.end();
  if (server) server->stop(drain);
  policies.drain(0ms);
  answers.stop();
  learner.stop();
  background.stop();
}

void Application::versions_changed() {
  policies.follow();
  answers.wake();
}

void Application::decide() {
  for (const store::ModelVersion& version : store::versions(store)) {
    if (version.state == store::VersionState::candidate) decide(version.id);
  }
}

void Application::decide(int64_t candidate) {
  const int64_t over = policies.promoted().version;
  const store::CandidateResult votes = store::candidate_result(store, candidate);
  const Duel duel{votes.wins, votes.losses, votes.ties};
  const Verdict what = verdict(duel);
  if (what == Verdict::undecided) return;
  const std::string reason =
      fmt::format("votes: {} for it, {} against, {} ties", duel.wins, duel.losses, duel.ties);
  try {
    if (what == Verdict::better) {
      policies.version(candidate);  // what cannot be loaded must not be promoted
      store::promote(store, store::the_program, candidate, reason, over);
    } else {
      store::reject(store, store::the_program, candidate, reason, over);
    }
  } catch (const store::Conflict&) {  // somebody has decided meanwhile
    return policies.follow();
  }
  options.tell(fmt::format("version {} was {} by {}", candidate,
                           what == Verdict::better ? "promoted" : "rejected", reason));
  versions_changed();
}

void Application::keep_house() {
  store::apply_retention(store, store::the_program, options.retention);
  if (backups.due()) backups.make(store, store::the_program);
}

}  // namespace rlhf::serve
