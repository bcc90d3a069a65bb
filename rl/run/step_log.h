// What the logs of a run have in common: a JSON object a line with the step it is of. A run that
// goes on from a checkpoint keeps the lines up to there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace rlhf {

struct StepLine {
  int64_t step;
  const nlohmann::json& value;  ///< an object
  const std::string& where;     ///< "source:line", for messages
  std::string_view text;        ///< with its newline
};

/// Calls `visit` for each line of a log's content, which may be any bytes. A last line without a
/// newline, which a run that was killed or still goes on leaves, is left out.
/// @throws InputError "[source:line] ..." when another line is not an object (of `what`, for the
/// message) with a whole, non-negative step.
void parse_steps(std::string_view bytes, std::string_view source, std::string_view what,
                 const std::function<void(const StepLine&)>& visit);

/// The content of a log; a run that has not logged yet leaves an empty file.
/// @throws InputError when it cannot be read.
std::string step_log_content(const std::filesystem::path& path);

/// Visits the step and the text, with its newline, of each line of a log's content.
using VisitSteps =
    std::function<void(std::string_view bytes, std::string_view source,
                       const std::function<void(int64_t step, std::string_view text)>& visit)>;

/// Makes a log empty, or, when a run is resumed, leaves the lines up to `resumed_step`, byte for
/// byte: the resumed run writes the others again. @returns `path`. @throws Error when the file
/// cannot be written, InputError as `parse` does.
const std::filesystem::path& begin_step_log(const std::filesystem::path& path,
                                            std::optional<int64_t> resumed_step,
                                            const VisitSteps& parse);

}  // namespace rlhf
