#include "serve/backups.h"

#include <algorithm>
#include <ctime>
#include <vector>

#include "serve/store/maintenance.h"

namespace rlhf::serve {
namespace fs = std::filesystem;

namespace {

/// Oldest first: names are times.
std::vector<fs::path> files_in(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Backups::Backups(fs::path folder, int kept) : folder_(std::move(folder)), kept_(kept) {
  for (const fs::path& file : files_in(folder_, ".tmp")) fs::remove(file);
}

fs::path Backups::make(store::Store& store, int64_t by) const {
  fs::create_directories(folder_);
  const std::time_t now = store.now() / 1'000'000;
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char name[32];
  std::strftime(name, sizeof name, "%Y%m%d-%H%M%S.db", &utc);
  store::backup(store, by, folder_ / name);
  const std::vector<fs::path> copies = files_in(folder_, ".db");
  for (size_t i = 0; kept_ > 0 && i + size_t(kept_) < copies.size(); i++) fs::remove(copies[i]);
  return folder_ / name;
}

bool Backups::due() const {
  if (kept_ == 0) return false;
  const std::vector<fs::path> copies = files_in(folder_, ".db");
  return copies.empty() || fs::file_time_type::clock::now() - fs::last_write_time(copies.back()) >=
                               std::chrono::hours(24);
}

}  // namespace rlhf::serve
