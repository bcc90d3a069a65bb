// The command line: finds the subcommand, reads its flags, turns exceptions into one line and an
// exit code. Built on CLI11, which splits the arguments; what flags mean is in flags.h.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "apps/commands.h"
#include "apps/watch.h"

namespace rlhf {

/// @returns the exit code: that of the command; 2 when what was typed or given is wrong, 1 for any
/// other failure. Both print exactly one line on stderr, "rlhf: [what] expected ..., got ...".
int run_cli(int argc, const char* const* argv, const std::vector<Command>& commands);

/// What `rlhf <arguments>` does, on this thread and inside of this process: it neither prints nor
/// touches how the process takes signals, and ends by an exception where `rlhf` ends by a line:
/// InputError for what is wrong with the arguments or the files, Interrupted when the watch said
/// stop, any other for a failure. Commands may run at the same time on several threads, if their
/// output folders differ; each uses as many threads as omp_set_num_threads has set on its own.
/// @returns the command's exit code.
int run_command(std::span<const std::string> arguments, Watch& watch,
                const std::vector<Command>& commands = rlhf::commands());

}  // namespace rlhf
