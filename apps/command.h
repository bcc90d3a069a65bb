// A subcommand of `rlhf`: one short file in apps/ that returns one of these, listed in commands.h.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "apps/flags.h"

namespace rlhf {

/// How a command was called, for run_config.json.
struct Invocation {
  std::string command;           ///< "pretrain"
  std::string command_line;      ///< as typed, quoted for a shell
  nlohmann::ordered_json flags;  ///< every flag with its resolved value
};

struct Command {
  std::string name;     ///< as typed after `rlhf`
  std::string summary;  ///< one line: "train a language model from text"
  std::string example;  ///< a call that works as it stands: "rlhf pretrain --max_steps 200"
  /// Binds flags to variables that live as long as the command (a shared_ptr in both closures).
  std::function<void(Flags&)> declare;
  /// Does the work and returns the exit code. Throws InputError and Error; prints results on stdout
  /// and nothing else there.
  std::function<int(const Invocation&)> run;
  /// What the flag `preset` may stand for: values by flag, for flags that nobody has given.
  std::function<std::vector<std::pair<std::string, std::string>>(const std::string& preset)>
      preset = {};
};

}  // namespace rlhf
