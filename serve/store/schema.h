// The tables, as a list of migrations: a database remembers how many of them it has seen.
#pragma once

#include "serve/store/sqlite.h"

namespace rlhf::store {

/// How many migrations there are.
int schema_version();

/// Brings a database that is open for writing to the newest schema, all in one transaction.
/// @throws InputError for one of a newer program, or one that is not ours.
void migrate(Connection& connection);

/// @throws InputError unless the database has the newest schema.
void check_schema(Connection& connection);

}  // namespace rlhf::store
