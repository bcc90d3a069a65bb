// Checkpoints on disk: what is written is found again, and whatever a disk, a crash or a stranger
// has made of one is refused with one line.
#include "rl/run/checkpoint_folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/atomic_file.h"
#include "core/sha256.h"
#include "rl/run/state_archive.h"
#include "tests/message_of.h"
#include "tests/process.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

class CheckpointFolder : public testing::Test {
 protected:
  /// Two files, of which one lies in a folder.
  void write(int64_t step) {
    write_checkpoint(folder, {.step = step, .command = "sft", .version = "1.2", .inputs = {}},
                     [](const fs::path& path) {
                       std::ofstream(path / "a.json") << "{}";
                       fs::create_directory(path / "critic");
                       std::ofstream(path / "critic" / "b.json") << "[1]";
                     });
  }

  TemporaryFolder folder;
};

TEST(Sha256, IsThatOfFips180) {
  Sha256 hash;  // the standard's own example, in two pieces
  hash.add("a");
  hash.add("bc");
  EXPECT_EQ(hash.digest(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256().digest(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_F(CheckpointFolder, IsSealedAndFound) {
  write(7);
  write(120);
  EXPECT_EQ(checkpoint_steps(folder), (std::vector<int64_t>{7, 120}));
  const CheckpointManifest manifest = verify_checkpoint(folder / "checkpoint-120");
  EXPECT_EQ(manifest.step, 120);
  EXPECT_EQ(manifest.command, "sft");
  EXPECT_EQ(manifest.files.size(), 2u);
  EXPECT_EQ(manifest.files.at("critic/b.json").bytes, 3u);
  EXPECT_EQ(newest_checkpoint(folder, [](auto) { FAIL(); }), folder / "checkpoint-120");
}

TEST_F(CheckpointFolder, IsPassedOverWhenItIsDamaged) {
  write(7);
  write(120);
  std::ofstream(folder / "checkpoint-120" / "a.json") << "{ ";
  std::vector<std::string> skipped;
  const auto note = [&](const std::string& message) { skipped.push_back(message); };
  EXPECT_EQ(newest_checkpoint(folder, note), folder / "checkpoint-7");
  ASSERT_EQ(skipped.size(), 1u);
  EXPECT_NE(skipped[0].find("a.json] expected the manifest's sha256"), std::string::npos);
  fs::remove(folder / "checkpoint-7" / "critic" / "b.json");
  EXPECT_NE(message_of<InputError>([&] {
              newest_checkpoint(folder, note);
            }).find("got damaged ones only"),
            std::string::npos);
}

TEST_F(CheckpointFolder, TakesThePlaceOfOneOfTheSameStep) {
  write(7);
  std::ofstream(folder / "checkpoint-7" / "stale") << "x";
  write(7);
  EXPECT_FALSE(fs::exists(folder / "checkpoint-7" / "stale"));
  verify_checkpoint(folder / "checkpoint-7");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

TEST_F(CheckpointFolder, LeavesNothingWhenFillingFails) {
  EXPECT_THROW(write_checkpoint(folder, {.step = 3}, [](const fs::path&) { throw Error("full"); }),
               Error);
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(CheckpointFolder, LosesWhatAKilledRunHasLeft) {
  write(7);
  fs::create_directories(folder / "checkpoint-8.tmp-123-0" / "critic");
  fs::create_directories(folder / "removed-checkpoint-6");
  fs::create_directories(folder / "checkpoint-notes");  // somebody's own
  remove_unfinished_checkpoints(folder);
  EXPECT_FALSE(fs::exists(folder / "checkpoint-8.tmp-123-0"));
  EXPECT_FALSE(fs::exists(folder / "removed-checkpoint-6"));
  EXPECT_TRUE(fs::exists(folder / "checkpoint-notes"));
  EXPECT_EQ(checkpoint_steps(folder), std::vector<int64_t>{7});
}

TEST_F(CheckpointFolder, OldOnesGoFirst) {
  for (const int64_t step : {1, 2, 10, 9}) write(step);
  remove_old_checkpoints(folder, 2);
  EXPECT_EQ(checkpoint_steps(folder), (std::vector<int64_t>{9, 10}));
}

// ---- what strangers write ----------------------------------------------------------------------

struct Malformed {
  const char* name;
  const char* from;      ///< this in a good file
  const char* to;        ///< becomes this
  const char* expected;  ///< part of the message
};

const std::string kDigest(64, 'a');

/// Replaces the only place of `from`.
std::string damaged(std::string text, const Malformed& how) {
  const size_t at = text.find(how.from);
  EXPECT_NE(at, std::string::npos) << how.name;
  return text.replace(at, std::string(how.from).size(), how.to);
}

TEST(Manifest, RefusesWhatIsNotOne) {
  const std::string good =
      R"({"format": "rlhf.cpp checkpoint", "format_version": 1, "step": 120, "command": "ppo",
 "version": "0.1.0", "inputs": {"dataset_name": ")" +
      kDigest + R"("},
 "files": {"model.safetensors": {"bytes": 12, "sha256": ")" +
      kDigest + R"("}}})";
  EXPECT_EQ(parse_manifest(good, "m").files.size(), 1u);
  EXPECT_EQ(parse_manifest(manifest_text(parse_manifest(good, "m")), "m").step, 120);
  const Malformed cases[] = {
      {"empty", good.c_str(), "", "[m:1] expected JSON"},
      {"truncated", "}}}", "}}", "[m:"},
      {"list", good.c_str(), "[]", "expected a JSON object, got a list"},
      {"trailing", "}}}", "}}} {}", "[m:"},
      {"other_format", "rlhf.cpp checkpoint", "zip", "expected \"rlhf.cpp checkpoint\" as format"},
      {"no_format", "\"format\"", "\"form\"", "expected \"format\", got none"},
      {"newer", "\"format_version\": 1", "\"format_version\": 2",
       "expected format_version 1, got 2"},
      {"negative_step", "120", "-1", "expected a whole number from 0 as \"step\", got -1"},
      {"fraction_step", "120", "1.5", "expected a whole number from 0 as \"step\", got 1.5"},
      {"exponent_step", "120", "1e2", "expected a whole number from 0 as \"step\""},
      {"huge_step", "120", "9223372036854775808", "expected a step, got 9223372036854775808"},
      {"overflowing_step", "120", "99999999999999999999", "[m:"},
      {"text_step", "120", "\"120\"", "as \"step\", got \"120\""},
      {"number_command", "\"ppo\"", "7", "expected a string as \"command\", got a number"},
      {"twice", "\"step\": 120", "\"step\": 120, \"step\": 120", "[m:"},
      {"no_files", "\"files\": {", "\"files\": {}, \"rest\": {", "expected files, got none"},
      {"list_of_files", "\"files\": {", "\"files\": [], \"rest\": {",
       "expected an object as \"files\", got a list"},
      {"absolute", "model.safetensors", "/etc/passwd", "expected names of files within"},
      {"upwards", "model.safetensors", "a/../../b", "expected names of files within"},
      {"backslash", "model.safetensors", "a\\\\b", "expected names of files within"},
      {"empty_part", "model.safetensors", "a//b", "expected names of files within"},
      {"nul", "model.safetensors", "a\\u0000b", "expected names of files within"},
      {"file_is_number", "{\"bytes\": 12", "7, \"x\": {\"bytes\": 12",
       "expected an object for \"model.safetensors\", got a number"},
      {"negative_bytes", "\"bytes\": 12", "\"bytes\": -12",
       "expected a whole number from 0 as \"bytes\""},
      {"no_bytes", "\"bytes\"", "\"size\"", "expected \"bytes\", got none"},
      {"short_digest", "aa\"}}}", "\"}}}", "expected 64 hexadecimal digits as sha256 of \"model"},
      {"upper_digest", "aa\"}}}", "AA\"}}}", "expected 64 hexadecimal digits as sha256 of \"model"},
      {"null_digest", "\"inputs\": {\"dataset_name\"", "\"inputs\": {\"x\": null, \"dataset_name\"",
       "expected 64 hexadecimal digits as sha256 of \"x\", got null"},
  };
  for (const Malformed& how : cases) {
    SCOPED_TRACE(how.name);
    const std::string message =
        message_of<InputError>([&] { parse_manifest(damaged(good, how), "m"); });
    EXPECT_NE(message.find(how.expected), std::string::npos) << message;
  }
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_NE(message_of<InputError>([&] { parse_manifest(deep, "m"); }), "");
  EXPECT_NE(message_of<InputError>([&] { parse_manifest("{\"format\": \"\xff\"}", "m"); }), "");
}

/// A state of two numbers, a list and a tensor, saved and read back from a damaged folder.
class State : public CheckpointFolder {
 protected:
  struct Values {
    int64_t steps = 3;
    uint64_t draw = uint64_t{1} << 63;
    double rate = 0.1, best = -std::numeric_limits<double>::infinity();
    std::vector<double> window{1, 2.5, std::numeric_limits<double>::quiet_NaN()};
    Tensor weight = Tensor::from(std::vector<float>{1, 2, 3}, {3});
    void archive(StateArchive& a) {
      a.number("steps", steps);
      a.number("draw", draw);
      a.number("rate", rate);
      a.number("best", best);
      a.numbers("window", window);
      a.tensor("weight", weight);
    }
  };
  void SetUp() override {
    CheckpointFolder::SetUp();
    Values values;
    StateWriter writer;
    values.archive(writer);
    writer.write(folder);
  }
  std::string refusal(const std::function<void(StateArchive&)>& archive = {}) {
    return message_of<InputError>([&] {
      StateReader reader(folder);
      Values values;
      archive ? archive(reader) : values.archive(reader);
      reader.finish();
    });
  }
};

TEST_F(State, HasOneNumberOfAName) {
  StateWriter writer;
  int64_t steps = 1;
  writer.number("steps", steps);
  EXPECT_EQ(message_of<Error>([&] { writer.number("steps", steps); }),
            "[checkpoint] expected a name of its own for each number, got \"steps\" twice");
}

TEST_F(State, ComesBackToTheBit) {
  Values values{.steps = 0, .draw = 0, .rate = 0, .best = 0, .window = {}};
  values.weight = Tensor::zeros({3}, DType::f32);
  StateReader reader(folder);
  values.archive(reader);
  reader.finish();
  EXPECT_EQ(values.steps, 3);
  EXPECT_EQ(values.draw, uint64_t{1} << 63);
  EXPECT_EQ(values.rate, 0.1);
  EXPECT_EQ(values.best, -std::numeric_limits<double>::infinity());
  ASSERT_EQ(values.window.size(), 3u);
  EXPECT_EQ(values.window[1], 2.5);
  EXPECT_TRUE(std::isnan(values.window[2]));
  EXPECT_EQ(values.weight.to_vector<float>(), (std::vector<float>{1, 2, 3}));
}

TEST_F(State, RefusesNumbersOfAnotherKind) {
  const fs::path file = folder / state_numbers_file;
  const std::string good = content_of(file);
  const Malformed cases[] = {
      {"no_steps", "\"steps\"", "\"paces\"", "expected a number \"steps\", got none"},
      {"one_more", "\"steps\"", "\"extra\": 1, \"steps\"", "expected no \"extra\" in this kind"},
      {"fraction", "\"steps\": 3", "\"steps\": 3.5", "expected a whole number as \"steps\""},
      {"too_large", "\"steps\": 3", "\"steps\": 9223372036854775808", "whole number as \"steps\""},
      {"negative", "9223372036854775808", "-1", "expected a whole number from 0 as \"draw\""},
      {"list_for_number", "\"rate\": 0.1", "\"rate\": [1]", "expected a number as \"rate\""},
      {"number_for_list", "\"window\": [", "\"window\": 1, \"w\": [",
       "list of numbers as \"window\""},
      {"object", "\"rate\": 0.1", "\"rate\": {}", "expected a number or a list of numbers"},
      {"word", "\"-Infinity\"", "\"minus\"", "expected a number or a list of numbers as \"best\""},
      {"word_in_list", "2.5", "\"two\"", "expected a number or a list of numbers as \"window\""},
      {"null", "0.1", "null", "expected a number or a list of numbers as \"rate\""},
      {"list", good.c_str(), "[1]", "expected a JSON object, got a list"},
      {"empty", good.c_str(), "", "expected"},
  };
  for (const Malformed& how : cases) {
    SCOPED_TRACE(how.name);
    std::ofstream(file) << damaged(good, how);
    const std::string message = refusal();
    EXPECT_NE(message.find(how.expected), std::string::npos) << message;
    EXPECT_NE(message.find("trainer_state.json"), std::string::npos) << message;
  }
}

TEST_F(State, RefusesTensorsOfAnotherModel) {
  const fs::path file = folder / state_tensors_file;
  const auto with = [&](const std::string& name, const Tensor& tensor) {
    write_safetensors(file, {{name, tensor}});
    return refusal();
  };
  const auto of = [](std::vector<float> values) {
    return Tensor::from(values, {int64_t(values.size())});
  };
  EXPECT_NE(with("other", of({1, 2, 3})).find("expected a tensor \"weight\", got none"),
            std::string::npos);
  EXPECT_NE(with("weight", of({1, 2})).find("expected \"weight\" to be f32 (3), got f32 (2)"),
            std::string::npos);
  EXPECT_NE(with("weight", Tensor::zeros({3}, DType::f64)).find("got f64 (3)"), std::string::npos);
  EXPECT_NE(with("weight", of({1, NAN, 3})).find("expected finite values in \"weight\""),
            std::string::npos);
  write_safetensors(file, {{"weight", of({1, 2, 3})}, {"more", of({1})}});
  EXPECT_NE(refusal().find("expected no tensor \"more\" in this model"), std::string::npos);
}

TEST_F(State, IsNotWrittenWhenItHoldsNoNumbers) {
  StateWriter writer;
  writer.tensor("weight", Tensor::from(std::vector<float>{1, INFINITY}, {2}));
  EXPECT_NE(message_of<Error>([&] {
              writer.write(folder);
            }).find("[checkpoint] expected finite values in weight"),
            std::string::npos);
}

}  // namespace
}  // namespace rlhf
