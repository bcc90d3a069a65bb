// When the work of a stream runs.
#pragma once

namespace rlhf::emulator {

enum class Streams {
  eager,  ///< as it is put in
  lazy,   ///< when something asks for it: a synchronisation, an event that somebody waits for
};

/// For the work that follows. At first it is what the environment says, RLHF_EMULATOR_STREAMS:
/// eager or lazy.
void set_streams(Streams mode);
Streams streams();

}  // namespace rlhf::emulator
