// Versions of the model, decisions about them, and learnings.
#include "serve/store/versions.h"

#include "serve/store/learnings.h"
#include "serve/store/privacy.h"
#include "serve/store/settings.h"
#include "serve/store/statistics.h"
#include "tests/store_helpers.h"

namespace rlhf::store {
namespace {

using Versions = StoreTest;

TEST_F(Versions, PromotingRetiresTheOneBeforeAndCanBeRolledBack) {
  const int64_t root = person("root", Role::admin);
  const int64_t first = add_version(
      store(), root,
      {.path = "runs/sft", .digest = "d1", .method = "import", .metrics = {{"loss", 1.5}}});
  EXPECT_FALSE(promoted_version(store()));
  promote(store(), root, first, "the start");
  const int64_t next = add_version(
      store(), root, {.parent = first, .path = "runs/dpo", .digest = "d2", .method = "dpo"});
  EXPECT_EQ(promoted_version(store())->id, first);
  promote(store(), the_program, next, "won 60 of 80");
  EXPECT_EQ(promoted_version(store())->path, "runs/dpo");
  EXPECT_EQ(find_version(store(), first)->state, VersionState::retired);
  EXPECT_EQ(find_version(store(), first)->metrics.at("loss"), 1.5);
  EXPECT_EQ(find_version_of_digest(store(), "d2")->id, next);
  EXPECT_FALSE(find_version_of_digest(store(), "d3"));
  EXPECT_THROW(promote(store(), root, next, ""), Conflict);
  promote(store(), root, first, "people complained");

  const auto made = decisions(store());
  ASSERT_EQ(made.size(), 3u);
  EXPECT_EQ(made[0].what, "roll_back");
  EXPECT_EQ(made[0].previous, next);
  EXPECT_EQ(made[0].by_name, "root");
  EXPECT_EQ(made[1].by, the_program);
  EXPECT_EQ(made[1].reason, "won 60 of 80");
  EXPECT_FALSE(made[2].previous);
  EXPECT_EQ(versions(store()).size(), 2u);
}

TEST_F(Versions, ADecisionEndsTheCandidatesComparisons) {
  const int64_t anna = person("anna"), serving = version(), candidate = version();
  promote(store(), the_program, serving, "the start");
  for (const char* text : {"p", "q"}) {
    add_comparison(store(), {.prompt = prompt(text),
                             .purpose = Purpose::promotion,
                             .candidate = candidate,
                             .wanted_votes = 1,
                             .answers = {{.text = "a", .version = serving},
                                         {.text = "b", .version = candidate}}});
  }
  prefer(anna, 0);
  reject(store(), the_program, candidate, "lost");
  EXPECT_FALSE(lease_next(store(), anna));
  EXPECT_EQ(candidate_result(store(), candidate).losses, 1);
  EXPECT_EQ(candidate_result(store(), candidate).wanted, 1);
  EXPECT_THROW(reject(store(), the_program, candidate, ""), Conflict);
  EXPECT_THROW(reject(store(), the_program, 99, ""), NotFound);
  promote(store(), the_program, candidate, "by hand after all");
  EXPECT_EQ(decisions(store(), 1).at(0).what, "promote");
}

TEST_F(Versions, VotesDecideOnACandidateAgainstTheVersionThatServesOnly) {
  const int64_t first = version(), second = version(), candidate = version();
  promote(store(), the_program, first, "");
  promote(store(), the_program, second, "");
  EXPECT_THROW(promote(store(), the_program, candidate, "won", first), Conflict);
  EXPECT_THROW(reject(store(), the_program, candidate, "lost", first), Conflict);
  EXPECT_EQ(find_version(store(), candidate)->state, VersionState::candidate);
  reject(store(), the_program, candidate, "by hand");
  EXPECT_THROW(promote(store(), the_program, candidate, "won", second), Conflict);
  EXPECT_EQ(promoted_version(store())->id, second);
  const int64_t other = version();
  promote(store(), the_program, other, "won", second);
  EXPECT_EQ(promoted_version(store())->id, other);
  const int64_t worse = version();
  reject(store(), the_program, worse, "lost", other);
  EXPECT_EQ(find_version(store(), worse)->state, VersionState::rejected);
}

TEST_F(Versions, APromotionBeginsTheDuelsOfOtherCandidatesAnew) {
  const int64_t anna = person("anna"), first = version(), better = version(), other = version();
  promote(store(), the_program, first, "the start");
  const auto compare = [&](const char* text, int64_t serving) {
    add_comparison(
        store(), {.prompt = prompt(text),
                  .purpose = Purpose::promotion,
                  .candidate = other,
                  .wanted_votes = 1,
                  .answers = {{.text = "a", .version = serving}, {.text = "b", .version = other}}});
  };
  compare("p", first);
  compare("q", first);
  compare("r", first);
  prefer(anna, 1);
  ASSERT_EQ(candidate_result(store(), other).wins, 1);
  const Lease open = *lease_next(store(), anna);

  promote(store(), the_program, better, "by hand");
  EXPECT_EQ(candidate_result(store(), other).votes(), 0) << "those were against another version";
  EXPECT_EQ(queue_counts(store(), Purpose::promotion, other).done, 0);
  EXPECT_EQ(prompts_without_comparison(store(), {.candidate = other, .limit = 9}).size(), 3u);
  cast_vote(store(), anna, {.request_id = "late", .lease = open.id, .choice = Choice::tie});
  EXPECT_EQ(candidate_result(store(), other).votes(), 0);
  EXPECT_EQ(votes_after(store(), 0), 2) << "but they are votes";
  EXPECT_FALSE(lease_next(store(), anna));

  compare("p", better);
  prefer(anna, 0);
  EXPECT_EQ(candidate_result(store(), other).losses, 1);
  EXPECT_EQ(candidate_result(store(), other).wanted, 1);
}

TEST_F(Versions, WhatADecisionEndedStaysEndedWhenItsVotesGo) {
  const int64_t anna = person("anna"), ben = person("ben"), cleo = person("cleo");
  const int64_t serving = version(), candidate = version();
  promote(store(), the_program, serving, "the start");
  for (const char* text : {"p", "q"}) {
    add_comparison(store(), {.prompt = prompt(text),
                             .purpose = Purpose::promotion,
                             .candidate = candidate,
                             .wanted_votes = 1,
                             .answers = {{.text = "a", .version = serving},
                                         {.text = "b", .version = candidate}}});
  }
  prefer(anna, 0);
  prefer(ben, 0);
  reject(store(), the_program, candidate, "lost");
  EXPECT_EQ(queue_counts(store(), Purpose::promotion, candidate).done, 2);
  EXPECT_EQ(candidate_result(store(), candidate).losses, 2);
  EXPECT_EQ(candidate_result(store(), candidate).wanted, 2);
  undo_vote(store(), anna, "undo");
  erase_person(store(), the_program, ben, ErasedVotes::remove);
  EXPECT_FALSE(lease_next(store(), cleo));
  EXPECT_EQ(waiting_for(store(), cleo), 0);
  EXPECT_EQ(candidate_result(store(), candidate).wanted, 0);
  EXPECT_EQ(queue_counts(store(), Purpose::promotion, candidate).done, 0);
}

TEST_F(Versions, AnswersThatADecisionOvertookAreNotCompared) {
  const int64_t first = version(), second = version(), candidate = version();
  const auto compare = [&](int64_t serving) {
    return add_comparison(store(), {.prompt = prompt("p"),
                                    .purpose = Purpose::promotion,
                                    .candidate = candidate,
                                    .answers = {{.text = "a", .version = candidate},
                                                {.text = "b", .version = serving}}});
  };
  EXPECT_THROW(compare(first), Conflict) << "none serves";
  promote(store(), the_program, first, "the start");
  compare(first);
  promote(store(), the_program, second, "by hand");
  EXPECT_THROW(compare(first), Conflict);
  compare(second);
  reject(store(), the_program, candidate, "by hand");
  EXPECT_THROW(compare(second), Conflict);
  EXPECT_EQ(candidate_result(store(), candidate).votes(), 0);
  EXPECT_EQ(queue_counts(store(), Purpose::promotion).waiting, 0);
}

TEST_F(Versions, OneLearningAtATimeAndItOutlivesTheProcess) {
  const int64_t anna = person("anna"), base = version();
  comparison(prompt("p"), {"a", "b"});
  const int64_t vote = prefer(anna, 0);
  EXPECT_EQ(new_votes(store()), 1);
  const NewLearning learning{.method = "dpo", .votes_until = vote, .base_version = base};
  const int64_t first = start_learning(store(), anna, learning);
  EXPECT_THROW(start_learning(store(), anna, learning), Conflict);
  update_learning(store(), first, "runs/l1", {{"pairs", 1}});
  EXPECT_EQ(running_learning(store())->run, "runs/l1");
  open();
  EXPECT_EQ(running_learning(store())->figures.at("pairs"), 1) << "whoever opens it goes on";
  end_learning(store(), first, {.state = LearningState::failed, .error = "why"});
  EXPECT_FALSE(running_learning(store()));
  const Learning failed = learnings(store()).at(0);
  EXPECT_EQ(failed.state, LearningState::failed);
  EXPECT_EQ(failed.error, "why");
  EXPECT_EQ(failed.figures.at("pairs"), 1);
  EXPECT_EQ(new_votes(store()), 1) << "a failed one has learnt nothing";

  const int64_t next = start_learning(store(), anna, learning);
  const int64_t result = version();
  end_learning(store(), next, {.result_version = result, .figures = {{"accuracy", 0.7}}});
  EXPECT_THROW(end_learning(store(), next, {}), Conflict);
  EXPECT_EQ(last_learning(store())->result_version, result);
  EXPECT_EQ(last_learning(store())->figures.at("accuracy"), 0.7);
  EXPECT_EQ(new_votes(store()), 0);
  EXPECT_THROW(start_learning(store(), anna, {.method = "dpo", .base_version = 99}), NotFound);
}

TEST_F(Versions, SettingsSurvive) {
  EXPECT_FALSE(setting(store(), "guidelines"));
  set_setting(store(), the_program, "guidelines", "be kind");
  set_setting(store(), the_program, "learning", {{"method", "dpo"}});
  set_setting(store(), the_program, "guidelines", "be honest");
  open();
  EXPECT_EQ(setting(store(), "guidelines"), "be honest");
  EXPECT_EQ(setting(store(), "learning")->at("method"), "dpo");
  EXPECT_FALSE(setting(store(), "secret_seed")) << "what the store keeps for itself";
}

}  // namespace
}  // namespace rlhf::store
