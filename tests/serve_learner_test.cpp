// Learning from votes that goes on after the process ends: with the bits of one that was never cut
// off, from where its stages have come to, and not for ever.
#include "serve/learner.h"

#include <algorithm>
#include <fstream>
#include <future>

#include "apps/cli.h"
#include "serve/store/audit.h"
#include "serve/store/sqlite.h"
#include "serve/weights_digest.h"
#include "tests/serving_site.h"
#include "tests/store_helpers.h"

namespace rlhf::serve {
namespace {

using Arguments = std::vector<std::string>;

class Learning : public store::StoreTest {
 protected:
  Learning() {
    save_tiny_model(folder / "model", 1);
    std::ofstream(folder / "dpo.json")
        << R"({"max_steps": 8, "save_steps": 3, "logging_steps": 1, "learning_rate": 1e-3})";
    const int64_t base = store::add_version(store(), store::the_program,
                                            {.path = (folder / "model").string(),
                                             .digest = weights_digest(folder / "model"),
                                             .method = "import"});
    store::promote(store(), store::the_program, base, "");
    const int64_t anna = person("anna");
    for (int i = 0; i < 8; i++) {
      comparison(prompt(std::string(size_t(i) + 1, 'a')), {"bad", "cab"});
      prefer(anna, 0);
    }
  }

  /// A learner as a process begins with one. `run` stands in for the program's commands.
  void begin(Learner::RunCommand run, LearningMethod method = LearningMethod::dpo) {
    learner_.reset();
    open();
    LearnerOptions options{.folder = folder / "runs", .held_out = 0};
    options.settings = {.method = method, .dpo_config = (folder / "dpo.json").string()};
    learner_ = std::make_unique<Learner>(
        store(), options, std::move(run),
        [this](int64_t version) {
          candidate_ = version;
          if (fails_) throw std::runtime_error("the disk is full");
        },
        [this](const std::string& line) { told_ = line; });
  }
  /// The process ends orderly.
  void end() { learner_.reset(); }
  /// What a process that is killed leaves: nothing has told the database.
  void be_killed() {
    end();
    const auto last = store::learnings(store()).at(0);
    store().write([&](store::Connection& connection) {
      connection.run("UPDATE learnings SET state = 0, ended = NULL WHERE id = ?", last.id);
    });
  }
  /// The disk is full, or has room again.
  void have_room(bool room) {
    store().write([&](store::Connection& connection) {
      connection.script(room ? "DROP TRIGGER full"
                             : "CREATE TRIGGER full BEFORE UPDATE OF state ON learnings BEGIN "
                               "SELECT RAISE(ABORT, 'full'); END");
    });
  }
  store::Learning finish() {
    for (int i = 0; i < 3000 && learner_->progress(); i++) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return store::learnings(store()).at(0);
  }
  int64_t audits(std::string_view what) {
    const auto all = store::audit_log(store());
    return std::count_if(all.begin(), all.end(),
                         [&](const store::AuditEntry& entry) { return entry.what == what; });
  }
  Learner& learner() { return *learner_; }

  /// Runs the program's command until it has logged that many steps, and waits to be stopped there.
  static Learner::RunCommand until(int64_t step, std::promise<void>& there) {
    return [step, &there](std::span<const std::string> arguments, Watch& watch) {
      const auto tell = watch.on_progress;
      watch.on_progress = [&](const ProgressState& state) {
        tell(state);
        if (state.done != step) return;
        there.set_value();
        while (!watch.stop) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      };
      return run_command(arguments, watch);
    };
  }
  static int run_it(std::span<const std::string> arguments, Watch& watch) {
    return run_command(arguments, watch);
  }

  std::optional<int64_t> candidate_;
  bool fails_ = false;
  std::string told_;

 private:
  std::unique_ptr<Learner> learner_;
};

/// Commands that are only written down. One whose name is `fails` fails.
struct Recorded {
  std::vector<Arguments> calls;
  std::string fails;

  Learner::RunCommand command() {
    return [this](std::span<const std::string> given, Watch&) {
      calls.emplace_back(given.begin(), given.end());
      if (given[0] == fails) return 1;
      const auto place = std::find(given.begin(), given.end(), "--output_dir");
      const std::filesystem::path output = place == given.end() ? given.back() : *std::next(place);
      save_tiny_model(output, 2);
      std::ofstream(output / "summary.json") << "{}";
      return 0;
    };
  }
};

TEST_F(Learning, GoesOnToTheBitsOfOneThatWasNeverStopped) {
  std::promise<void> there;
  begin(until(5, there));
  learner().start(store::the_program);
  ASSERT_EQ(there.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready)
      << store::learnings(store()).at(0).error;
  end();
  EXPECT_EQ(store::learnings(store()).at(0).state, store::LearningState::running);
  begin(run_it);
  learner().go_on();
  const store::Learning done = finish();
  ASSERT_EQ(done.state, store::LearningState::done) << done.error;
  ASSERT_TRUE(candidate_);
  EXPECT_EQ(candidate_, done.result_version);
  EXPECT_EQ(audits("resume_learning"), 1);
  const auto learnt = store::find_version(store(), *candidate_);

  Watch watch;
  const std::string files = (folder / "runs" / "learning-1").string();
  const std::string output = (folder / "whole").string();
  const Arguments whole{"dpo",
                        "--model_name_or_path",
                        (folder / "model").string(),
                        "--config",
                        (folder / "dpo.json").string(),
                        "--seed",
                        "2",
                        "--dataset_name",
                        files + "/preferences.jsonl",
                        "--output_dir",
                        output};
  ASSERT_EQ(run_command(whole, watch), 0);
  EXPECT_EQ(weights_digest(output), learnt->digest);
  EXPECT_NE(learnt->digest, weights_digest(folder / "model"));
}

TEST_F(Learning, StagesThatAreDoneStayDone) {
  Recorded first{.calls = {}, .fails = "ppo"};
  begin(first.command(), LearningMethod::ppo);
  learner().start(store::the_program);
  ASSERT_EQ(finish().state, store::LearningState::failed);
  ASSERT_EQ(first.calls.size(), 2u);
  be_killed();

  Recorded second;
  begin(second.command());  // the method is the learning's own
  learner().go_on();
  const store::Learning done = finish();
  EXPECT_EQ(done.state, store::LearningState::done) << done.error;
  EXPECT_EQ(second.calls, (std::vector<Arguments>{first.calls[1]}))
      << "no checkpoint: the stage starts over";
  EXPECT_TRUE(done.figures.contains("reward"));
  EXPECT_EQ(done.figures["interrupted"], 1);
  be_killed();  // after the candidate was there, before the learning was said to have ended
  Recorded third;
  begin(third.command());
  learner().go_on();
  EXPECT_EQ(finish().result_version, done.result_version);
  EXPECT_TRUE(third.calls.empty());
}

TEST_F(Learning, AStageThatWasCutOffGoesOnWithItsOwnFlags) {
  Recorded first{.calls = {}, .fails = "dpo"};
  begin(first.command());
  learner().start(store::the_program);
  finish();
  be_killed();
  const auto output = folder / "runs" / "learning-1" / "dpo";
  std::filesystem::create_directories(output / "checkpoint-3");
  Recorded second;
  begin(second.command());
  learner().go_on();
  EXPECT_EQ(finish().state, store::LearningState::done);
  EXPECT_EQ(second.calls,
            (std::vector<Arguments>{{"dpo", "--resume_from_checkpoint", output.string()}}));
}

TEST_F(Learning, AnEndThatTheDatabaseHadNoRoomForIsWrittenLater) {
  Recorded commands;
  begin(commands.command());
  have_room(false);
  learner().start(store::the_program);
  EXPECT_EQ(finish().state, store::LearningState::running);
  EXPECT_NE(told_.find("full"), told_.npos) << told_;
  EXPECT_FALSE(candidate_);
  learner().consider();
  EXPECT_ANY_THROW(learner().start(store::the_program));
  EXPECT_EQ(store::learnings(store()).size(), 1u);
  have_room(true);
  learner().consider();
  EXPECT_EQ(store::learnings(store()).at(0).state, store::LearningState::done);
  EXPECT_EQ(candidate_, store::learnings(store()).at(0).result_version);
  learner().start(store::the_program);
  EXPECT_EQ(finish().state, store::LearningState::done);
  EXPECT_EQ(store::learnings(store()).size(), 2u);
}

TEST_F(Learning, OneThatWasCancelledDoesNotGoOn) {
  std::promise<void> there;
  begin(until(2, there));
  learner().start(store::the_program);
  ASSERT_EQ(there.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready)
      << store::learnings(store()).at(0).error;
  learner().cancel();
  end();
  EXPECT_EQ(store::learnings(store()).at(0).state, store::LearningState::cancelled);
  begin(run_it);
  learner().go_on();
  EXPECT_FALSE(learner().progress());
}

TEST_F(Learning, OneThatEndsTheProcessAgainAndAgainHasFailed) {
  Recorded runs{.calls = {}, .fails = "dpo"};
  begin(runs.command());
  learner().start(store::the_program);
  finish();
  for (int i = 0; i < 4; i++) {
    be_killed();
    begin(runs.command());
    learner().go_on();
    finish();
  }
  EXPECT_EQ(runs.calls.size(), 5u);
  be_killed();
  begin(runs.command());
  learner().go_on();
  EXPECT_FALSE(learner().progress());
  const store::Learning failed = finish();
  EXPECT_EQ(failed.state, store::LearningState::failed);
  EXPECT_EQ(failed.error, "the server ended 5 times while it ran");
  EXPECT_EQ(runs.calls.size(), 5u);
  EXPECT_NO_THROW(learner().start(store::the_program)) << "another one can begin";
  finish();
}

TEST_F(Learning, WhatFailsOnItsThreadIsToldAndTakesNothingDown) {
  Recorded commands;
  fails_ = true;
  begin(commands.command());
  learner().start(store::the_program);
  EXPECT_EQ(finish().state, store::LearningState::done);
  EXPECT_EQ(told_, "learning 1: the disk is full");
  EXPECT_FALSE(learner().progress());
}

}  // namespace
}  // namespace rlhf::serve
