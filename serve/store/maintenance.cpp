#include "serve/store/maintenance.h"

#include <sqlite3.h>

#include "core/atomic_file.h"
#include "serve/store/audit.h"
#include "serve/store/private_file.h"
#include "serve/store/sqlite.h"

namespace rlhf::store {
namespace fs = std::filesystem;

void backup(Store& store, int64_t by, const fs::path& file) {
  if (fs::exists(file)) {
    input_error(file.string(), "expected a name that is free, got a file that is there");
  }
  require_writable_folder(fs::absolute(file).parent_path(), file.string());
  const fs::path temporary = file.string() + ".tmp";
  try {
    fs::remove(temporary);
    create_private_file(temporary);
    {
      Connection copy(temporary, Connection::Mode::write);
      // A reader's snapshot: one step, and nobody waits meanwhile.
      store.read([&](Connection& connection) {
        sqlite3_backup* running =
            sqlite3_backup_init(copy.handle(), "main", connection.handle(), "main");
        if (!running) copy.fail(sqlite3_errcode(copy.handle()));
        sqlite3_backup_step(running, -1);
        if (const int code = sqlite3_backup_finish(running)) copy.fail(code);
      });
      // One file that can be carried anywhere and read on a disk that cannot be written.
      copy.run("PRAGMA journal_mode=DELETE");
    }
    publish_file(temporary, file);
  } catch (...) {
    fs::remove(temporary);
    throw;
  }
  add_audit(store, by, "backup", {{"file", file.string()}});
}

std::vector<std::string> integrity_problems(Store& store) {
  return store.read([](Connection& connection) {
    std::vector<std::string> problems;
    auto row = connection.query("PRAGMA integrity_check(20)");
    while (row.step()) {
      if (row.text(0) != "ok") problems.emplace_back(row.text(0));
    }
    auto reference = connection.query("PRAGMA foreign_key_check");
    while (reference.step()) {
      problems.push_back(fmt::format("row {} of {} refers to a row of {} that is not there",
                                     reference.get<int64_t>(1), reference.text(0),
                                     reference.text(2)));
    }
    return problems;
  });
}

}  // namespace rlhf::store
