// From votes to a better policy: what people preferred becomes files, the commands of a plan run on
// them in a thread of their own, and what comes out becomes a candidate. Nothing is promoted here.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include "apps/watch.h"
#include "serve/learning_plan.h"
#include "serve/store/learnings.h"
#include "serve/store/versions.h"

namespace rlhf::serve {

struct LearnerOptions {
  std::filesystem::path folder;  ///< each learning has "learning-<id>" in it
  LearningSettings settings = {};
  double held_out = 0.1;     ///< share of prompts that nothing learns from
  int64_t least_votes = 20;  ///< new ones, before learning makes sense
  bool automatic = false;    ///< learn whenever there are so many
  int threads = 1;           ///< of the CPU; answering has the others
  uint64_t seed = 1;
};

/// What people may change while the server runs; kept in the database.
struct LearningChoices {
  LearningMethod method = LearningMethod::dpo;
  bool automatic = false;
  int64_t least_votes = 20;
};

/// How far it is.
struct LearningProgress {
  int64_t id = 0;
  std::string method, stage;  ///< "ppo", "reward"
  std::filesystem::path output;
  int64_t done = 0, total = 0;  ///< steps of the stage
  double eta_seconds = 0;       ///< of the stage; 0: not known
  Metrics metrics;
};

/// Safe to call from several threads.
class Learner {
 public:
  /// Runs a command as `rlhf <arguments>` does (apps/cli.h).
  using RunCommand = std::function<int(std::span<const std::string> arguments, Watch& watch)>;
  /// Called on the learning's thread when a candidate is there.
  using OnCandidate = std::function<void(int64_t version)>;
  /// Hears what could not be written into the database.
  using Complain = std::function<void(const std::string& line)>;

  Learner(store::Store& store, LearnerOptions options, RunCommand run_command,
          OnCandidate on_candidate, Complain complain);
  /// stop()
  ~Learner();

  /// Begins to learn from the promoted version and all votes so far. @returns the learning's id.
  /// @throws store::Conflict when one is running or the server stops; InputError when there are too
  /// few votes.
  int64_t start(int64_t by, std::optional<LearningMethod> method = std::nullopt);
  /// Goes on with the one that ran when the process before this one ended: with what it has
  /// written, and the stage that was cut off from its newest checkpoint, so that the result has the
  /// same bits. One during which processes died five times in a row has failed.
  void go_on();
  /// @throws store::Conflict when none is running.
  void cancel();
  /// Begins if it is to be automatic and there are votes enough.
  void consider();

  std::optional<LearningProgress> progress() const;
  LearningChoices choices() const;
  /// @throws InputError for values out of range.
  void choose(int64_t by, const LearningChoices& choices);

  /// Lets what runs save where it is; from now on nothing begins.
  void end();
  /// end(), and waits for it: the next process goes on with it.
  void stop();

 private:
  void begin(store::Learning learning);
  void learn(store::Learning learning);
  void conclude(int64_t id, const store::LearningEnd& end);
  void save_end();
  int64_t make_candidate(store::Learning& learning);
  LearningFiles files_of(const store::Learning& learning) const;
  void write_files(const LearningFiles& files, store::Learning& learning) const;
  void run_stage(const LearningStage& stage, bool goes_on, nlohmann::json& figures);
  int64_t add_candidate(const store::Learning& learning, const std::filesystem::path& folder) const;

  store::Store& store_;
  const LearnerOptions options_;
  const RunCommand run_command_;
  const OnCandidate on_candidate_;
  const Complain complain_;
  mutable std::mutex mutex_;  // of what follows
  LearningChoices choices_;
  std::optional<LearningProgress> progress_;
  /// How the last one ended, where the database had no room for that.
  std::optional<std::pair<int64_t, store::LearningEnd>> unsaved_;
  Watch watch_;
  std::atomic<bool> cancelled_ = false, ending_ = false;
  std::thread thread_;
};

}  // namespace rlhf::serve
