#include "apps/resume.h"

#include "apps/print.h"
#include "apps/terminal.h"
#include "core/check.h"
#include "core/json.h"
#include "data/text_file.h"
#include "rl/run/checkpoint_folder.h"

namespace rlhf {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFlag = "--resume_from_checkpoint";

nlohmann::json read_flags(const fs::path& run_folder, const std::string& command) {
  const std::string source = (run_folder / "run_config.json").string();
  const nlohmann::json config = parse_json(read_text(source), source);
  const auto member = [&](const char* name) {
    return config.is_object() && config.contains(name) ? config[name] : nlohmann::json();
  };
  const nlohmann::json flags = member("flags"), of = member("command");
  if (!flags.is_object() || !of.is_string()) {
    input_error(source, "expected an object with \"command\" and \"flags\", got another");
  }
  if (of != command) {
    input_error(kFlag, "expected a run of `rlhf {}`, got one of `rlhf {}`", command,
                of.get<std::string>());
  }
  return flags;
}

}  // namespace

ResumePoint find_resume_point(const std::string& wanted, const std::string& output_dir,
                              const std::string& command) {
  if (wanted == "true" && output_dir.empty()) {
    input_error("--output_dir", "expected the folder of the run to resume, got nothing");
  }
  const fs::path place = wanted == "true" ? output_dir : wanted;
  if (!fs::is_directory(place)) {
    input_error(kFlag, "expected true, a checkpoint or a run's folder, got \"{}\"", wanted);
  }
  ResumePoint point;
  const auto warn = [](const std::string& message) {
    note("rlhf: skips a damaged checkpoint: {}\n", escape_line(message));
  };
  if (fs::exists(place / "manifest.json") || !fs::exists(place / "run_config.json")) {
    point.checkpoint = fs::absolute(place).lexically_normal();
    if (!point.checkpoint.has_filename()) point.checkpoint = point.checkpoint.parent_path();
    verify_checkpoint(point.checkpoint);
    const fs::path typed = place.has_filename() ? place : place.parent_path();
    point.run_folder = typed.has_parent_path() ? typed.parent_path() : fs::path(".");
  } else {
    point.checkpoint = newest_checkpoint(place, warn);
    point.run_folder = place;
  }
  point.flags = read_flags(point.run_folder, command);
  std::error_code failure;
  if (!output_dir.empty() && !fs::equivalent(output_dir, point.run_folder, failure)) {
    input_error("--output_dir", "expected {}, the folder of the run that is resumed, got \"{}\"",
                point.run_folder.string(), output_dir);
  }
  return point;
}

}  // namespace rlhf
