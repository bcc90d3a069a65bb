#include "apps/cli.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <new>

#include "apps/config_file.h"
#include "apps/help.h"
#include "apps/print.h"
#include "apps/resume.h"
#include "apps/terminal.h"
#include "core/check.h"
#include "core/nearest.h"
#include "rl/checkpoints.h"
#include "rl/run/version.h"

namespace rlhf {
namespace {

constexpr const char* kResume = "resume_from_checkpoint";

using Arguments = std::vector<std::string>;
using Values = std::map<std::string, Arguments>;  // by flag

/// "; did you mean --max_steps?", or where to look.
std::string hint(const std::string& nearest, const std::string& prefix, const std::string& help) {
  return nearest.empty() ? "; see " + help : "; did you mean " + prefix + nearest + "?";
}

[[noreturn]] void unknown_flag(std::string_view what, const std::string& typed,
                               const Command& command, const Flags& flags) {
  Arguments names = {"config", "help"};
  for (const Flag& flag : flags.all()) names.push_back(flag.name);
  const std::string name = typed.substr(0, typed.find('='));
  const std::string bare =
      with_underscores(name.substr(std::min(name.find_first_not_of('-'), name.size())));
  input_error(what, "expected a flag of rlhf {}, got \"{}\"{}", command.name, name,
              hint(nearest_word(bare, names), "--", "rlhf " + command.name + " --help"));
}

/// `--max-steps=5` as `--max_steps`, `5`. Only names of flags are touched: values may hold dashes.
/// A switch keeps its value beside it, since it may also stand alone.
void append_argument(Arguments& out, const std::string& argument, const Flags& flags) {
  const size_t end = std::min(argument.find('='), argument.size());
  const std::string name =
      argument.substr(std::min<size_t>(2, end), end - std::min<size_t>(2, end));
  const Flag* flag = argument.starts_with("--") ? flags.find(name) : nullptr;
  const bool config = argument.starts_with("--config=");
  if (!flag && !config) {
    out.push_back(argument);
  } else if (config || (!flag->is_switch && end < argument.size())) {
    out.push_back("--" + (flag ? flag->name : name));
    out.push_back(argument.substr(end + 1));
  } else {
    out.push_back("--" + flag->name + argument.substr(end));
  }
}

/// @returns null when the command has none.
const Flag* positional_of(const Flags& flags) {
  const auto positional = std::find_if(flags.all().begin(), flags.all().end(),
                                       [](const Flag& flag) { return flag.is_positional; });
  return positional == flags.all().end() ? nullptr : &*positional;
}

/// A first argument without dashes belongs to the positional flag, where there is one.
Arguments with_positional(Arguments arguments, const Flags& flags) {
  const Flag* positional = positional_of(flags);
  if (positional && !arguments.empty() && !arguments[0].starts_with('-')) {
    arguments.insert(arguments.begin(), "--" + positional->name);
  }
  return arguments;
}

/// What CLI11 makes of the arguments. It only splits: every value is text, the last one counts but
/// for lists, which also take what stands without a name.
Values split_arguments(const Arguments& typed, const Command& command, const Flags& flags) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  Values values;
  const auto option = [&](const std::string& name) {
    return app.add_option("--" + name, values[name])
        ->take_all()
        ->allow_extra_args(false)
        ->expected(1);
  };
  option("config");
  for (const Flag& flag : flags.all()) {
    if (flag.is_switch) {
      option(flag.name)->expected(0, 1);
    } else {
      option(flag.name);
    }
  }
  Arguments arguments;
  for (const std::string& argument : typed) append_argument(arguments, argument, flags);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    app.parse(arguments);
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string_view message = error.what();
    input_error(message.substr(0, message.find(':')), "expected a value, got none");
  }
  for (const Flag& flag : flags.all()) {
    if (flag.is_switch)
      std::replace(values[flag.name].begin(), values[flag.name].end(), std::string(),
                   std::string("true"));
  }
  for (const std::string& extra : app.remaining()) {
    if (extra.starts_with('-'))
      unknown_flag(extra.substr(0, extra.find('=')), extra, command, flags);
    const auto list = std::find_if(flags.all().begin(), flags.all().end(), [](const Flag& flag) {
      return flag.is_positional && flag.is_list;
    });
    if (list == flags.all().end()) {
      input_error(command.name, "expected flags, got \"{}\"", extra);
    }
    values[list->name].push_back(extra);
  }
  return values;
}

/// A configuration value as the text that would have been typed.
std::string as_typed(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Arguments all_as_typed(const nlohmann::json& value) {
  Arguments out;
  for (const nlohmann::json& element : value.is_array() ? value : nlohmann::json::array({value})) {
    out.push_back(as_typed(element));
  }
  return out;
}

void take_config(const std::string& path, Values& values, const Command& command,
                 const Flags& flags) {
  const nlohmann::json config = read_config_file(path);
  for (const auto& [key, value] : config.items()) {
    const Flag* flag = flags.find(key);
    if (!flag) unknown_flag(path, key, command, flags);
    if (value.is_array() && !flag->is_list) {
      input_error(path, "expected a plain value for {}, got a list", key);
    }
    Arguments& given = values[flag->name];
    if (!given.empty() || value.is_null()) continue;
    given = all_as_typed(value);
  }
}

/// A resumed run's flags where none are typed; the checkpoint's folder takes the place of what was
/// typed to find it.
void take_resumed(Values& values, const Command& command, const Flags& flags) {
  const auto typed = [&](const std::string& name) {
    const Arguments& given = values[name];
    return given.empty() ? std::string() : given.back();
  };
  const std::string wanted = typed(kResume);
  if (wanted == "false") values[kResume].clear();
  if (wanted.empty() || wanted == "false") return;
  const ResumePoint point = find_resume_point(wanted, typed("output_dir"), command.name);
  values[kResume] = {point.checkpoint.string()};
  values["output_dir"] = {point.run_folder.string()};
  for (const Flag& flag : flags.all()) {
    const auto saved = point.flags.find(flag.name);
    if (saved == point.flags.end() || !values[flag.name].empty()) continue;
    values[flag.name] = all_as_typed(*saved);
    std::erase(values[flag.name], "");
  }
}

/// What a preset says where neither the command line, nor a configuration file, nor a resumed run
/// does.
void take_preset(Values& values, const Command& command) {
  const Arguments& wanted = values["preset"];
  if (wanted.empty() || wanted.back().empty()) return;
  for (const auto& [name, value] : command.preset(wanted.back())) {
    if (values[name].empty()) values[name] = {value};
  }
}

/// As typed, so that it can be pasted into a shell again.
std::string shell_line(const Arguments& arguments) {
  std::string line = "rlhf";
  for (const std::string& argument : arguments) {
    const bool plain =
        !argument.empty() &&
        argument.find_first_not_of(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=./:,+@%") ==
            std::string::npos;
    std::string quoted;
    for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += plain ? " " + argument : " '" + quoted + "'";
  }
  return line;
}

/// A full disk or a closed pipe behind stdout would otherwise lose results silently.
void flush_stdout() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    check(false, "stdout", "expected to write the output, got \"{}\"", std::strerror(errno));
  }
}

int dispatch(const Arguments& arguments, const std::vector<Command>& commands) {
  const std::string name = arguments.empty() ? "--help" : arguments[0];
  if (name == "--help" || name == "-h" || name == "help") {
    say("{}", overview_text(commands, terminal_width(1)));
    return 0;
  }
  if (name == "--version") {
    say("rlhf {}\n", version);
    return 0;
  }
  const auto command = std::find_if(commands.begin(), commands.end(),
                                    [&](const Command& c) { return c.name == name; });
  if (command == commands.end()) {
    Arguments names;
    for (const Command& c : commands) names.push_back(c.name);
    input_error("command", "expected {} {}, got \"{}\"{}",
                names.size() == 1 ? "the command" : "one of", fmt::join(names, ", "), name,
                hint(nearest_word(name, names), "rlhf ", "rlhf --help"));
  }
  Flags flags;
  command->declare(flags);
  const Arguments rest = with_positional(Arguments(arguments.begin() + 1, arguments.end()), flags);
  if (std::any_of(rest.begin(), rest.end(), [](auto& a) { return a == "--help" || a == "-h"; })) {
    say("{}", command_text(*command, flags, terminal_width(1)));
    return 0;
  }
  Values values = split_arguments(rest, *command, flags);
  const Arguments config = values["config"];
  if (!config.empty()) take_config(config.back(), values, *command, flags);
  if (flags.find(kResume)) take_resumed(values, *command, flags);
  if (command->preset) take_preset(values, *command);
  for (const Flag& flag : flags.all()) {
    const Arguments& given = values[flag.name];
    for (const std::string& value : given) {
      if (flag.is_list || &value == &given.back()) flag.set(value);
    }
    if (given.empty() && flag.is_required) {
      input_error("--" + flag.name, "expected {}, got nothing", flag.help);
    }
  }
  return command->run({command->name, shell_line(arguments), flags.resolved()});
}

int complain(int code, std::string_view message) {
  note("rlhf: {}\n", escape_line(message));
  return code;
}

}  // namespace

int run_command(std::span<const std::string> arguments, Watch& watch,
                const std::vector<Command>& commands) {
  const Watched watched(watch);
  return dispatch(Arguments(arguments.begin(), arguments.end()), commands);
}

int run_cli(int argc, const char* const* argv, const std::vector<Command>& commands) {
  try {
    const int code = dispatch(Arguments(argv + std::min(argc, 1), argv + argc), commands);
    flush_stdout();
    return code;
  } catch (const Interrupted& stop) {
    return complain(128 + stop.signal, stop.what());
  } catch (const InputError& error) {
    return complain(2, error.what());
  } catch (const std::bad_alloc&) {
    return complain(1, "[memory] expected more of it to be free, got none; try a smaller batch");
  } catch (const std::exception& error) {
    return complain(1, error.what());
  }
}

}  // namespace rlhf
