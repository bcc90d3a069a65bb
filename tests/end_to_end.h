// What the end-to-end tests share: a folder, the program run in it, what a run leaves there, and
// how the program refuses what is wrong.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

#include "tests/paths.h"
#include "tests/process.h"

namespace rlhf::end_to_end {

namespace fs = std::filesystem;
using nlohmann::json;
using Arguments = std::vector<std::string>;

inline fs::path root;  // of everything these tests write

/// Makes the folder, for all tests of a fixture.
class Folder : public testing::Test {
 protected:
  static void SetUpTestSuite() { root = new_folder(); }
  static void TearDownTestSuite() { fs::remove_all(root); }
};

inline fs::path at(const std::string& name) { return root / name; }

inline void write(const std::string& name, const std::string& text) {
  std::ofstream(at(name), std::ios::binary) << text;
}

inline Arguments operator+(Arguments left, const Arguments& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline std::string text_of(const Arguments& call) {
  std::string text = "rlhf";
  for (const std::string& argument : call) text += " " + argument;
  return text;
}

inline Finished rlhf(const Arguments& call, int threads = 0) {
  return run_program(rlhf_program, call, root, threads);
}

/// A call that must work.
inline Finished succeed(const Arguments& call, int threads = 0) {
  Finished done = rlhf(call, threads);
  EXPECT_EQ(done.code, 0) << text_of(call) << "\n" << done.err;
  return done;
}

inline json summary_of(const std::string& run) { return json_at(at(run) / "summary.json"); }

/// Every flag of a run with its resolved value.
inline json flags_of(const std::string& run) {
  return json_at(at(run) / "run_config.json")["flags"];
}

/// What a run has logged, line by line.
inline std::vector<json> metrics_of(const std::string& run) {
  std::vector<json> all;
  for (const std::string& line : lines_of(at(run) / "metrics.jsonl")) {
    all.push_back(json::parse(line));
  }
  return all;
}

/// The same without what a clock says.
inline std::vector<json> timeless_metrics_of(const std::string& run) {
  std::vector<json> all = metrics_of(run);
  for (json& line : all) {
    for (const char* name : {"eps", "tokens_per_s", "charts/SPS"}) line.erase(name);
  }
  return all;
}

inline void expect_keys(const json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) EXPECT_TRUE(object.contains(name)) << name;
}

/// What the program said when it refused its input: one line "rlhf: [what] expected ..., got ...",
/// nothing on stdout, exit code 2, and no folder "out".
inline std::string refusal_in(const Finished& done) {
  const auto holds = [&](const char* part) { return done.err.find(part) != std::string::npos; };
  EXPECT_EQ(done.code, 2) << done.err;
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
  EXPECT_TRUE(done.err.starts_with("rlhf: [") && holds("] expected ")) << done.err;
  EXPECT_TRUE(holds(", got ") || holds("; got ") || holds(", found ")) << done.err;
  EXPECT_FALSE(fs::exists(at("out"))) << "left a folder behind";
  fs::remove_all(at("out"));
  return done.err;
}

inline std::string refusal(const Arguments& call) {
  SCOPED_TRACE(text_of(call));
  return refusal_in(rlhf(call));
}

inline void expect_refused(const Arguments& call, const std::string& part) {
  const std::string line = refusal(call);
  EXPECT_NE(line.find(part), std::string::npos) << part << " in: " << line;
}

}  // namespace rlhf::end_to_end
