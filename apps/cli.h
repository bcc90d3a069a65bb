// The command line: finds the subcommand, reads its flags, turns exceptions into one line and an
// exit code. Built on CLI11, which splits the arguments; what flags mean is in flags.h.
#pragma once

#include <vector>

#include "apps/command.h"

namespace rlhf {

/// @returns the exit code: that of the command; 2 when what was typed or given is wrong, 1 for any
/// other failure. Both print exactly one line on stderr, "rlhf: [what] expected ..., got ...".
int run_cli(int argc, const char* const* argv, const std::vector<Command>& commands);

}  // namespace rlhf
