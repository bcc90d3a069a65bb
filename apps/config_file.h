// --config file: a run's flags from a file, with the same keys.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace rlhf {

/// Reads a JSON object, or lines `key = value` / `key: value`, which is what TOML, INI and YAML
/// have in common as long as nothing is nested (TRL's own configuration files are such YAML).
/// Values are JSON, 'quoted', or the bare rest of the line; `#` and `;` begin comments.
/// @returns an object of strings, numbers, booleans, nulls, and lists of these.
/// @throws InputError naming the file, and the line or key that is wrong; a key given twice is.
nlohmann::json read_config_file(const std::filesystem::path& path);

}  // namespace rlhf
