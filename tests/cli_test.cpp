// The command line in front of every command: names, ranges, config files, one-line errors, exit
// codes. The last tests run the program itself.
#include "apps/cli.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <limits>
#include <new>
#include <sstream>
#include <stdexcept>

#include "apps/flags.h"
#include "core/check.h"
#include "rl/run/version.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

struct Options {
  int64_t max_steps = 1000;
  double learning_rate = 1e-5;
  float kl_coef = 0.1f;
  uint64_t seed = 42;
  std::string model_name_or_path = "gpt2", scheduler = "cosine", dataset_name, prompt;
  bool bf16 = false, shuffle = true;
  std::vector<std::string> names;
};

struct Outcome {
  int code = -1;
  std::string out, err;
  Options options;
  Invocation invocation;
};

/// Runs `rlhf train <arguments>`; `body` is what the command does.
Outcome train(
    std::vector<const char*> arguments, const std::function<void()>& body = [] {}) {
  Outcome outcome;
  Options& o = outcome.options;
  const Command command{
      "train", "train something", "rlhf train --dataset_name corpus.txt",
      [&](Flags& flags) {
        flags.add("dataset_name", o.dataset_name, "text to learn from").shown_as("FILE").required();
        flags.group("Optimizer");
        flags.add("max_steps", o.max_steps, between(1, 1000000), "optimizer steps");
        flags.add("learning_rate", o.learning_rate, above(0.0), "peak rate");
        flags.add("kl_coef", o.kl_coef, at_least(0.0f), "weight of the KL penalty");
        flags.choice("lr_scheduler_type", o.scheduler, {"linear", "cosine"}, "schedule");
        flags.group("Other");
        flags.add("seed", o.seed, {}, "random seed");
        flags.add("model_name_or_path", o.model_name_or_path, "model to start from");
        flags.add("prompt", o.prompt, "what to complete");
        flags.add("bf16", o.bf16, "half precision");
        flags.add("shuffle", o.shuffle, "new order each epoch");
        flags.add("names", o.names, "again for more");
      },
      [&](const Invocation& invocation) {
        outcome.invocation = invocation;
        body();
        return 0;
      }};
  arguments.insert(arguments.begin(), {"rlhf", "train"});
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  outcome.code = run_cli(int(arguments.size()), arguments.data(), {command});
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

/// The same with the one required flag given.
Outcome train_on(std::vector<const char*> arguments) {
  arguments.push_back("--dataset_name=d");
  return train(arguments);
}

std::string config_file(std::string_view name, std::string_view text) {
  const std::string path = testing::TempDir() + std::string(name);
  std::ofstream(path) << text;
  return path;
}

TEST(CommandLine, TakesValuesOfEveryType) {
  const Outcome r =
      train({"--max_steps", "5", "--learning-rate=3e-4", "--seed", "18446744073709551615", "--bf16",
             "--shuffle", "false", "--lr_scheduler_type", "linear", "--dataset-name", "my-data",
             "--prompt", "--looks-like-a-flag", "--kl_coef", "0.1"});
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(r.code, 0);
  EXPECT_EQ(r.options.max_steps, 5);
  EXPECT_EQ(r.options.learning_rate, 3e-4);
  EXPECT_EQ(r.options.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(r.options.bf16);
  EXPECT_FALSE(r.options.shuffle);
  EXPECT_EQ(r.options.scheduler, "linear");
  EXPECT_EQ(r.options.dataset_name, "my-data");
  EXPECT_EQ(r.options.prompt, "--looks-like-a-flag");
}

TEST(CommandLine, TakesAnyTextAndTheLastOfSeveral) {
  for (const char* text : {"[a,b]", "", "a=b -c", "--seed"}) {
    const std::string joined = "--prompt=" + std::string(text);
    EXPECT_EQ(train_on({"--prompt", "first", joined.c_str()}).options.prompt, text);
    EXPECT_EQ(train_on({"--prompt=first", "--prompt", text}).options.prompt, text);
  }
}

TEST(CommandLine, KeepsDefaultsAndResolvesFlagsWithTheirTypes) {
  const Outcome r = train_on({"--max_steps", "7", "--max-steps", "8"});
  EXPECT_EQ(r.invocation.command, "train");
  EXPECT_EQ(r.invocation.flags.dump(),
            R"({"dataset_name":"d","max_steps":8,"learning_rate":1e-05,"kl_coef":0.1,)"
            R"("lr_scheduler_type":"cosine","seed":42,)"
            R"("model_name_or_path":"gpt2","prompt":"","bf16":false,"shuffle":true,"names":[]})");
}

TEST(CommandLine, QuotesTheLineForAShell) {
  EXPECT_EQ(train_on({"--prompt", "it's $5"}).invocation.command_line,
            "rlhf train --prompt 'it'\\''s $5' --dataset_name=d");
}

TEST(CommandLine, SaysInOneLineWhatIsWrong) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"--max_steps", "abc"},
       R"([--max_steps] expected a whole number from 1 to 1000000, got "abc")"},
      {{"--max-steps=0"}, R"([--max_steps] expected a whole number from 1 to 1000000, got "0")"},
      {{"--max_steps", "1e3"},
       R"([--max_steps] expected a whole number from 1 to 1000000, got "1e3")"},
      {{"--max_steps", "99999999999"},
       R"([--max_steps] expected a whole number from 1 to 1000000, got "99999999999")"},
      {{"--learning_rate", "0"}, R"([--learning_rate] expected a number above 0, got "0")"},
      {{"--learning_rate", "nan"}, R"([--learning_rate] expected a number above 0, got "nan")"},
      {{"--learning_rate", "inf"}, R"([--learning_rate] expected a number above 0, got "inf")"},
      {{"--kl_coef", "-1"}, R"([--kl_coef] expected a number of at least 0, got "-1")"},
      {{"--seed", "-1"}, R"([--seed] expected a whole number, got "-1")"},
      {{"--lr_scheduler_type", "cos"},
       R"([--lr_scheduler_type] expected one of linear, cosine, got "cos")"},
      {{"--bf16=maybe"}, R"([--bf16] expected true or false, got "maybe")"},
      {{"--max_stesp", "5"},
       R"([--max_stesp] expected a flag of rlhf train, got "--max_stesp"; did you mean --max_steps?)"},
      {{"--lr=1"}, R"([--lr] expected a flag of rlhf train, got "--lr"; see rlhf train --help)"},
      {{"--model", "x"},
       R"([--model] expected a flag of rlhf train, got "--model"; did you mean --model_name_or_path?)"},
      {{"extra"}, R"([train] expected flags, got "extra")"},
  };
  for (const auto& [arguments, message] : cases) {
    const Outcome r = train_on(arguments);
    EXPECT_EQ(r.err, "rlhf: " + std::string(message) + "\n");
    EXPECT_EQ(r.code, 2);
    EXPECT_EQ(r.out, "");
  }
  EXPECT_EQ(train({}).err, "rlhf: [--dataset_name] expected text to learn from, got nothing\n");
  EXPECT_EQ(train({"--dataset_name"}).err, "rlhf: [--dataset_name] expected a value, got none\n");
}

TEST(CommandLine, TurnsExceptionsIntoExitCodes) {
  const auto fails = [](const auto& error) {
    return train({"--dataset_name", "d"}, [&] { throw error; });
  };
  EXPECT_EQ(fails(InputError("[x] expected a, got b")).code, 2);
  EXPECT_EQ(fails(Error("[x] broke")).code, 1);
  EXPECT_EQ(fails(std::runtime_error("two\nlines \x1b[2J")).err, "rlhf: two\\nlines \\x1b[2J\n");
  const Outcome memory = fails(std::bad_alloc());
  EXPECT_EQ(memory.code, 1);
  EXPECT_EQ(std::count(memory.err.begin(), memory.err.end(), '\n'), 1);
  EXPECT_TRUE(memory.err.starts_with("rlhf: [memory] expected"));
}

TEST(CommandLine, NamesTheNearestCommand) {
  const char* arguments[] = {"rlhf", "trian"};
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_cli(2, arguments, {{"train", "", "", {}, {}}, {"eval", "", "", {}, {}}}), 2);
  EXPECT_EQ(
      testing::internal::GetCapturedStderr(),
      "rlhf: [command] expected one of train, eval, got \"trian\"; did you mean rlhf train?\n");
}

TEST(CommandLine, HelpBeginsWithAnExampleAndShowsEveryDefault) {
  const Outcome r = train({"--help"});
  EXPECT_EQ(r.code, 0);
  size_t at = 0;
  for (const char* part : {"rlhf train: train something",
                           "Example",
                           "rlhf train --dataset_name corpus.txt",
                           "--dataset_name FILE",
                           "(required)",
                           "Optimizer",
                           "--max_steps N",
                           "[1000]",
                           "[1e-05]",
                           "--kl_coef X",
                           "[0.1]",
                           "linear|cosine",
                           "[cosine]",
                           "Other",
                           "[42]",
                           "[gpt2]",
                           "[none]",
                           "[false]",
                           "[true]",
                           "--config FILE"}) {
    const size_t found = r.out.find(part, at);
    ASSERT_NE(found, r.out.npos) << part << "\n" << r.out;
    at = found + 1;
  }
  std::istringstream lines(r.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_EQ(r.out.find('\x1b'), r.out.npos) << "colours only on a terminal";
}

TEST(ConfigFile, GivesTheSameFlagsInEveryFormat) {
  const std::string files[] = {
      config_file("c.json", R"({"dataset_name": "d # not a comment", "max-steps": 5, "bf16": true,
                                "learning_rate": 0.0003, "prompt": "a, b", "seed": null})"),
      config_file("c.toml",
                  "# a run\ndataset_name = \"d # not a comment\"  # a comment\n"
                  "max_steps = 5\nbf16 = true\nlearning_rate = 3e-4\nprompt = \"a, b\"\n"),
      config_file("c.yaml",
                  "---\ndataset_name: 'd # not a comment'\nmax_steps: 5\nbf16: True\n"
                  "learning_rate: 3.0e-4 # peak\nprompt: \"a, b\"\r\n"),
      config_file("c.ini",
                  "; a run\ndataset_name = \"d # not a comment\"\nmax_steps=5\nbf16=yes\n"
                  "learning_rate=0.0003\nprompt=\"a, b\"\n"),
  };
  for (const std::string& file : files) {
    const Outcome r = train({"--config", file.c_str()});
    EXPECT_EQ(r.err, "") << file;
    EXPECT_EQ(r.options.dataset_name, "d # not a comment") << file;
    EXPECT_EQ(r.options.max_steps, 5) << file;
    EXPECT_EQ(r.options.learning_rate, 3e-4) << file;
    EXPECT_TRUE(r.options.bf16) << file;
    EXPECT_EQ(r.options.prompt, "a, b") << file;
  }
  const Outcome typed =
      train({"--max_steps", "9", ("--config=" + files[0]).c_str(), "--bf16=false"});
  EXPECT_EQ(typed.options.max_steps, 9) << "what is typed wins";
  EXPECT_FALSE(typed.options.bf16);
}

TEST(ConfigFile, ListsAreForFlagsThatTakeSeveralValues) {
  using Names = std::vector<std::string>;
  const std::pair<const char*, Names> cases[] = {{"names: [\"a\", \"b c\"]\n", {"a", "b c"}},
                                                 {"{\"names\": [\"a\", 1]}", {"a", "1"}},
                                                 {"names = a\n", {"a"}},
                                                 {"names = []\n", {}}};
  for (const auto& [text, names] : cases) {
    const std::string file = config_file("lists", text);
    EXPECT_EQ(train_on({"--config", file.c_str()}).options.names, names) << text;
    EXPECT_EQ(train_on({"--config", file.c_str(), "--names", "z"}).options.names, Names{"z"})
        << "what is typed wins";
  }
}

/// Lists in lists, as deep as a file is long, must not overflow the stack of whoever reads them.
TEST(ConfigFile, SurvivesAnyDepth) {
  const std::string open(2000000, '['), close(2000000, ']');
  for (const char* begin : {"prompt = ", "{\"prompt\": "}) {
    const std::string end = *begin == '{' ? "}" : "";
    const std::string deep = config_file("deep", begin + open + close + end);
    const Outcome r = train_on({"--config", deep.c_str()});
    EXPECT_EQ(r.code, 2);
    EXPECT_NE(r.err.find("deep:1] expected at most 32 nested lists"), r.err.npos) << r.err;
  }
  const std::string cut_short = config_file("deep", "prompt = " + open);
  EXPECT_EQ(train_on({"--config", cut_short.c_str()}).options.prompt, open)
      << "no JSON, so the bare rest of the line";
}

TEST(ConfigFile, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"{\"max_step\": 5}", "got \"max_step\"; did you mean --max_steps?"},
      {"{\"max_steps\": \"many\"}", "[--max_steps] expected a whole number"},
      {"{\"max_steps\": 2.5}",
       "[--max_steps] expected a whole number from 1 to 1000000, got \"2.5\""},
      {"{\"max_steps\": 1, \"max_steps\": 2}", "twice"},
      {"{\"max_steps\": [1]}", "expected a plain value for max_steps, got a list"},
      {"{\"max_steps\": {\"a\": 1}}",
       "expected a plain value or a list of them for max_steps, got an object"},
      {"names = [\"a\", [1]]", "expected a plain value or a list of them for names, got a nested"},
      {"{\"max_steps\": ", "expected"},
      {"[train]\nmax_steps = 1\n", "on line 1, got \"[train]\""},
      {"max_steps\n", "on line 1"},
      {"seed = 1\nseed = 2\n", "expected each flag once, got seed again on line 2"},
      {"config = other.json\n", "got \"config\""},
      {"", "empty"},
      {"# a run\nseed = 99999999999999999999\n", "bad:2] expected an integer of at most 64 bits"},
      {"max_steps = {\"a\": 1, \"a\": 2}\n", "bad:1] expected each key once"},
  };
  for (const auto& [text, message] : cases) {
    const std::string file = config_file("bad", text);
    const Outcome r = train_on({"--config", file.c_str()});
    EXPECT_EQ(r.code, 2) << text;
    EXPECT_NE(r.err.find(message), r.err.npos) << text << " -> " << r.err;
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
  }
}

/// What the program prints on stdout, and its exit code.
std::pair<std::string, int> program(const std::string& arguments) {
  std::FILE* pipe = popen((std::string(rlhf_program) + " " + arguments).c_str(), "r");
  std::string out;
  for (char buffer[4096]; const size_t count = std::fread(buffer, 1, sizeof(buffer), pipe);) {
    out.append(buffer, count);
  }
  return {out, WEXITSTATUS(pclose(pipe))};
}

TEST(Program, DoctorPrintsPureJson) {
  const auto [out, code] = program("doctor --json 2>/dev/null");
  EXPECT_EQ(code, 0);
  const auto facts = nlohmann::json::parse(out);
  for (const char* key : {"version", "compiler", "build", "built_for", "cpu", "cpu_has", "cores",
                          "openmp_threads", "memory_gib", "disk_free_gib", "locale", "cuda"}) {
    EXPECT_TRUE(facts.contains(key)) << key;
  }
  EXPECT_GT(facts["memory_gib"], 0);
}

TEST(Program, EndsWithTheCodesOfItsErrors) {
  EXPECT_EQ(program("--version"),
            (std::pair<std::string, int>{"rlhf " + std::string(version) + "\n", 0}));
  EXPECT_EQ(program("").second, 0);
  EXPECT_EQ(program("no_such_command 2>/dev/null").second, 2);
  EXPECT_EQ(program("doctor --jso 2>/dev/null").second, 2);
  EXPECT_EQ(program("doctor 2>/dev/null >/dev/full").second, 1) << "a full disk is not a success";
}

}  // namespace
}  // namespace rlhf
