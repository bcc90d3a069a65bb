// rlhf: a transformer and reinforcement-learning engine. `rlhf --help` lists the commands.
#include "apps/cli.h"
#include "apps/commands.h"

int main(int argc, char** argv) { return rlhf::run_cli(argc, argv, rlhf::commands()); }
