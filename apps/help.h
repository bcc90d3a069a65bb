// What `rlhf --help` and `rlhf <command> --help` print.
#pragma once

#include <string>
#include <vector>

#include "apps/command.h"
#include "apps/flags.h"

namespace rlhf {

/// The commands in the order of the journey, one line each. `width`: columns of the terminal.
std::string overview_text(const std::vector<Command>& commands, int width);

/// One command: an example first, then its flags by group, each with its default.
std::string command_text(const Command& command, const Flags& flags, int width);

}  // namespace rlhf
