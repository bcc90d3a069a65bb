// All that a server is made of, in the order in which it is built up; it comes down in reverse.
#pragma once

#include <filesystem>
#include <optional>

#include "serve/answer_maker.h"
#include "serve/background.h"
#include "serve/backups.h"
#include "serve/http/server.h"
#include "serve/learner.h"
#include "serve/policies.h"
#include "serve/recent.h"
#include "serve/runs_folder.h"
#include "serve/store/privacy.h"
#include "serve/store/statistics.h"
#include "serve/store/store.h"

namespace rlhf::serve {

struct ApplicationOptions {
  std::filesystem::path model;  ///< what serves, unless the database knows something newer
  std::filesystem::path data;   ///< database, log, token, backups
  std::filesystem::path runs;   ///< what the Runs page shows, and where learnings go
  PolicyOptions policies;
  ComparisonSettings comparisons;
  LearnerOptions learning;
  Learner::RunCommand run_command;
  store::StoreOptions store;
  store::RetentionOptions retention;
  int backups_kept = 0;  ///< daily copies of the database; 0: none
  http::Options http;
  /// What the operator should know; must not throw.
  std::function<void(const std::string& line)> tell;
};

struct Application {
  /// Loads everything and listens. @throws InputError for what is wrong with any of it.
  explicit Application(ApplicationOptions options);
  ~Application();

  /// Takes no more requests, finishes what is under way within that time, saves, and ends.
  void stop(std::chrono::milliseconds drain);

  /// A promotion or rejection has happened, or might have to: memory follows the database.
  void versions_changed();
  /// Promotes or rejects each candidate about which the votes have decided.
  void decide();

  const ApplicationOptions options;
  store::Store store;
  http::Registry registry;
  http::AccessLog log;
  Policies policies;
  const Backups backups;
  RunsFolder runs;
  Recent<store::Statistics> statistics{20};  ///< reads all votes
  AnswerMaker answers;
  Learner learner;
  Background background;  ///< behind all that its tasks use
  std::optional<http::Server> server;

 private:
  void decide(int64_t candidate);
  void keep_house();
};

}  // namespace rlhf::serve
