// Copies of the database in a folder of their own, named by their time.
#pragma once

#include <filesystem>

#include "serve/store/store.h"

namespace rlhf::serve {

class Backups {
 public:
  /// `kept`: so many of the newest stay; 0: all do, and none is due. Removes what a backup that was
  /// killed has left.
  Backups(std::filesystem::path folder, int kept);

  /// Copies the database and removes the copies that are too many. @returns the file.
  std::filesystem::path make(store::Store& store, int64_t by) const;
  /// Whether the newest copy is a day old, or there is none. The copies themselves tell, so that a
  /// server that is started anew each morning makes some as well.
  bool due() const;

 private:
  std::filesystem::path folder_;
  int kept_;
};

}  // namespace rlhf::serve
