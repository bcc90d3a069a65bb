// A database in a folder that goes when the test does, with a clock that the test sets, and what
// most tests of the store begin with.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "serve/store/comparisons.h"
#include "serve/store/people.h"
#include "serve/store/prompts.h"
#include "serve/store/store.h"
#include "serve/store/versions.h"
#include "serve/store/votes.h"
#include "tests/files.h"
#include "tests/message_of.h"

namespace rlhf::store {

inline constexpr int64_t second = 1'000'000;

class StoreTest : public testing::Test {
 protected:
  StoreTest() { open(); }

  void open() {
    options.clock = [this] { return time; };
    options.seed = 7;
    store_.reset();
    store_ = std::make_unique<Store>(file(), options);
  }
  std::filesystem::path file() const { return folder / "votes.db"; }
  Store& store() { return *store_; }

  int64_t person(const std::string& name, Role role = Role::annotator) {
    return add_person(store(), the_program, name, role);
  }
  int64_t version() { return add_version(store(), the_program, {.path = "runs/a", .method = "m"}); }
  int64_t prompt(const std::string& text) {
    add_prompts(store(), the_program, {{.text = text}});
    return list_prompts(store(), 0, 10'000).back().id;
  }

  /// A comparison of texts, all by one version, that so many people judge.
  int64_t comparison(int64_t of_prompt, const std::vector<std::string>& texts, int wanted = 1) {
    if (version_ == 0) version_ = version();
    NewComparison fresh{.prompt = of_prompt, .wanted_votes = wanted};
    for (const auto& text : texts) fresh.answers.push_back({.text = text, .version = version_});
    return add_comparison(store(), fresh);
  }

  /// Where a lease shows a slot.
  static int place_of(const Lease& lease, int slot) {
    for (size_t place = 0; place < lease.order.size(); place++) {
      if (lease.order[place] == slot) return int(place);
    }
    return -1;
  }

  std::string request() { return "r" + std::to_string(++requests_); }

  /// The person's next comparison is judged: the answer of a slot is the better one.
  int64_t prefer(int64_t by, int slot, std::optional<int> strength = {}) {
    const Lease lease = lease_next(store(), by).value();
    return cast_vote(store(), by,
                     {.request_id = request(),
                      .lease = lease.id,
                      .place = place_of(lease, slot),
                      .strength = strength,
                      .milliseconds = 2000})
        .id;
  }
  int64_t choose(int64_t by, Choice choice) {
    return cast_vote(store(), by,
                     {.request_id = request(),
                      .lease = lease_next(store(), by).value().id,
                      .choice = choice,
                      .milliseconds = 1000})
        .id;
  }

  TemporaryFolder folder;
  int64_t time = int64_t{1'800'000'000} * second;
  StoreOptions options;

 private:
  int64_t version_ = 0;
  int requests_ = 0;
  std::unique_ptr<Store> store_;
};

}  // namespace rlhf::store
