// Wrong input to every command that trains: exit code 2, one line "[where] expected ..., got ...",
// and nothing written. A new command is one line of the table. The commands run in this process.
#include <set>

#include "apps/cli.h"
#include "apps/commands.h"
#include "core/atomic_file.h"
#include "rl/model/model_folder.h"
#include "tests/end_to_end.h"
#include "tests/tiny_models.h"

namespace rlhf::end_to_end {
namespace {

/// What the rows of a command's data set are.
enum class Data { none, text, completions, pairs, judged, feedback, prompts };

struct Trainer {
  const char* name;
  Data data;
  Arguments call;  ///< beside the data set and --output_dir
  bool has_reference = false;
};

const Arguments kStep{"--max_steps", "1", "--model_name_or_path", "lm"};
const Arguments kEpisodes{"--total_episodes",    "4",  "--eval_prompts",       "2",
                          "--reward_model_path", "rm", "--model_name_or_path", "lm"};
const Arguments kGroups =
    kEpisodes + Arguments{"--generation_batch_size", "4", "--max_completion_length", "8"};

const std::vector<Trainer> kTrainers{
    {"pretrain",
     Data::text,
     {"--tokenizer", "lm", "--n_layer", "1", "--n_head", "2", "--n_embd", "8", "--block_size", "8",
      "--max_steps", "1", "--eval_fraction", "0"}},
    {"sft", Data::completions, kStep},
    {"reward", Data::feedback, kStep},
    {"dpo", Data::pairs, kStep, true},
    {"kto", Data::judged, kStep, true},
    {"orpo", Data::pairs, kStep},
    {"simpo", Data::pairs, kStep},
    {"ppo", Data::prompts,
     kEpisodes + Arguments{"--episodes_per_update", "4", "--response_length", "8"}},
    {"reinforce", Data::prompts, kGroups},
    {"rloo", Data::prompts, kGroups + Arguments{"--num_generations", "2"}},
    {"grpo", Data::prompts, kGroups + Arguments{"--num_generations", "2"}},
    {"actor_critic", Data::prompts, kGroups},
    {"online_dpo", Data::prompts, kGroups + Arguments{"--num_generations", "2"}},
    {"raft", Data::prompts, kGroups + Arguments{"--num_generations", "2"}},
    {"hierarchical", Data::prompts,
     kEpisodes + Arguments{"--generation_batch_size", "4", "--segments", "2", "--segment_length",
                           "4", "--subtasks", "a=keyword:a;b=keyword:b"}},
    {"reward_conditioned", Data::prompts,
     kGroups + Arguments{"--steps_per_generation", "1", "--conditions", "a|b"}},
    {"hir", Data::prompts,
     kGroups + Arguments{"--steps_per_generation", "1", "--instructions", "instructions.jsonl"}},
    {"gym",
     Data::none,
     {"--env", "FrozenLake-v1", "--algo", "q_learning", "--total_timesteps", "64"}}};

/// Every column that any of them reads: as it should be, apart from `changes`.
std::string rows(const json& changes = json::object()) {
  std::string text;
  for (int i = 0; i < 4; i++) {
    json row{{"prompt", i % 2 ? "abc" : "bcd"},
             {"completion", " abc"},
             {"chosen", " abc"},
             {"rejected", " hgf"},
             {"label", i % 2},
             {"text", "abc def gh."}};
    row.update(changes);
    text += row.dump() + "\n";
  }
  return text;
}

/// The columns that a command reads, out of these.
std::string rows_of(Data data, const json& changes = json::object()) {
  std::vector<std::string> names{"prompt"};
  if (data == Data::text) names = {"text"};
  if (data == Data::completions) names = {"prompt", "completion"};
  if (data == Data::pairs || data == Data::feedback) names = {"prompt", "chosen", "rejected"};
  if (data == Data::judged) names = {"prompt", "completion", "label"};
  std::string text;
  std::istringstream lines(rows(changes));
  for (std::string line; std::getline(lines, line);) {
    const json whole = json::parse(line);
    json row;
    for (const std::string& name : names) row[name] = whole[name];
    text += row.dump() + "\n";
  }
  return text;
}

void save_tiny(const std::string& folder, const std::string& letters, int64_t n_positions = 24) {
  const std::vector<std::string> corpus{letters};
  const CharTokenizer tokenizer = CharTokenizer::train(corpus);
  LanguageModel model{make_gpt2(tiny_config(tokenizer.vocab_size(), n_positions), 3)};
  save_model(at(folder), model, tokenizer);
  ScalarModel judge{model.transformer, make_score_head(model.transformer, 3, /*zero=*/false)};
  save_model(at("rm" + folder.substr(2)), judge, tokenizer);
}

class GuardRails : public Folder {
 protected:
  static void SetUpTestSuite() {
    Folder::SetUpTestSuite();
    before = fs::current_path();
    fs::current_path(root);
    save_tiny("lm", "abcdefgh .");
    save_tiny("lm_of_more", "abcdefghi .");
    save_tiny("lm_of_others", "abcdefgx .");
    save_tiny("lm_of_less", "abcdefgh .", 9);
    write("a_file", "");
    fs::copy("lm", "lm_endless");
    write("instructions.jsonl",
          "{\"instruction\": \"a\", \"max\": 0}\n{\"instruction\": \"b\", \"min\": 0}\n");
    edit_json("lm_endless/tokenizer_config.json",
              [](json& config) { config["eos_token"] = "<|nothing|>"; });
  }
  static void TearDownTestSuite() {
    fs::current_path(before);
    Folder::TearDownTestSuite();
  }

  /// Runs it here; of flags given twice the last one counts.
  static Finished run(const Trainer& trainer, const Arguments& more) {
    Arguments all = Arguments{"rlhf", trainer.name, "--output_dir", "out"} + trainer.call;
    if (trainer.data != Data::none) all = all + Arguments{"--dataset_name", "data.jsonl"};
    all = all + more;
    std::vector<const char*> argv;
    for (const std::string& argument : all) argv.push_back(argument.c_str());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run_cli(int(argv.size()), argv.data(), commands());
    const std::string out = testing::internal::GetCapturedStdout();
    return {code, out, testing::internal::GetCapturedStderr()};
  }

  static void expect_refused(const Trainer& trainer, const Arguments& more,
                             const std::string& part) {
    SCOPED_TRACE(text_of(Arguments{trainer.name} + more));
    const std::string line = refusal_in(run(trainer, more));
    EXPECT_NE(line.find(part), std::string::npos) << part << " in: " << line;
  }

  /// For every command whose data set is one of these.
  template <class F>
  static void for_each_trainer(std::initializer_list<Data> kinds, F&& f) {
    for (const Trainer& trainer : kTrainers) {
      if (std::find(kinds.begin(), kinds.end(), trainer.data) == kinds.end()) continue;
      write("data.jsonl", rows_of(trainer.data));
      f(trainer);
    }
  }
  static constexpr auto kAll = {Data::none,   Data::text,     Data::completions, Data::pairs,
                                Data::judged, Data::feedback, Data::prompts};
  static constexpr auto kWithData = {Data::text,   Data::completions, Data::pairs,
                                     Data::judged, Data::feedback,    Data::prompts};
  static constexpr auto kWithModel = {Data::completions, Data::pairs, Data::judged, Data::feedback,
                                      Data::prompts};
  static fs::path before;
};

fs::path GuardRails::before;

TEST_F(GuardRails, KnowEveryCommandThatTrains) {
  std::set<std::string> known, all;
  for (const Trainer& trainer : kTrainers) known.insert(trainer.name);
  for (const Command& command : commands()) {
    Flags flags;
    command.declare(flags);
    for (const Flag& flag : flags.all()) {
      if (flag.name == "resume_from_checkpoint") all.insert(command.name);
    }
  }
  EXPECT_EQ(known, all);
}

// What follows is refused for its own fault alone.
TEST_F(GuardRails, LetPassWhatIsRight) {
  for_each_trainer(kAll, [](const Trainer& trainer) {
    const Finished done = run(trainer, {});
    EXPECT_EQ(done.code, 0) << trainer.name << done.err;
    EXPECT_TRUE(fs::exists("out/report.html")) << trainer.name;
    fs::remove_all("out");
  });
}

TEST_F(GuardRails, NameTheColumnsThatAreExpectedAndThoseThatAreThere) {
  const std::map<Data, std::string> expected{
      {Data::text, "\"text\""},
      {Data::completions, "\"prompt\" and \"completion\", \"text\", or \"messages\""},
      {Data::pairs, "\"prompt\", \"chosen\" and \"rejected\""},
      {Data::judged, "\"prompt\", \"completion\" and \"label\""},
      {Data::feedback, "\"text\", \"prompt\", or \"chosen\" and \"rejected\""},
      {Data::prompts, "\"prompt\""}};
  for_each_trainer(kWithData, [&](const Trainer& trainer) {
    write("data.jsonl", "{\"question\": \"abc\", \"answer\": \"def\"}\n");
    expect_refused(trainer, {}, expected.at(trainer.data) + ", found columns: answer, question");
  });
}

TEST_F(GuardRails, RefuseFilesWithoutRows) {
  for_each_trainer(kWithData, [](const Trainer& trainer) {
    write("data.jsonl", "");
    expect_refused(trainer, {}, "[data.jsonl] expected some text, got an empty file");
    write("data.jsonl", "\n\n");
    expect_refused(trainer, {}, "[data.jsonl] expected at least one row");
    write("data.jsonl", "abc\n");
    expect_refused(trainer, {}, "[data.jsonl:1] expected");
    expect_refused(trainer, {"--dataset_name", "missing.jsonl"}, "[missing.jsonl] expected a file");
    write("data.jsonl", rows_of(trainer.data, {{"prompt", 3}, {"text", 3}}));
    if (trainer.data != Data::feedback)
      expect_refused(trainer, {}, "[data.jsonl:1] expected a string");
  });
}

TEST_F(GuardRails, RefusePromptsThatNothingCanFollow) {
  for_each_trainer({Data::pairs, Data::judged, Data::prompts}, [](const Trainer& trainer) {
    write("data.jsonl", rows_of(trainer.data, {{"prompt", ""}}));
    expect_refused(trainer, {}, "[data.jsonl:1] expected");
  });
  const std::string longest(30, 'a');
  for_each_trainer({Data::completions, Data::pairs, Data::judged}, [&](const Trainer& trainer) {
    write("data.jsonl", rows_of(trainer.data, {{"prompt", longest}}));
    expect_refused(trainer, {}, "within 24 tokens");
  });
  for_each_trainer({Data::prompts}, [&](const Trainer& trainer) {
    write("data.jsonl", rows_of(trainer.data, {{"prompt", longest}}));
    expect_refused(trainer, {}, "to leave 8 of 24 positions");
    write("data.jsonl", rows_of(trainer.data));
    expect_refused(trainer, {"--reward_model_path", "rm_of_less"}, "to leave 8 of 9 positions");
  });
}

TEST_F(GuardRails, RefuseLabelsOfAnotherKindOrRange) {
  for_each_trainer({Data::judged}, [](const Trainer& trainer) {
    for (const json& label : {json(2), json("good"), json(nullptr), json({1})}) {
      write("data.jsonl", rows_of(trainer.data, {{"label", label}}));
      expect_refused(trainer, {}, "label");
    }
  });
  for_each_trainer({Data::feedback}, [](const Trainer& trainer) {
    for (const json& label : {json(2), json(-0.5), json("good")}) {
      write("data.jsonl", json{{"text", "abc"}, {"label", label}}.dump() + "\n");
      expect_refused(trainer, {"--loss", "bce"}, "label");
    }
  });
}

TEST_F(GuardRails, RefuseFoldersThatHoldNoModelOfTheKind) {
  for_each_trainer(kWithModel, [](const Trainer& trainer) {
    expect_refused(trainer, {"--model_name_or_path", "missing"}, "missing");
    expect_refused(trainer, {"--model_name_or_path", "a_file"}, "a_file");
    expect_refused(trainer, {"--model_name_or_path", "rm"}, "a language model, got a reward model");
    expect_refused(trainer, {"--model_name_or_path", "lm_endless"},
                   "expected the end token \"<|nothing|>\" among the tokens");
    if (trainer.data != Data::prompts) return;
    expect_refused(trainer, {"--reward_model_path", "missing"}, "missing");
    expect_refused(trainer, {"--reward_model_path", "lm"}, "a reward model, got a language model");
    expect_refused(trainer, {"--judge_model_path", "missing"}, "missing");
  });
}

TEST_F(GuardRails, RefuseModelsOfOtherTokens) {
  for (const char* others : {"_of_more", "_of_others"}) {
    for_each_trainer({Data::prompts}, [&](const Trainer& trainer) {
      expect_refused(trainer, {"--reward_model_path", "rm" + std::string(others)},
                     "expected the policy's tokenizer");
    });
    for_each_trainer({Data::pairs, Data::judged}, [&](const Trainer& trainer) {
      if (!trainer.has_reference) return;
      expect_refused(trainer, {"--ref_model", "lm" + std::string(others)},
                     "[--ref_model] expected the tokenizer");
    });
  }
}

// Whatever flag takes a number takes numbers only, and none that no float holds.
TEST_F(GuardRails, RefuseWhatIsNoNumber) {
  for_each_trainer(kAll, [](const Trainer& trainer) {
    const std::vector<Command> all = commands();
    const auto command = std::find_if(all.begin(), all.end(),
                                      [&](const Command& c) { return c.name == trainer.name; });
    Flags flags;
    command->declare(flags);
    int numbers = 0;
    for (const Flag& flag : flags.all()) {
      if (flag.value_name != "N" && flag.value_name != "X") continue;
      numbers++;
      for (const char* value : {"nan", "-inf", "1e999", "-1e30", "many", ""}) {
        expect_refused(trainer, {"--" + flag.name, value}, "[--" + flag.name + "] expected");
      }
    }
    EXPECT_GT(numbers, 10) << trainer.name;
    expect_refused(trainer, {"--learning_rate", "1e30"}, "[--learning_rate] expected");
  });
}

TEST_F(GuardRails, RefusePlacesWhereNoRunCanGo) {
  for_each_trainer(kAll, [](const Trainer& trainer) {
    expect_refused(trainer, {"--output_dir", ""}, "[--output_dir] expected a folder");
    expect_refused(trainer, {"--output_dir", "a_file"}, "[--output_dir]");
    expect_refused(trainer, {"--resume_from_checkpoint", "missing"}, "missing");
    if (trainer.data != Data::none && trainer.data != Data::text) {
      expect_refused(trainer, {"--output_dir", "lm"}, "[--output_dir] expected another folder");
    }
    fs::create_directory("busy");
    const FolderLock lock("busy", "--output_dir");
    expect_refused(trainer, {"--output_dir", "busy"}, "[--output_dir]");
    EXPECT_FALSE(fs::exists("busy/run_config.json"));
  });
}

TEST_F(GuardRails, RefuseToFreezeWhatIsNotThere) {
  for_each_trainer({Data::text, Data::completions, Data::pairs, Data::judged, Data::feedback},
                   [](const Trainer& trainer) {
                     expect_refused(trainer, {"--freeze", "zzz"}, "[--freeze] expected");
                   });
}

}  // namespace
}  // namespace rlhf::end_to_end
