// Files that only their owner may read: what people said is in them.
#pragma once

#include <filesystem>

namespace rlhf::store {

/// Creates an empty file, unless there is one. SQLite gives what it makes beside a database the
/// same rights. @throws InputError naming the file and the system's reason.
void create_private_file(const std::filesystem::path& file);

/// Brings a file that is whole to the disk and gives it its name, replacing what had it.
/// @throws Error naming the file and the system's reason.
void publish_file(const std::filesystem::path& whole, const std::filesystem::path& file);

}  // namespace rlhf::store
