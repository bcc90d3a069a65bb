// `rlhf bench`: what it counts, what it makes of its figures, and the command as a person calls it.
// No time is held against another here.
#include <gtest/gtest.h>

#include <algorithm>

#include "apps/bench_table.h"
#include "bench/measure/samples.h"
#include "bench/measure/shapes.h"
#include "bench/measure/work.h"
#include "tests/small_runs.h"

namespace rlhf {
namespace {

TEST(BenchWork, AgreesWithThePublishedCountOfLlmC) {
  // 6 N + 6 L C T operations a token for GPT-2 124M with 50,304 rows: 803.5 million at T = 1024.
  // It counts norms, biases and the position embedding as weights; ours does not.
  Gpt2Config config = bench::named_shape("gpt2", "shape").config;
  config.vocab_size = 50304;
  EXPECT_NEAR(bench::training_flops(config, 4, 1024) / (4 * 1024) / 803.5e6, 1, 0.01);
}

TEST(BenchWork, DecodingReadsEveryWeightOnceAStep) {
  // 123.5 million weights in float: 494 MB, and 2 * 12 * 768 floats for each key that is seen.
  const Gpt2Config config = bench::named_shape("gpt2", "shape").config;
  constexpr DType f32 = DType::f32;
  EXPECT_NEAR(bench::decoding_bytes(config, 1, 0, f32, f32) / 494.1e6, 1, 1e-3);
  EXPECT_EQ(bench::decoding_bytes(config, 0, 10, f32, f32), 10 * 4 * 2 * 12 * 768);
  EXPECT_EQ(bench::decoding_bytes(config, 0, 10, DType::i8, f32), 10 * 4 * 2 * 12 * 768);
  // A quarter, and 0.13 million scales.
  EXPECT_NEAR(bench::decoding_bytes(config, 1, 0, DType::i8, f32) / 124.1e6, 1, 1e-3);
  EXPECT_EQ(bench::keys_seen(0, 4), 1 + 2 + 3 + 4);
  EXPECT_EQ(bench::keys_seen(10, 2), 11 + 12);
}

TEST(BenchSamples, LeavesTheFirstOnesOut) {
  int64_t calls = 0, told = 0;
  const bench::Repeats repeats{
      .warm_up = 2, .timed = 3, .on_done = [&](int64_t done, int64_t total) {
        EXPECT_EQ(done, ++told);
        EXPECT_EQ(total, 5);
      }};
  EXPECT_EQ(bench::seconds_of_each(repeats, [&] { calls++; }).size(), 3u);
  EXPECT_EQ(calls, 5);
  EXPECT_EQ(told, 5);
}

TEST(BenchSamples, SummarisesAsStatisticsDo) {
  EXPECT_EQ(bench::median({3, 1, 2}), 2);
  EXPECT_EQ(bench::median({4, 1, 2, 3}), 2.5);
  const RunningStatistics rates = bench::rates(12, {1, 2, 3});  // 12, 6, 4
  EXPECT_DOUBLE_EQ(rates.mean(), 22.0 / 3);
  EXPECT_NEAR(rates.deviation(), 4.163331998932266, 1e-12);  // numpy.std([12, 6, 4], ddof=1)
}

std::vector<BenchRow> two_rows() {
  BenchRow train{.model = "a|b \"c\"",
                 .parameters = 1500000,
                 .threads = 2,
                 .test = {.name = "train 4x64", .tokens = 256, .flops = 1e9, .memory = true},
                 .seconds = {0.5, 0.25},
                 .peak_bytes = 3 << 20,
                 .ceilings = {2, 8e9, 4e10}};
  BenchRow decode = train;
  decode.test = {.name = "tg128", .tokens = 128, .steps = 128, .bytes = 1e9};
  decode.peak_bytes = 0;
  return {train, decode};
}

TEST(BenchTable, HoldsProductsInBfloat16AgainstTheirOwnCeiling) {
  std::vector<BenchRow> rows = two_rows();
  rows[0].bf16_products = true;
  EXPECT_EQ(nlohmann::json::parse(bench_json(rows))[0]["gflops_share"], 0.375) << "it has none";
  rows[0].ceilings.bf16_flops = 16e9;
  const auto row = nlohmann::json::parse(bench_json(rows))[0];
  EXPECT_EQ(row["type"], "bf16");
  EXPECT_EQ(row["device"], "cpu");
  EXPECT_EQ(row["gflops_ceiling"], 16);
  EXPECT_EQ(row["gflops_share"], 0.1875);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(BenchTable, IsJsonWithEveryFigure) {
  const auto rows = nlohmann::json::parse(bench_json(two_rows()));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["model"], "a|b \"c\"");
  EXPECT_EQ(rows[0]["tokens_per_s"], 768);  // the mean of 512 and 1024
  EXPECT_EQ(rows[0]["ms"], 375);
  EXPECT_EQ(rows[0]["gflops"], 3);
  EXPECT_EQ(rows[0]["gflops_share"], 0.375);
  EXPECT_EQ(rows[0]["peak_mib"], 3);
  EXPECT_EQ(rows[0]["seconds"], (std::vector<double>{0.5, 0.25}));
  EXPECT_EQ(rows[1]["ms"], 375.0 / 128) << "a token of decoding, not a repetition";
  EXPECT_EQ(rows[1]["gb_per_s_share"], 0.075);
  EXPECT_TRUE(rows[1]["gflops"].is_null());
  EXPECT_TRUE(rows[1]["peak_mib"].is_null());
}

TEST(BenchTable, IsCsvOfTheSameColumnsInEveryLine) {
  const std::vector<std::string> lines = lines_of(bench_csv(two_rows()));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_NE(lines[1].find("\"a|b \"\"c\"\"\""), std::string::npos) << lines[1];
  for (const std::string& line : lines) {
    EXPECT_EQ(std::count(line.begin(), line.end(), ','), 26) << line;
  }
}

TEST(BenchTable, IsMarkdownWhoseColumnsStandUnderOneAnother) {
  std::vector<BenchRow> rows = two_rows();
  for (BenchRow& row : rows) row.model = "gpt2";
  const std::vector<std::string> lines = lines_of(bench_markdown(rows));
  ASSERT_EQ(lines.size(), 4u);
  for (const std::string& line : lines) {
    EXPECT_EQ(std::count(line.begin(), line.end(), '|'), 11) << line;
    EXPECT_EQ(line.size(), lines[0].size()) << line;
  }
  EXPECT_NE(lines[2].find("768.0 +- 362.0"), std::string::npos) << lines[2];
  EXPECT_NE(lines[2].find("3.0 (38 %)"), std::string::npos) << lines[2];
}

}  // namespace
}  // namespace rlhf

namespace rlhf::end_to_end {
namespace {

const Arguments kTiny{"bench", "--device",
                      "cpu",   "--repetitions",
                      "2",     "--block_size",
                      "8",     "--n_prompt",
                      "6",     "--n_gen",
                      "5",     "--rollout_batch_size",
                      "2",     "--prompt_length",
                      "4",     "--response_length",
                      "3",     "--episodes_per_update",
                      "2",     "--num_iterations",
                      "1",     "--per_device_train_batch_size",
                      "2"};
const Arguments kTinyModel{"--shape", "demo", "--n_layer", "1", "--n_embd", "16", "--n_head", "2"};

class BenchEndToEnd : public Models {};

std::vector<std::string> tests_of(const json& rows) {
  std::vector<std::string> names;
  for (const json& row : rows) names.push_back(row["test"]);
  return names;
}

TEST_F(BenchEndToEnd, PrintsTheTableAndNothingElseOnStdout) {
  const Finished done = rlhf(kTiny + kTinyModel + Arguments{"--output_format", "json"});
  ASSERT_EQ(done.code, 0) << done.err;
  const json rows = json::parse(done.out);
  EXPECT_EQ(tests_of(rows), (std::vector<std::string>{"train 2x8", "pp6", "tg5", "rollout 2x(4+3)",
                                                      "ppo 2x(4+3)x1"}));
  for (const json& row : rows) {
    EXPECT_EQ(row["model"], "demo L1 H2 C16");
    EXPECT_EQ(row["seconds"].size(), 2u);
    EXPECT_GT(row["tokens_per_s"], 0);
    EXPECT_GT(row["gflops_ceiling"], 0);
    EXPECT_GT(row["gb_per_s_ceiling"], 0);
  }
  EXPECT_GT(rows[0]["gflops_share"], 0);
  EXPECT_GT(rows[2]["gb_per_s_share"], 0);
  EXPECT_NE(done.err.find("ceilings of"), std::string::npos) << done.err;
}

TEST_F(BenchEndToEnd, TimesAModelFolderWithinItsContext) {
  const Finished done = rlhf(
      kTiny + Arguments{"--model_name_or_path", at("lm").string() + "/", "--test",
                        "train,prompt,decode,rollout,ppo", "--block_size", "20,64,512",
                        "--n_prompt", "512", "--n_gen", "512", "--prompt_length", "20",
                        "--response_length", "64", "--threads", "1,2", "--output_format", "json"});
  ASSERT_EQ(done.code, 0) << done.err;
  const json rows = json::parse(done.out);
  const std::vector<std::string> names = tests_of(rows);
  const std::vector<std::string> expected{"train 2x20", "train 2x24",        "pp23",
                                          "tg23",       "rollout 2x(12+12)", "ppo 2x(12+11)x1"};
  ASSERT_EQ(names.size(), 2 * expected.size());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), names.begin()));
  EXPECT_EQ(rows[0]["model"], "lm");
  EXPECT_EQ(rows[0]["threads"], 1);
  EXPECT_EQ(rows.back()["threads"], 2);
}

TEST_F(BenchEndToEnd, CountsTheBytesOfNarrowWeights) {
  const auto read = [](const std::string& type) {
    const Finished done = rlhf(kTiny + kTinyModel +
                               Arguments{"--test", "prompt,decode,rollout", "--weight_dtype", type,
                                         "--output_format", "json"});
    EXPECT_EQ(done.code, 0) << done.err;
    const json rows = json::parse(done.out);
    EXPECT_EQ(rows.size(), 3u);
    for (const json& row : rows) EXPECT_EQ(row["weights"], type == "auto" ? "f32" : type);
    return rows[1]["gb_per_s"].get<double>() / rows[1]["tokens_per_s"].get<double>();
  };
  const double floats = read("auto");
  EXPECT_NEAR(read("bf16") / floats, 0.5, 0.02);
  EXPECT_NEAR(read("int8") / floats, 0.31, 0.03) << "16 codes share a scale";
}

TEST_F(BenchEndToEnd, PrintsMarkdownAndCsv) {
  const Arguments call = kTiny + kTinyModel + Arguments{"--test", "train"};
  const Finished markdown = rlhf(call);
  EXPECT_EQ(markdown.code, 0) << markdown.err;
  EXPECT_EQ(std::count(markdown.out.begin(), markdown.out.end(), '\n'), 3) << markdown.out;
  EXPECT_TRUE(markdown.out.starts_with("| model")) << markdown.out;
  const Finished csv = rlhf(call + Arguments{"--output_format", "csv"});
  EXPECT_EQ(csv.code, 0) << csv.err;
  EXPECT_TRUE(csv.out.starts_with("version,device_name,instructions,model,parameters,")) << csv.out;
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 2) << csv.out;
}

TEST_F(BenchEndToEnd, SaysInOneLineWhatIsWrong) {
  const std::vector<std::pair<Arguments, std::string>> cases{
      {{"--shape", "gpt5"}, "[--shape] expected one of demo, "},
      {{"--shape", "demo,"}, "[--shape] expected one of demo, "},
      {{"--n_head", "5"}, "n_head"},
      {{"--test", "train,fly"}, "[--test] expected some of train,"},
      {{"--block_size", "64,x"}, "[--block_size] expected whole numbers"},
      {{"--block_size", "0"}, "[--block_size] expected whole numbers from 1"},
      {{"--weight_dtype", "int4"}, "[--weight_dtype] expected one of auto, bf16, int8"},
      {{"--weight_dtype", "int8"}, "[--weight_dtype] expected --test to be some of prompt,"},
      {{"--threads", "0"}, "[--threads] expected whole numbers from 1"},
      {{"--repetitions", "0"}, "[--repetitions] expected"},
      {{"--output_format", "xml"}, "[--output_format] expected one of md, json, csv"},
      {{"--num_mini_batches", "9"}, "[--num_mini_batches] expected at most"},
      {{"--model_name_or_path", at("nowhere")}, "nowhere"},
      {{"--model_name_or_path", at("lm"), "--shape", "demo"}, "[--model_name_or_path] expected"}};
  for (const auto& [arguments, message] : cases) {
    const Finished done = rlhf(Arguments{"bench"} + arguments);
    EXPECT_EQ(done.code, 2) << arguments[0];
    EXPECT_EQ(done.out, "");
    EXPECT_NE(done.err.find(message), std::string::npos) << done.err;
    EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
  }
}

TEST_F(BenchEndToEnd, ExplainsItself) {
  const Finished help = rlhf({"bench", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.err, "");
  for (const char* flag :
       {"--shape", "--threads", "--repetitions", "--output_format", "gpt2-medium"}) {
    EXPECT_NE(help.out.find(flag), std::string::npos) << flag;
  }
}

}  // namespace
}  // namespace rlhf::end_to_end
