// TensorBoard's `Event` messages as bytes. The few protocol-buffer fields that a scalar or a text
// takes are written here by hand; their numbers are those of tensorboard/compat/proto/event.proto,
// summary.proto and tensor.proto. Times are seconds since 1970.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rl/run/metrics_log.h"

namespace rlhf {

/// What an event file begins with.
std::string version_event(double wall_time);

/// The start of a session. From the second one of a run on, readers forget what was said before
/// about `first_step` and later ones.
std::string session_start_event(double wall_time, int64_t first_step);

/// All scalars of a step. Values become floats, as everywhere in TensorBoard; NaN stays NaN.
std::string scalars_event(double wall_time, int64_t step, const Metrics& metrics);

}  // namespace rlhf
