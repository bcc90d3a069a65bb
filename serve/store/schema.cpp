#include "serve/store/schema.h"

#include <iterator>

#include "core/check.h"

namespace rlhf::store {
namespace {

/// "rlhf", in the header of the file: what `file` and we know it by.
constexpr int64_t application_id = 0x726c6866;

/// Never edit one that was released: add another.
constexpr const char* migrations[] = {
    R"sql(
CREATE TABLE settings(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE people(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  role INTEGER NOT NULL,
  active INTEGER NOT NULL DEFAULT 1,
  password TEXT,
  created INTEGER NOT NULL) STRICT;
CREATE TABLE sessions(
  hash TEXT PRIMARY KEY,
  person INTEGER NOT NULL REFERENCES people,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of ON sessions(person);
CREATE TABLE tokens(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash TEXT NOT NULL UNIQUE,
  person INTEGER NOT NULL REFERENCES people,
  label TEXT NOT NULL,
  created INTEGER NOT NULL) STRICT;
CREATE INDEX tokens_of ON tokens(person);

CREATE TABLE versions(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  parent INTEGER REFERENCES versions,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  method TEXT NOT NULL,
  note TEXT NOT NULL,
  state INTEGER NOT NULL,
  metrics TEXT NOT NULL,
  created INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX one_promoted ON versions(state) WHERE state = 1;
CREATE TABLE decisions(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  version INTEGER NOT NULL REFERENCES versions,
  previous INTEGER REFERENCES versions,
  what TEXT NOT NULL,
  who INTEGER NOT NULL,
  reason TEXT NOT NULL,
  created INTEGER NOT NULL) STRICT;
CREATE TABLE learnings(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  method TEXT NOT NULL,
  state INTEGER NOT NULL,
  votes_until INTEGER NOT NULL,
  base_version INTEGER NOT NULL REFERENCES versions,
  result_version INTEGER REFERENCES versions,
  run TEXT NOT NULL,
  figures TEXT NOT NULL,
  error TEXT NOT NULL,
  who INTEGER NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER) STRICT;
CREATE UNIQUE INDEX one_learning ON learnings(state) WHERE state = 0;

CREATE TABLE prompts(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  digest TEXT NOT NULL UNIQUE,
  text TEXT NOT NULL,
  is_messages INTEGER NOT NULL,
  source TEXT NOT NULL,
  created INTEGER NOT NULL) STRICT;
CREATE TABLE comparisons(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  prompt INTEGER NOT NULL REFERENCES prompts,
  purpose INTEGER NOT NULL,
  candidate INTEGER REFERENCES versions,
  wanted INTEGER NOT NULL,
  votes INTEGER NOT NULL DEFAULT 0,       -- that stand and are no skips
  withdrawn INTEGER NOT NULL DEFAULT 0,   -- 1: asks for no more votes, 2: and is none of its duel
  created INTEGER NOT NULL) STRICT;
CREATE INDEX comparisons_of ON comparisons(prompt);
CREATE INDEX comparisons_open ON comparisons(purpose, id) WHERE votes < wanted AND withdrawn = 0;
CREATE INDEX comparisons_shared ON comparisons(id) WHERE votes > 1;
CREATE INDEX comparisons_for ON comparisons(candidate) WHERE candidate IS NOT NULL;
CREATE TABLE answers(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  comparison INTEGER NOT NULL REFERENCES comparisons,
  slot INTEGER NOT NULL,
  text TEXT NOT NULL,
  version INTEGER NOT NULL REFERENCES versions,
  temperature REAL NOT NULL,
  top_p REAL NOT NULL,
  top_k INTEGER NOT NULL,
  max_tokens INTEGER NOT NULL,
  seed INTEGER NOT NULL,                  -- the 64 bits, signed
  ended INTEGER NOT NULL,
  UNIQUE(comparison, slot)) STRICT;
CREATE TABLE leases(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  comparison INTEGER NOT NULL REFERENCES comparisons,
  person INTEGER NOT NULL REFERENCES people,
  shown TEXT NOT NULL,                    -- the slot at each place, a digit each
  state INTEGER NOT NULL,                 -- 0 open, 1 voted, 2 released, 3 run out
  created INTEGER NOT NULL,
  until INTEGER NOT NULL) STRICT;
CREATE INDEX leases_open ON leases(comparison) WHERE state = 0;
CREATE INDEX leases_held ON leases(person) WHERE state = 0;
CREATE INDEX leases_ending ON leases(until) WHERE state = 0;
CREATE INDEX leases_of ON leases(person);
CREATE TABLE votes(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  request TEXT NOT NULL,
  person INTEGER NOT NULL REFERENCES people,
  comparison INTEGER NOT NULL REFERENCES comparisons,
  lease INTEGER NOT NULL REFERENCES leases,
  choice INTEGER NOT NULL,
  place INTEGER,
  slot INTEGER,                           -- what was shown at that place
  strength INTEGER,
  note TEXT NOT NULL,
  milliseconds INTEGER NOT NULL,
  created INTEGER NOT NULL,
  undone INTEGER,                         -- when
  undo_request TEXT,
  UNIQUE(person, request)) STRICT;
CREATE UNIQUE INDEX votes_once ON votes(comparison, person) WHERE undone IS NULL;
CREATE INDEX votes_of ON votes(person, created);
CREATE INDEX votes_lease ON votes(lease);
CREATE UNIQUE INDEX votes_undone ON votes(person, undo_request) WHERE undo_request IS NOT NULL;

CREATE TABLE chats(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  person INTEGER NOT NULL REFERENCES people,
  title TEXT NOT NULL,
  system TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL) STRICT;
CREATE INDEX chats_of ON chats(person, updated);
CREATE TABLE messages(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  chat INTEGER NOT NULL REFERENCES chats ON DELETE CASCADE,
  parent INTEGER REFERENCES messages ON DELETE CASCADE,
  role INTEGER NOT NULL,
  content TEXT NOT NULL,
  version INTEGER REFERENCES versions,
  temperature REAL, top_p REAL, top_k INTEGER, max_tokens INTEGER, seed INTEGER,
  finish_reason TEXT NOT NULL,
  created INTEGER NOT NULL) STRICT;
CREATE INDEX messages_of ON messages(chat);
CREATE INDEX messages_under ON messages(parent);
CREATE TABLE ratings(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  request TEXT NOT NULL,
  person INTEGER NOT NULL REFERENCES people,
  answer INTEGER REFERENCES answers,
  message INTEGER REFERENCES messages ON DELETE CASCADE,
  kind INTEGER NOT NULL,
  value INTEGER NOT NULL,
  created INTEGER NOT NULL,
  CHECK((answer IS NULL) <> (message IS NULL)),
  UNIQUE(person, request)) STRICT;
CREATE INDEX ratings_of_answer ON ratings(answer) WHERE answer IS NOT NULL;
CREATE INDEX ratings_of_message ON ratings(message) WHERE message IS NOT NULL;

CREATE TABLE audit(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  who INTEGER NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL,
  created INTEGER NOT NULL) STRICT;
)sql",
};

int64_t pragma(Connection& connection, std::string_view name) {
  return connection.value<int64_t>(fmt::format("PRAGMA {}", name)).value_or(0);
}

/// The version of a database of ours, or of a file that has nothing in it yet.
int64_t version_of(Connection& connection) {
  const std::string file = connection.file().string();
  const int64_t version = pragma(connection, "user_version");
  const bool empty = connection.value<int64_t>("SELECT count(*) FROM sqlite_schema") == 0;
  if (pragma(connection, "application_id") != application_id && !(empty && version == 0)) {
    input_error(file, "expected a database of rlhf serve, got one of another program");
  }
  if (version > schema_version()) {
    input_error(file,
                "expected a database of version {} at most, got {}: a newer rlhf has written it",
                schema_version(), version);
  }
  return version;
}

}  // namespace

int schema_version() { return int(std::size(migrations)); }

void migrate(Connection& connection) {
  const int64_t version = version_of(connection);
  if (version == schema_version()) return;
  connection.script("BEGIN IMMEDIATE");
  for (int64_t i = version; i < schema_version(); i++) connection.script(migrations[i]);
  connection.script(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
                                application_id, schema_version())
                        .c_str());
}

void check_schema(Connection& connection) {
  const int64_t version = version_of(connection);
  if (version != schema_version()) {
    input_error(connection.file().string(),
                "expected a database of version {}, got {}: open it once for writing",
                schema_version(), version);
  }
}

}  // namespace rlhf::store
