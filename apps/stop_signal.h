// SIGINT (Ctrl-C) and SIGTERM ask a training run to save and end. A second one ends it at once, as
// the system does it. A command that is watched (apps/watch.h) is asked by its watch instead, and
// leaves alone how the process takes signals.
#pragma once

namespace rlhf {

/// From now on the two signals are remembered instead of ending the process.
void catch_stop_signals();
/// As it was before.
void release_stop_signals();
/// The signal that came since then; 0: none.
int stop_signal();

}  // namespace rlhf
