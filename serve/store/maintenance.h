// Care for the file itself.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "serve/store/store.h"

namespace rlhf::store {

/// Copies the database as it is at one moment to a file of its own, which appears when it is whole;
/// reading and writing go on meanwhile. @throws InputError when there is a file already.
void backup(Store& store, int64_t by, const std::filesystem::path& file);

/// What is wrong with the file, by SQLite's own check and that of references; empty: nothing.
std::vector<std::string> integrity_problems(Store& store);

}  // namespace rlhf::store
