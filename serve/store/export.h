// What people said as files that `rlhf reward`, `dpo` and `kto` read as they are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "serve/store/prompts.h"

namespace rlhf::store {

/// preferences: {prompt, chosen, rejected, margin?, annotator, ...}, a row for each answer that a
///   preferred one beat. kto: {prompt, completion, label, ...} from thumbs, preferences and "both
///   bad". scores: {prompt, completion, score, ...}. ties: {prompt, answers, choice, ...}: votes
///   that prefer nothing, and preferences that cannot be learnt from (an empty or equal text).
///   log: every vote, skipped and undone ones too, with all that is known.
enum class ExportKind { preferences, kto, scores, ties, log };

/// "preferences", ...
std::string_view name_of(ExportKind kind);
/// @throws InputError for another name.
ExportKind export_named(std::string_view name);

struct ExportOptions {
  ExportKind kind = ExportKind::preferences;
  std::optional<int64_t> votes_until = {};  ///< votes with ids up to this one
  std::optional<int64_t> votes_after = {};  ///< votes with ids above this one
  std::optional<bool> held_out = {};        ///< only that side of the split; none: both
  double held_out_fraction = 0.1;
  bool pseudonyms = true;  ///< annotators by a name that only this database can resolve
};

/// Whether a prompt is kept out of training: a function of its text alone, so that a prompt is on
/// the same side for ever.
bool is_held_out(const Prompt& prompt, double fraction);

/// Gives each row as a line of JSON with its line end. @returns how many.
int64_t export_rows(Store& store, const ExportOptions& options,
                    const std::function<void(std::string_view)>& line);

/// The same to a file that is whole or not there. No rows make an empty file.
int64_t export_file(Store& store, const ExportOptions& options, const std::filesystem::path& file);

}  // namespace rlhf::store
