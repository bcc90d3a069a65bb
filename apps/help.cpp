#include "apps/help.h"

#include <fmt/core.h>

#include <algorithm>

#include "apps/terminal.h"
#include "rl/run/version.h"

namespace rlhf {
namespace {

/// Words filled into lines that begin at a column; the first line is begun already.
std::string wrapped(std::string_view text, int column, int width) {
  std::string out;
  int at = column;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const int length = columns_of(text.substr(0, end));
    if (at > column && at + 1 + length > width) {
      out += '\n' + std::string(size_t(column), ' ');
      at = column;
    }
    if (at > column) out += ' ', ++at;
    out += text.substr(0, end);
    at += length;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// Two columns: names, and what they mean.
std::string line_of(const std::string& name, std::string_view meaning, int column, int width) {
  std::string line = "  " + name;
  const int end = columns_of(line);
  line += end + 2 > column ? '\n' + std::string(size_t(column), ' ')
                           : std::string(size_t(column - end), ' ');
  return line + wrapped(meaning, column, width) + '\n';
}

std::string usage_of(const Flag& flag) {
  return "--" + flag.name + (flag.value_name.empty() ? "" : " " + flag.value_name);
}

std::string meaning_of(const Flag& flag) {
  if (flag.is_required) return flag.help + " (required)";
  return fmt::format("{} [{}]", flag.help, flag.default_text.empty() ? "none" : flag.default_text);
}

}  // namespace

std::string overview_text(const std::vector<Command>& commands, int width) {
  width = std::clamp(width, 40, 100);
  std::string out = fmt::format("{} {}: train language models from human feedback, bare metal\n\n",
                                bold("rlhf"), version);
  if (!commands.empty()) out += bold("Example") + "\n  " + commands.front().example + "\n\n";
  out += bold("Commands") + "\n";
  for (const Command& command : commands) out += line_of(command.name, command.summary, 15, width);
  return out + "\nrlhf <command> --help tells more about one of them.\n";
}

std::string command_text(const Command& command, const Flags& flags, int width) {
  width = std::clamp(width, 40, 100);
  std::string out = fmt::format("{}: {}\n\n{}\n  {}\n", bold("rlhf " + command.name),
                                command.summary, bold("Example"), command.example);
  int column = 18;
  for (const Flag& flag : flags.all()) {
    // Names far longer than the rest get a line of their own instead of pushing all others aside.
    const int end = 4 + columns_of(usage_of(flag));
    if (end <= std::min(40, width / 2)) column = std::max(column, end);
  }
  std::string group;
  for (const Flag& flag : flags.all()) {
    if (flag.group != group) out += "\n" + bold(group = flag.group) + "\n";
    out += line_of(usage_of(flag), meaning_of(flag), column, width);
  }
  out += "\n" + bold("Always") + "\n";
  out += line_of("--config FILE", "flags from a JSON, YAML, TOML or INI file; those typed win",
                 column, width);
  return out + line_of("--help", "this page", column, width);
}

}  // namespace rlhf
