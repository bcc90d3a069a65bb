// The file itself: whose it is, what is wrong with it, copies of it, and who may write.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "serve/store/maintenance.h"
#include "serve/store/schema.h"
#include "serve/store/settings.h"
#include "serve/store/sqlite.h"
#include "serve/store/statistics.h"
#include "tests/store_helpers.h"

namespace rlhf::store {
namespace {

class File : public StoreTest {
 protected:
  /// What opening a file with these bytes says, without the folder's name.
  std::string refusal(const std::filesystem::path& path) {
    return without(message_of<InputError>([&] { Store opened(path); }),
                   folder.path().string() + "/");
  }
  void fill() {
    const int64_t anna = person("anna");
    for (int i = 0; i < 50; i++) {
      comparison(prompt(std::to_string(i) + std::string(500, 'x')), {"a", "b"});
      prefer(anna, 0);
    }
  }
};

TEST_F(File, IsKeptToOneWriterAndPrivate) {
  EXPECT_EQ(refusal(file()),
            "[votes.db] expected a database that no other process writes to, got one in use "
            "(Resource temporarily unavailable)");
  using std::filesystem::perms;
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    const auto rights = std::filesystem::status(file().string() + suffix).permissions();
    EXPECT_EQ(rights & (perms::group_all | perms::others_all), perms::none) << suffix;
  }
}

TEST_F(File, ForReadingThereMayBeManyAndNoneWrites) {
  fill();
  const auto other = Store::open_read_only(file());
  EXPECT_EQ(last_vote(*other), last_vote(store()));
  const int64_t ben = person("ben");
  EXPECT_EQ(find_person(*other, ben)->name, "ben") << "what is written is seen at once";
  EXPECT_EQ(without(message_of<InputError>([&] { set_setting(*other, ben, "x", 1); }),
                    folder.path().string() + "/"),
            "[votes.db] expected a database open for writing, got one for reading");
}

TEST_F(File, OthersAreRefused) {
  const auto write = [&](const std::string& name, const std::string& bytes) {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return folder / name;
  };
  EXPECT_EQ(refusal(write("text.db", std::string(5000, 'x'))),
            "[text.db] expected a whole SQLite database, got a damaged file (file is not a "
            "database)");
  {
    Connection connection(folder / "other.db", Connection::Mode::write);
    connection.script("CREATE TABLE t(x)");
  }
  EXPECT_EQ(refusal(folder / "other.db"),
            "[other.db] expected a database of rlhf serve, got one of another program");
  {
    Connection connection(folder / "newer.db", Connection::Mode::write);
    migrate(connection);
    connection.script("PRAGMA user_version=1000");
  }
  EXPECT_EQ(refusal(folder / "newer.db"), "[newer.db] expected a database of version " +
                                              std::to_string(schema_version()) +
                                              " at most, got 1000: a newer rlhf has written it");
  EXPECT_EQ(without(message_of<InputError>([&] { Store::open_read_only(folder / "no.db"); }),
                    folder.path().string() + "/"),
            "[no.db] expected a database, found none");
  write("file", "");
  EXPECT_NE(refusal(folder / "file" / "votes.db").find("expected a folder that can be written"),
            std::string::npos);
  EXPECT_NE(refusal(folder.path()).find("expected"), std::string::npos) << "a folder";
}

TEST_F(File, DamageIsNamedWhereverItIs) {
  fill();
  backup(store(), the_program, folder / "whole.db");
  const std::string whole = content_of(folder / "whole.db");
  ASSERT_GT(whole.size(), 20 * 4096u);
  int refused = 0;
  for (size_t at = 0; at < whole.size(); at += 4096) {
    const auto damaged = folder / "damaged.db";
    std::string bytes = whole;
    for (size_t i = at; i < at + 100; i++) bytes[i] = char(bytes[i] ^ 0xA5);
    std::ofstream(damaged, std::ios::binary) << bytes;
    const std::string message = refusal(damaged);
    refused += !message.empty();
    if (!message.empty()) {
      EXPECT_TRUE(message.starts_with("[damaged.db] expected a")) << message;
    }
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(damaged.string() + suffix);
    }
  }
  EXPECT_EQ(refused, int(whole.size() / 4096)) << "the header of every page matters";
  std::ofstream(folder / "short.db", std::ios::binary) << whole.substr(0, whole.size() / 2);
  EXPECT_NE(refusal(folder / "short.db").find("damaged"), std::string::npos);
}

TEST_F(File, ABackupIsWholeWhileOthersVote) {
  fill();
  const int64_t before = last_vote(store());
  std::atomic<bool> done = false;
  std::thread others([&] {
    for (int64_t i = 0; !done; i++) set_setting(store(), the_program, "x", i);
  });
  backup(store(), the_program, folder / "copy" / "votes.db");
  done = true;
  others.join();
  EXPECT_THROW(backup(store(), the_program, folder / "copy" / "votes.db"), InputError);
  EXPECT_FALSE(std::filesystem::exists((folder / "copy" / "votes.db").string() + "-wal"))
      << "one file is all of it";
  const auto copy = Store::open_read_only(folder / "copy" / "votes.db");
  EXPECT_EQ(last_vote(*copy), before);
  EXPECT_TRUE(integrity_problems(*copy).empty());
  Store restored(folder / "copy" / "votes.db");
  EXPECT_EQ(statistics(restored).choices.better, 50);
}

TEST_F(File, WithoutDescriptorsItGoesOn) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<int> taken;
  for (int file; (file = ::dup(0)) >= 0;) taken.push_back(file);
  // Two are left, which a sanitizer needs; a further connection would do with them, two would not.
  for (int i = 0; i < 2; i++) {
    ::close(taken.back());
    taken.pop_back();
  }
  const auto read_thrice = [&] {
    store().read([&](Connection&) {
      store().read([&](Connection&) {
        store().read([&](Connection&) { EXPECT_EQ(count_prompts(store()), 0); });
      });
    });
  };
  EXPECT_NO_THROW(read_thrice());
  EXPECT_NO_THROW(prompt("p"));
  for (const int file : taken) ::close(file);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(count_prompts(store()), 1);
}

TEST_F(File, DamageUnderARunningServerIsNoFaultOfWhoAsks) {
  fill();
  open();
  {
    std::fstream bytes(file(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(4096);
    bytes << std::string(std::filesystem::file_size(file()) - 4096, '\xA5');
  }
  try {
    statistics(store());
    FAIL() << "expected damage";
  } catch (const InputError& error) {
    FAIL() << error.what();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("damaged"), std::string::npos) << error.what();
  }
}

TEST_F(File, AFullDiskUndoesAndGoesOn) {
  const int64_t anna = person("anna");
  comparison(prompt("p"), {"a", "b"});
  store().write([](Connection& connection) {
    const int64_t pages = *connection.value<int64_t>("PRAGMA page_count");
    connection.value<int64_t>(fmt::format("PRAGMA max_page_count={}", pages));
  });
  EXPECT_EQ(without(message_of<NoRoom>([&] { prompt(std::string(60'000, 'x')); }),
                    folder.path().string() + "/"),
            "[votes.db] expected room on the disk, got none: nothing was saved");
  EXPECT_EQ(count_prompts(store()), 1);
  store().write(
      [](Connection& connection) { connection.value<int64_t>("PRAGMA max_page_count=1000000"); });
  prompt(std::string(60'000, 'x'));
  prefer(anna, 0);
  EXPECT_EQ(count_prompts(store()), 2);
  EXPECT_TRUE(integrity_problems(store()).empty());
}

TEST_F(File, WhatAnActionThrowsUndoesItsOwnChangesAlone) {
  std::vector<std::thread> threads;
  std::atomic<int> thrown = 0;
  for (int i = 0; i < 32; i++) {
    threads.emplace_back([&, i] {
      try {
        store().write([&](Connection& connection) {
          connection.run("INSERT INTO settings(name, value) VALUES(?, '1')", std::to_string(i));
          if (i % 2 == 1) input_error("x", "expected an even number, got {}", i);
        });
      } catch (const InputError&) {
        thrown++;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(thrown, 16);
  EXPECT_EQ(store().read([](Connection& connection) {
    return *connection.value<int64_t>("SELECT count(*) FROM settings WHERE value = '1'");
  }),
            16);
}

TEST_F(File, AWriteInsideOfAWriteIsRefused) {
  EXPECT_NE(message_of<Error>([&] {
              store().write([&](Connection&) { set_setting(store(), the_program, "x", 1); });
            }).find("inside of a write"),
            std::string::npos);
  EXPECT_FALSE(setting(store(), "x"));
}

TEST_F(File, AReaderSeesOneMoment) {
  fill();
  store().read([&](Connection& connection) {
    const auto count = [&] { return *connection.value<int64_t>("SELECT count(*) FROM votes"); };
    EXPECT_EQ(count(), 50);
    comparison(prompt("more"), {"a", "b"});
    prefer(1, 0);
    EXPECT_EQ(count(), 50);
  });
  EXPECT_EQ(last_vote(store()), 51);
  EXPECT_THROW(store().read([](Connection& connection) { connection.run("DELETE FROM votes"); }),
               Error);
}

TEST_F(File, BrokenReferencesAreFound) {
  fill();
  EXPECT_TRUE(integrity_problems(store()).empty());
  {
    Connection connection(file(), Connection::Mode::write);
    connection.script("PRAGMA foreign_keys=OFF; DELETE FROM prompts WHERE id = 3;");
  }
  const auto problems = integrity_problems(store());
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0], "row 3 of comparisons refers to a row of prompts that is not there");
}

}  // namespace
}  // namespace rlhf::store
