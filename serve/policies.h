// The versions of the policy that are in memory, each behind an engine of its own: the promoted
// one, which answers, and candidates that are being compared with it. The database says which is
// which; here is what follows from it.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serve/openai/routes.h"
#include "serve/store/versions.h"

namespace rlhf::serve {

using Policy = openai::Served;

struct PolicyOptions {
  std::string name = "rlhf";  ///< version 3 is also known as "rlhf-v3"
  engine::Options engine = {};
  /// How a model folder becomes a model: where it lives, in how many bits.
  std::function<LoadedLanguageModel(const std::filesystem::path& folder)> load;
  std::chrono::milliseconds drain{30'000};  ///< for the answers of a version that goes
};

/// Safe to call from several threads.
class Policies {
 public:
  /// Loads the promoted version. @throws InputError when there is none, or its files are not what
  /// they were.
  Policies(store::Store& store, PolicyOptions options);
  ~Policies();

  Policy promoted() const;
  /// Loads it if it is not there. @throws store::NotFound, or as above.
  Policy version(int64_t id);
  /// By "rlhf" (the promoted one), "rlhf-v3", or no name. @throws http::HttpError 404.
  Policy named(const http::Caller& caller, const std::string& name) const;
  std::vector<Policy> loaded() const;
  /// Under all names that `named` knows: the promoted one as "rlhf" first, then each as "rlhf-v3".
  /// Candidates are for admins alone: who compares them blind is not to ask them.
  std::vector<Policy> by_name(const http::Caller& caller) const;

  /// Brings memory in line with the database after a promotion or a rejection: the promoted version
  /// serves from now on, and what is neither that nor a candidate goes when its answers are given.
  void follow();

  /// Lets all answers that are under way come to their end, those of versions that go included.
  void drain(std::chrono::milliseconds at_most);

  std::string name_of_version(int64_t id) const;

 private:
  /// A version that goes: it ends when its answers are given.
  struct Retiring {
    Retiring(Policy policy, std::chrono::milliseconds drain);

    std::weak_ptr<engine::Engine> engine;
    std::atomic<bool> gone = false;
    std::jthread thread;  ///< behind what it uses
  };
  Policy load(const store::ModelVersion& version) const;
  Policy loaded(const store::ModelVersion& version);

  store::Store& store_;
  const PolicyOptions options_;
  std::mutex loading_;        // one at a time: a model is large, and the newest decision is to win
  mutable std::mutex mutex_;  // of what is below
  std::map<int64_t, Policy> loaded_;
  int64_t promoted_ = 0;
  std::list<Retiring> retiring_;
};

}  // namespace rlhf::serve
