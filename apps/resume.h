// --resume_from_checkpoint: where a run goes on, found before its flags are read, because the flags
// that were not typed again are those of the run.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace rlhf {

struct ResumePoint {
  std::filesystem::path run_folder, checkpoint;
  nlohmann::json flags;  ///< an object: the resolved flags of the run
};

/// `wanted`: a checkpoint's folder, a run's folder, or "true" for the run in `output_dir` (which
/// may be empty otherwise); of a run the newest checkpoint that is whole. Every file of it has been
/// compared with its manifest.
/// @throws InputError when there is none, when it is damaged, when it is one of another command, or
/// when `output_dir` is given and is another run's.
ResumePoint find_resume_point(const std::string& wanted, const std::string& output_dir,
                              const std::string& command);

}  // namespace rlhf
