// Versions in memory as they come and go under those who use them.
#include "serve/policies.h"

#include <gtest/gtest.h>

#include <future>

#include "serve/http/error.h"
#include "serve/weights_digest.h"
#include "tests/serving_site.h"
#include "tests/store_helpers.h"

namespace rlhf::serve {
namespace {

using namespace std::chrono_literals;

class PoliciesTest : public store::StoreTest {
 protected:
  PoliciesTest() {
    add("a", 1);
    add("b", 2);
    store::promote(store(), store::the_program, 1, "");
    PolicyOptions options{
        .load = [](const std::filesystem::path& path) { return load_language_model(path); }};
    options.engine.slots = 2;
    policies_.emplace(store(), options);
  }

  void add(const std::string& name, uint64_t seed) {
    save_tiny_model(folder / name, seed);
    store::add_version(store(), store::the_program,
                       {.path = (folder / name).string(),
                        .digest = weights_digest(folder / name),
                        .method = "import"});
  }
  void promote(int64_t id) {
    store::promote(store(), store::the_program, id, "");
    policies_->follow();
  }
  Policies& policies() { return *policies_; }

 private:
  std::optional<Policies> policies_;
};

/// Answers for as long as the context has room.
struct Patient : engine::Listener {
  bool on_token(const engine::TokenOut&) override { return true; }
  void on_finish(const engine::Finish& finish) override { ended.set_value(finish.reason); }
  std::promise<engine::FinishReason> ended;
};

TEST_F(PoliciesTest, OneServesAtAnyTimeWhoeverDecides) {
  std::atomic<bool> over = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; i++) {
    threads.emplace_back([&] {  // somebody rejects another version
      while (!over) policies().follow();
    });
  }
  threads.emplace_back([&] {
    while (!over) {
      const Policy policy = policies().promoted();
      EXPECT_TRUE(policy.engine && policy.model);
    }
  });
  for (int i = 0; i < 60; i++) promote(i % 2 == 0 ? 2 : 1);
  over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(policies().promoted().version, 1);
}

TEST_F(PoliciesTest, AVersionThatGoesGivesItsAnswersAndIsDrainedWithTheOthers) {
  const Policy old = policies().promoted();
  engine::Job job{.prompt = {1}};
  job.sampling.max_new_tokens = old.engine->capacity() - 1;
  std::vector<std::shared_ptr<Patient>> listeners;
  for (int i = 0; i < 60; i++) {
    listeners.push_back(std::make_shared<Patient>());
    job.client = std::to_string(i);
    old.engine->submit(job, listeners.back());
  }
  promote(2);
  EXPECT_EQ(policies().named({}, "rlhf").version, 2);
  EXPECT_GT(old.engine->stats().running + old.engine->stats().waiting, 0);
  policies().drain(0ms);
  EXPECT_EQ(old.engine->stats().running + old.engine->stats().waiting, 0);
  for (const auto& listener : listeners) {
    EXPECT_EQ(listener->ended.get_future().wait_for(0s), std::future_status::ready);
  }
}

TEST_F(PoliciesTest, CandidatesAnswerAdminsAlone) {
  policies().version(2);
  const auto names = [&](http::UserRole role) {
    std::vector<std::string> found;
    for (const Policy& policy : policies().by_name({.role = role})) found.push_back(policy.name);
    return found;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names(http::UserRole::admin), (Names{"rlhf", "rlhf-v1", "rlhf-v2"}));
  EXPECT_EQ(names(http::UserRole::annotator), (Names{"rlhf", "rlhf-v1"}));
  const http::Caller ann{.role = http::UserRole::annotator};
  EXPECT_EQ(policies().named(ann, "").version, 1);
  EXPECT_EQ(policies().named(ann, "rlhf-v1").version, 1);
  EXPECT_EQ(policies().named({.role = http::UserRole::admin}, "rlhf-v2").version, 2);
  EXPECT_THROW(policies().named(ann, "rlhf-v2"), http::HttpError);
  EXPECT_THROW(policies().named({.role = http::UserRole::admin}, "rlhf-v3"), http::HttpError);
}

TEST_F(PoliciesTest, AVersionThatHasGoneFreesItsMemory) {
  const std::weak_ptr<engine::Engine> old = policies().promoted().engine;
  promote(2);
  for (int i = 0; i < 500 && !old.expired(); i++) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(old.expired());
}

}  // namespace
}  // namespace rlhf::serve
