// What an engine accepts.
#pragma once

#include "serve/engine/engine.h"

namespace rlhf::engine {

/// @throws JobError naming the field that is wrong.
void check_job(const Job& job, const LoadedLanguageModel& model, int64_t capacity);

/// @throws InputError naming the option that is out of range.
void check_options(const Options& options, const LoadedLanguageModel& model);

}  // namespace rlhf::engine
