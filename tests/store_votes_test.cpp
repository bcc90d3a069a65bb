// Leases and votes: who is shown what, once, and what a vote that was acknowledged means.
#include "serve/store/votes.h"

#include <set>
#include <thread>

#include "serve/store/maintenance.h"
#include "serve/store/sqlite.h"
#include "tests/store_helpers.h"

namespace rlhf::store {
namespace {

using Votes = StoreTest;

TEST_F(Votes, AVoteIsKeptAcrossAReopening) {
  const int64_t anna = person("anna");
  comparison(prompt("p"), {"a", "b"});
  const int64_t vote = prefer(anna, 1);
  open();
  EXPECT_EQ(last_vote(store()), vote);
  EXPECT_EQ(votes_after(store(), 0), 1);
  EXPECT_EQ(votes_after(store(), vote), 0);
  EXPECT_FALSE(lease_next(store(), anna));
  EXPECT_EQ(queue_counts(store()).done, 1);
}

TEST_F(Votes, ALeaseKeepsItsOrderAndKeepsOthersAway) {
  const int64_t anna = person("anna"), ben = person("ben");
  comparison(prompt("p"), {"a", "b", "c", "d", "e"});
  const Lease first = lease_next(store(), anna).value();
  EXPECT_EQ(first.order.size(), 5u);
  EXPECT_EQ(std::set<int>(first.order.begin(), first.order.end()), std::set<int>({0, 1, 2, 3, 4}));
  EXPECT_EQ(first.until, time + lease_time);
  EXPECT_FALSE(lease_next(store(), ben));
  time += 60 * second;
  const Lease again = lease_next(store(), anna).value();
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(again.order, first.order);
  EXPECT_EQ(again.until, time + lease_time);
  EXPECT_EQ(find_lease(store(), anna, first.id).order, first.order);
  EXPECT_THROW(find_lease(store(), ben, first.id), NotFound);
  EXPECT_EQ(queue_counts(store()).leased, 1);
  EXPECT_EQ(waiting_for(store(), anna), 1);
  EXPECT_EQ(waiting_for(store(), ben), 0);

  time += lease_time;
  const Lease next = lease_next(store(), ben).value();
  EXPECT_EQ(next.comparison.id, first.comparison.id);
  EXPECT_NE(next.id, first.id);
  EXPECT_FALSE(lease_next(store(), anna));
}

TEST_F(Votes, OrdersAreDrawnForEachViewAndBalanced) {
  const int64_t anna = person("anna");
  const int64_t of = prompt("p");
  int64_t swapped = 0;
  for (int i = 0; i < 150; i++) {
    comparison(of, {"a", "b"});
    const Lease lease = lease_next(store(), anna).value();
    swapped += lease.order[0] == 1;
    cast_vote(store(), anna, {.request_id = request(), .lease = lease.id, .choice = Choice::skip});
  }
  EXPECT_NEAR(double(swapped), 75, 25);  // four standard deviations
}

TEST_F(Votes, ARequestSentTwiceIsOneVote) {
  const int64_t anna = person("anna"), ben = person("ben");
  comparison(prompt("p"), {"a", "b"}, 2);
  const Lease lease = lease_next(store(), anna).value();
  Vote vote{.request_id = "one", .lease = lease.id, .place = 0};
  const CastVote first = cast_vote(store(), anna, vote), second = cast_vote(store(), anna, vote);
  EXPECT_FALSE(first.repeated);
  EXPECT_TRUE(second.repeated);
  EXPECT_EQ(first.id, second.id);
  EXPECT_EQ(votes_after(store(), 0), 1);
  vote.place = 1;
  EXPECT_THROW(cast_vote(store(), anna, vote), Conflict);
  vote.request_id = "two";
  EXPECT_THROW(cast_vote(store(), anna, vote), Conflict);
  EXPECT_THROW(cast_vote(store(), ben, vote), NotFound);
  // Requests are the person's own: the same id of somebody else is another vote.
  const Lease other = lease_next(store(), ben).value();
  EXPECT_FALSE(
      cast_vote(store(), ben, {.request_id = "one", .lease = other.id, .place = 1}).repeated);
}

TEST_F(Votes, ALateVoteCountsAndASecondOpinionIsAskedOnce) {
  const int64_t anna = person("anna"), ben = person("ben"), cleo = person("cleo");
  comparison(prompt("p"), {"a", "b"}, 2);
  const Lease late = lease_next(store(), anna).value();
  time += 2 * lease_time;
  EXPECT_TRUE(lease_next(store(), ben));
  cast_vote(store(), anna, {.request_id = "late", .lease = late.id, .choice = Choice::tie});
  EXPECT_FALSE(lease_next(store(), cleo)) << "one vote and one lease are the two wanted";
  prefer(ben, 0);
  EXPECT_EQ(queue_counts(store()).done, 1);
}

TEST_F(Votes, WhoVotesLateOnWhatWasShownToThemTwiceIsAskedSomethingElse) {
  const int64_t anna = person("anna");
  for (const Choice choice : {Choice::tie, Choice::skip}) {
    const int64_t twice = comparison(prompt(std::string(name_of(choice))), {"a", "b"}, 2);
    const Lease first = lease_next(store(), anna).value();
    time += 2 * lease_time;
    const Lease second = lease_next(store(), anna).value();
    ASSERT_EQ(second.comparison.id, twice);
    ASSERT_NE(second.id, first.id);
    cast_vote(store(), anna, {.request_id = request(), .lease = first.id, .choice = choice});
    EXPECT_FALSE(lease_next(store(), anna));
    EXPECT_THROW(find_lease(store(), anna, second.id), NotFound);
    EXPECT_EQ(queue_counts(store()).leased, 0) << "others are asked";
    store().write([&](Connection& connection) {
      connection.run("UPDATE leases SET state = 0 WHERE id = ?", second.id);
    });
    EXPECT_FALSE(lease_next(store(), anna)) << "left open by an earlier program";
  }
}

TEST_F(Votes, ASkipIsNoVoteButNotShownAgain) {
  const int64_t anna = person("anna"), ben = person("ben");
  comparison(prompt("p"), {"a", "b"});
  const int64_t skip = choose(anna, Choice::skip);
  EXPECT_FALSE(lease_next(store(), anna));
  EXPECT_TRUE(lease_next(store(), ben));
  EXPECT_EQ(votes_after(store(), 0), 0);
  EXPECT_EQ(last_vote(store()), skip);
}

TEST_F(Votes, UndoingBringsTheSameComparisonBackOnce) {
  const int64_t anna = person("anna");
  comparison(prompt("p"), {"a", "b"});
  comparison(prompt("q"), {"c", "d"});
  const Lease lease = lease_next(store(), anna).value();
  cast_vote(store(), anna, {.request_id = "v", .lease = lease.id, .place = 0});
  const Lease following = lease_next(store(), anna).value();
  const Lease back = undo_vote(store(), anna, "u");
  EXPECT_EQ(back.id, lease.id);
  EXPECT_EQ(back.order, lease.order);
  EXPECT_EQ(undo_vote(store(), anna, "u").id, lease.id) << "the same request again";
  EXPECT_THROW(undo_vote(store(), anna, "u2"), Conflict) << "there is no other vote";
  EXPECT_EQ(lease_next(store(), anna)->id, lease.id);
  EXPECT_EQ(votes_after(store(), 0), 0);
  EXPECT_THROW(
      cast_vote(store(), anna, {.request_id = "w", .lease = following.id, .choice = Choice::tie}),
      Conflict);

  cast_vote(store(), anna, {.request_id = "v2", .lease = back.id, .place = 1});
  EXPECT_THROW(undo_vote(store(), anna, "u"), Conflict) << "its vote was given anew";
  EXPECT_EQ(votes_after(store(), 0), 1);
  time += undo_time + 1;
  EXPECT_THROW(undo_vote(store(), anna, "late"), Conflict);
}

TEST_F(Votes, PromotionsTakeTheirShareOfTurns) {
  const int64_t anna = person("anna"), serving = version(), candidate = version();
  promote(store(), the_program, serving, "the start");
  const int64_t of = prompt("p");
  for (int i = 0; i < 50; i++) {
    comparison(of, {"a", "b"});
    add_comparison(store(), {.prompt = of,
                             .purpose = Purpose::promotion,
                             .candidate = candidate,
                             .wanted_votes = 1,
                             .answers = {{.text = "a", .version = serving},
                                         {.text = "b", .version = candidate}}});
  }
  int64_t promotions = 0;
  for (int i = 0; i < 40; i++) {
    promotions += lease_next(store(), anna, 0.25)->comparison.purpose == Purpose::promotion;
    choose(anna, Choice::tie);
  }
  EXPECT_NEAR(double(promotions), 10, 9);
  reject(store(), the_program, candidate, "as good");
  for (int i = 0; i < int(10 + promotions); i++) choose(anna, Choice::tie);
  EXPECT_FALSE(lease_next(store(), anna));
}

TEST_F(Votes, AShareOfComparisonsIsAskedTwice) {
  const int64_t of = prompt("p"), by = version();
  int64_t doubled = 0;
  for (int i = 0; i < 150; i++) {
    const int64_t id = add_comparison(
        store(), {.prompt = of,
                  .doubled = 0.2,
                  .answers = {{.text = "a", .version = by}, {.text = "b", .version = by}}});
    doubled += find_comparison(store(), id)->wanted_votes == 2;
  }
  EXPECT_NEAR(double(doubled), 30, 20);
}

TEST_F(Votes, WhatIsOutOfRangeIsRefusedAndNothingStays) {
  const int64_t anna = person("anna"), of = prompt("p");
  comparison(of, {"a", "b"});
  const int64_t lease = lease_next(store(), anna)->id;
  const Vote wrong[] = {
      {.request_id = "", .lease = lease, .place = 0},
      {.request_id = std::string(65, 'x'), .lease = lease, .place = 0},
      {.request_id = "a b", .lease = lease, .place = 0},
      {.request_id = "x", .lease = lease},
      {.request_id = "x", .lease = lease, .place = 2},
      {.request_id = "x", .lease = lease, .place = -1},
      {.request_id = "x", .lease = lease, .choice = Choice::tie, .place = 0},
      {.request_id = "x", .lease = lease, .place = 0, .strength = 3},
      {.request_id = "x", .lease = lease, .choice = Choice::tie, .strength = 1},
      {.request_id = "x", .lease = lease, .place = 0, .note = std::string(4001, 'n')},
      {.request_id = "x", .lease = lease, .place = 0, .milliseconds = -1},
      {.request_id = "x", .lease = lease + 1, .place = 0},
  };
  for (const Vote& vote : wrong) EXPECT_THROW(cast_vote(store(), anna, vote), InputError);
  EXPECT_EQ(last_vote(store()), 0);
  EXPECT_THROW(comparison(of, {"a"}), InputError);
  EXPECT_THROW(comparison(of, std::vector<std::string>(9, "a")), InputError);
  EXPECT_THROW(comparison(of + 1, {"a", "b"}), NotFound);
  EXPECT_THROW(
      add_comparison(
          store(),
          {.prompt = of, .answers = {{.text = "a", .version = 99}, {.text = "b", .version = 99}}}),
      NotFound);
  EXPECT_EQ(queue_counts(store()).leased + queue_counts(store()).waiting, 1);
  EXPECT_TRUE(integrity_problems(store()).empty());
}

TEST_F(Votes, ManyPeopleAtOnceGiveEveryVoteOnce) {
  constexpr int count = 16, each = 20;
  std::vector<int64_t> people;
  for (int i = 0; i < count; i++) people.push_back(person("p" + std::to_string(i)));
  const int64_t of = prompt("p");
  for (int i = 0; i < count * each / 2; i++) comparison(of, {"a", "b"}, 2);
  std::vector<std::thread> threads;
  for (const int64_t by : people) {
    threads.emplace_back([&, by] {
      for (int i = 0; i < each; i++) {
        const auto lease = lease_next(store(), by);
        if (!lease) return;
        cast_vote(store(), by,
                  {.request_id = std::to_string(i), .lease = lease->id, .place = i % 2});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const QueueCounts counts = queue_counts(store());
  EXPECT_EQ(counts.leased, 0);
  // Nobody votes twice on one comparison: the last few may lack somebody who has not seen them.
  EXPECT_GE(votes_after(store(), 0), count * each * 9 / 10);
  EXPECT_LE(votes_after(store(), 0), count * each);
}

}  // namespace
}  // namespace rlhf::store
