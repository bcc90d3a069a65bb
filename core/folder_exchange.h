// Replacing a folder that exists in one step, so that a kill at any time leaves the old one or the
// new one and never files of both.
#pragma once

#include <filesystem>

namespace rlhf {

/// Gives `staged` the place of `target`, a folder beside it, and removes the old one. What `target`
/// held and `staged` lacks comes along: files as further names of the same file (so that whoever
/// has one open goes on writing to it), folders as copies that hold such names.
///
/// @returns false where this cannot be done, and then `target` is as it was: a file system without
/// hard links or without the exchange, a folder of another owner, a mount point, or a name such as
/// "." that cannot be exchanged.
bool exchange_folders(const std::filesystem::path& staged, const std::filesystem::path& target);

}  // namespace rlhf
