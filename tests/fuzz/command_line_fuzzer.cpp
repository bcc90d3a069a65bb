// A command line, one argument a line, for a command with flags of every kind. What is accepted
// gives the same values when these are typed in full.
#include "apps/cli.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace rlhf;

struct Values {
  std::string action = "train", text, dataset_name;
  bool packing = false, shuffle = true;
  int64_t max_steps = 100;
  double learning_rate = 1e-3;
  float dropout = 0;
  uint64_t seed = 1;
};

/// The flags as the command saw them, where it ran.
std::optional<nlohmann::ordered_json> run(const std::vector<std::string>& arguments) {
  std::optional<nlohmann::ordered_json> seen;
  Values v;
  const Command command{
      .name = "try",
      .summary = "a command with flags of every kind",
      .example = "rlhf try train",
      .declare =
          [&](Flags& flags) {
            flags.choice("action", v.action, {"train", "encode"}, "what to do").positional();
            flags.add("text", v.text, "any text");
            flags.add("dataset_name", v.dataset_name, "a file").shown_as("FILE");
            flags.add("packing", v.packing, "a switch");
            flags.add("shuffle", v.shuffle, "a switch that is on");
            flags.add("max_steps", v.max_steps, at_least(0), "a whole number");
            flags.add("learning_rate", v.learning_rate, above(0.0), "a number");
            flags.add("dropout", v.dropout, between(0.0f, 0.9f), "a float");
            flags.add("seed", v.seed, {}, "a number without sign");
          },
      .run = [&](const Invocation& invocation) { return seen = invocation.flags, 0; }};
  std::vector<const char*> argv = {"rlhf"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  const int code = run_cli(int(argv.size()), argv.data(), {command});
  fuzz::expect(code == 0 || code == 2, "a wrong command line is an input error");
  fuzz::expect(code == 0 || !seen, "what ran succeeded");
  return seen;
}

}  // namespace

FUZZ_TARGET(command_line) {
  std::vector<std::string> arguments = {"try"};
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    arguments.emplace_back(std::string(bytes.substr(0, end)).c_str());  // as a system passes it
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  const auto seen = run(arguments);
  if (!seen) return;
  fuzz::acceptances()++;
  std::vector<std::string> typed = {"try"};
  for (const auto& [name, value] : seen->items()) {
    typed.push_back("--" + name + "=" +
                    (value.is_string() ? value.get<std::string>() : value.dump()));
  }
  const auto again = run(typed);
  fuzz::expect(again.has_value() && *again == *seen, "resolved flags resolve to themselves");
}
