// The n-th write or sync of SQLite's fails, for every n until all goes well: what was acknowledged
// stays, a retry with the same request is one vote, and the store goes on.
#include <sqlite3.h>

#include <cstring>

#include "serve/store/maintenance.h"
#include "serve/store/sqlite.h"
#include "tests/store_helpers.h"

namespace rlhf::store {
namespace {

/// Counts down; the call that finds 0 fails with the code.
int calls_left = -1;
int fault_code = SQLITE_OK;

int fault() { return calls_left >= 0 && calls_left-- == 0 ? fault_code : SQLITE_OK; }

struct FaultyFile {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<FaultyFile*>(file)->real(); }

const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); },
    .xRead = [](sqlite3_file* f, void* out, int n,
                sqlite3_int64 at) { return real(f)->pMethods->xRead(real(f), out, n, at); },
    .xWrite =
        [](sqlite3_file* f, const void* in, int n, sqlite3_int64 at) {
          const int code = fault();
          return code ? code : real(f)->pMethods->xWrite(real(f), in, n, at);
        },
    .xTruncate =
        [](sqlite3_file* f, sqlite3_int64 n) {
          const int code = fault();
          return code ? code : real(f)->pMethods->xTruncate(real(f), n);
        },
    .xSync =
        [](sqlite3_file* f, int flags) {
          const int code = fault();
          return code ? code : real(f)->pMethods->xSync(real(f), flags);
        },
    .xFileSize = [](sqlite3_file* f,
                    sqlite3_int64* n) { return real(f)->pMethods->xFileSize(real(f), n); },
    .xLock = [](sqlite3_file* f, int l) { return real(f)->pMethods->xLock(real(f), l); },
    .xUnlock = [](sqlite3_file* f, int l) { return real(f)->pMethods->xUnlock(real(f), l); },
    .xCheckReservedLock =
        [](sqlite3_file* f, int* out) {
          return real(f)->pMethods->xCheckReservedLock(real(f), out);
        },
    .xFileControl = [](sqlite3_file* f, int op,
                       void* arg) { return real(f)->pMethods->xFileControl(real(f), op, arg); },
    .xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); },
    .xDeviceCharacteristics =
        [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); },
    .xShmMap =
        [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
          return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
        },
    .xShmLock = [](sqlite3_file* f, int offset, int n,
                   int flags) { return real(f)->pMethods->xShmLock(real(f), offset, n, flags); },
    .xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); },
    .xShmUnmap = [](sqlite3_file* f,
                    int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); },
};

int open_faulty(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
  auto* system = static_cast<sqlite3_vfs*>(vfs->pAppData);
  file->pMethods = nullptr;
  const int code = system->xOpen(system, name, real(file), flags, out);
  if (real(file)->pMethods) file->pMethods = &methods;
  return code;
}

class Faults : public StoreTest {
 public:
  static void SetUpTestSuite() {
    sqlite3_vfs* system = sqlite3_vfs_find(nullptr);
    static sqlite3_vfs faulty = *system;
    faulty.zName = "faulty";
    faulty.szOsFile = int(sizeof(FaultyFile)) + system->szOsFile;
    faulty.pAppData = system;
    faulty.xOpen = open_faulty;
    sqlite3_vfs_register(&faulty, 1);
  }

 protected:
  /// Casts a vote until it is acknowledged, as a client would. @returns how often it was refused.
  int cast(int64_t by, const Lease& lease, const std::string& request_id) {
    for (int refused = 0;; refused++) {
      try {
        cast_vote(store(), by, {.request_id = request_id, .lease = lease.id, .place = 0});
        return refused;
      } catch (const Error& error) {
        EXPECT_LT(refused, 2) << error.what();
        EXPECT_NE(std::string(error.what()).find("[" + file().string() + "] expected"),
                  std::string::npos)
            << error.what();
        if (refused > 2) throw;
      }
    }
  }
};

TEST_F(Faults, EveryFailingCallLeavesEveryVoteOnce) {
  const int64_t anna = person("anna");
  const int64_t of = prompt("p");
  int64_t votes = 0;
  for (const int code : {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_READONLY}) {
    int refused = 0, rounds = 0;
    for (bool failed = true; failed; rounds++) {
      comparison(of, {"a", "b"});
      const Lease lease = lease_next(store(), anna).value();
      fault_code = code;
      calls_left = rounds;
      refused += cast(anna, lease, std::to_string(votes));
      votes++;
      failed = calls_left < 0;
      calls_left = -1;
      ASSERT_EQ(last_vote(store()) > 0 ? votes_after(store(), 0) : 0, votes);
      ASSERT_LT(rounds, 100);
    }
    EXPECT_GT(rounds, 2);
    EXPECT_GT(refused, 2);
  }
  EXPECT_TRUE(integrity_problems(store()).empty());
  open();
  EXPECT_EQ(votes_after(store(), 0), votes);
}

TEST_F(Faults, OpeningAndBackingUpFailWhole) {
  prompt("p");
  for (const bool copying : {false, true}) {
    int rounds = 0;
    for (bool failed = true; failed && rounds < 300; rounds++) {
      const auto target = folder / (std::to_string(copying) + std::to_string(rounds) + ".db");
      fault_code = SQLITE_FULL;
      calls_left = rounds;
      std::string message;
      try {
        if (copying) {
          backup(store(), the_program, target);
        } else {
          Store opened(target, options);
          prompts_without_comparison(opened, {});
        }
      } catch (const Error& error) {
        message = error.what();
        EXPECT_NE(message.find("expected"), std::string::npos);
      }
      failed = calls_left < 0;
      calls_left = -1;
      if (copying && message.empty()) {
        EXPECT_EQ(count_prompts(*Store::open_read_only(target)), 1);
      }
      if (copying && !message.empty() && std::filesystem::exists(target)) {
        // Only the note in the audit log failed: the copy is whole.
        EXPECT_EQ(count_prompts(*Store::open_read_only(target)), 1);
      }
      if (!copying) {
        Store again(target, options);
        EXPECT_EQ(count_prompts(again), 0) << "what was begun is begun again";
      }
    }
    EXPECT_GT(rounds, 5);
    EXPECT_LT(rounds, 300);
  }
}

}  // namespace
}  // namespace rlhf::store
