// What a server does by itself: answers in spite of prompts and versions that nothing can be done
// with, copies of its database, decisions that the last process did not come to.
#include <gtest/gtest.h>

#include <mutex>

#include "serve/store/comparisons.h"
#include "serve/store/versions.h"
#include "serve/store/votes.h"
#include "serve/weights_digest.h"
#include "tests/serving_site.h"

namespace rlhf::serve {
namespace {

namespace fs = std::filesystem;

/// What the operator is told.
struct Told {
  void add(const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
  }
  int64_t count(const std::string& text) {
    const std::lock_guard lock(mutex);
    return std::count_if(lines.begin(), lines.end(),
                         [&](const std::string& line) { return line.find(text) != line.npos; });
  }
  std::mutex mutex;
  std::vector<std::string> lines;
};

template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 500 && !condition(); i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

std::vector<fs::path> copies_in(const fs::path& folder) {
  std::vector<fs::path> copies;
  if (!fs::exists(folder)) return copies;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".db") copies.push_back(entry.path());
  }
  return copies;
}

int64_t add_version(Site& site, const std::string& name, uint64_t seed) {
  save_tiny_model(site.folder() / name, seed);
  const fs::path path = site.folder() / name;
  return store::add_version(site.app().store, store::the_program,
                            {.parent = site.app().policies.promoted().version,
                             .path = path,
                             .digest = weights_digest(path),
                             .method = "dpo"});
}

TEST(Upkeep, PromptsThatThePolicyCannotReadHoldNothingUp) {
  Told told;
  Site site([&](ApplicationOptions& options) {
    options.tell = [&](const std::string& line) { told.add(line); };
  });
  std::vector<std::string> prompts;
  for (int i = 0; i < 20; i++) prompts.push_back(std::string(size_t(60 + i), 'a'));
  prompts.push_back("abc");
  site.add_prompts(prompts);
  EXPECT_EQ(Site::next(site.annotator("ann"))["prompt"]["text"], "abc");
  EXPECT_EQ(told.count("expected one that version 1 can read"), 20);
}

TEST(Upkeep, AVersionWithoutItsFilesHoldsNothingUp) {
  Told told;
  Site site([&](ApplicationOptions& options) {
    options.tell = [&](const std::string& line) { told.add(line); };
  });
  const int64_t lost = add_version(site, "lost", 2);
  fs::remove_all(site.folder() / "lost");
  site.add_prompts({"abc", "bad"});
  const Client ann = site.annotator("ann");
  for (const char* id : {"1", "2"}) {
    ann.post("/api/votes",
             {{"request_id", id}, {"lease", Site::next(ann)["lease"]}, {"choice", "tie"}});
  }
  EXPECT_EQ(told.count("version " + std::to_string(lost) + " is not compared"), 1);
}

TEST(Upkeep, ACandidateThatCannotAnswerHoldsNothingUp) {
  Told told;
  Site site([&](ApplicationOptions& options) {
    options.tell = [&](const std::string& line) { told.add(line); };
    const auto load = options.policies.load;
    options.policies.load = [load](const fs::path& path) {
      LoadedLanguageModel loaded = load(path);
      if (path.filename() == "nan") {
        Tensor& weight = loaded.model.transformer.wte.weight;
        std::fill_n(weight.data<float>(), weight.count(), std::nanf(""));
      }
      if (path.filename() == "large") throw std::bad_alloc();
      return loaded;
    };
  });
  const int64_t nan = add_version(site, "nan", 2), large = add_version(site, "large", 3);
  site.add_prompts({"abc", "bad"});
  const Client ann = site.annotator("ann");
  for (const char* id : {"1", "2"}) {
    ann.post("/api/votes",
             {{"request_id", id}, {"lease", Site::next(ann)["lease"]}, {"choice", "tie"}});
  }
  for (const int64_t version : {nan, large}) {
    EXPECT_EQ(told.count(fmt::format("version {} is not compared for 10 minutes", version)), 1);
  }
}

TEST(Upkeep, ACandidateIsComparedWhereBothCanRead) {
  Told told;
  Site site([&](ApplicationOptions& options) {
    options.tell = [&](const std::string& line) { told.add(line); };
    const auto load = options.policies.load;
    options.policies.load = [load](const fs::path& path) {
      LoadedLanguageModel loaded = load(path);
      if (path.filename() == "model") loaded.model.transformer.config.n_positions = 16;
      return loaded;
    };
  });
  site.add_prompts({std::string(20, 'a'), "abc"});
  EXPECT_EQ(Site::next(site.annotator("ann"))["prompt"]["text"], "abc");
  const int64_t reads_more = add_version(site, "more", 2);
  site.app().answers.wake();
  EXPECT_TRUE(soon([&] {
    return store::queue_counts(site.app().store, store::Purpose::promotion, reads_more).waiting > 0;
  }));
  EXPECT_EQ(told.count("expected one that version 1 can read"), 1);
  EXPECT_EQ(told.count("is not compared"), 0);
}

TEST(Upkeep, WhatOneHasSkippedDoesNotWaitForThem) {
  Site site([](ApplicationOptions& options) { options.comparisons.ahead = 2; });
  std::vector<std::string> prompts;
  for (int i = 0; i < 8; i++) prompts.push_back(std::string(size_t(i + 1), 'a'));
  site.add_prompts(prompts);
  const int64_t candidate = add_version(site, "candidate", 2);
  const Client ann = site.annotator("ann");
  for (int i = 0; i < 16; i++) {
    const nlohmann::json lease = Site::next(ann);
    ASSERT_TRUE(lease.contains("lease")) << "after " << i;
    ann.post("/api/votes",
             {{"request_id", std::to_string(i)}, {"lease", lease["lease"]}, {"choice", "skip"}});
  }
  EXPECT_EQ(store::queue_counts(site.app().store, store::Purpose::collect).waiting, 8);
  EXPECT_EQ(store::queue_counts(site.app().store, store::Purpose::promotion, candidate).waiting, 8);
}

TEST(Upkeep, ACopyIsMadeWhenTheNewestIsADayOld) {
  Site site([](ApplicationOptions& options) { options.backups_kept = 2; });
  const fs::path folder = site.folder() / "data" / "backups";
  ASSERT_TRUE(soon([&] { return copies_in(folder).size() == 1; }));
  std::ofstream(folder / "20200101-000000.db.tmp") << "a backup that was killed";
  site.restart();
  EXPECT_FALSE(fs::exists(folder / "20200101-000000.db.tmp"));
  site.app().background.stop();
  ASSERT_EQ(copies_in(folder).size(), 1u) << "it is new";
  const fs::path old = folder / "20200101-000000.db";
  fs::rename(copies_in(folder)[0], old);
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(25));
  site.restart();
  ASSERT_TRUE(soon([&] { return copies_in(folder).size() == 2; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // names are seconds
  EXPECT_EQ(site.admin().post("/api/backup", nlohmann::json::object()).status, 201);
  EXPECT_EQ(copies_in(folder).size(), 2u);
  EXPECT_FALSE(fs::exists(old)) << "two are kept";
}

TEST(Upkeep, VotesThatWereSavedBeforeAKillDecideAtTheNextStart) {
  Site site;
  store::Store& db = site.app().store;
  site.app().answers.stop();
  site.app().background.stop();  // nobody weighs the votes
  const int64_t serving = site.app().policies.promoted().version;
  const int64_t candidate = add_version(site, "better", 2);
  const int64_t person = store::find_person(db, "admin")->id;
  for (int i = 0; i < 8; i++) {
    store::import_prompts(db, store::the_program,
                          nlohmann::json{{"prompt", std::string(size_t(i + 1), 'a')}}.dump(), "");
    const int64_t comparison = store::add_comparison(
        db, {.prompt = store::list_prompts(db, i, 1).at(0).id,
             .purpose = store::Purpose::promotion,
             .candidate = candidate,
             .wanted_votes = 1,
             .answers = {{.text = "a", .version = serving}, {.text = "b", .version = candidate}}});
    const store::Lease lease = *store::lease_next(db, person, 1);
    ASSERT_EQ(lease.comparison.id, comparison);
    store::cast_vote(db, person,
                     {.request_id = std::to_string(i),
                      .lease = lease.id,
                      .place = lease.at(0).version == candidate ? 0 : 1});
  }
  EXPECT_EQ(site.app().policies.promoted().version, serving);
  site.restart();
  EXPECT_TRUE(soon([&] { return site.app().policies.promoted().version == candidate; }));
}

}  // namespace
}  // namespace rlhf::serve
