// What a client shows of itself, read from the header. Keys in a query are never looked at: queries
// end up in histories and logs.
#pragma once

#include "serve/http/fields.h"
#include "serve/http/request.h"

namespace rlhf::http {

/// Schemes other than Bearer and broken tokens count as nothing: a proxy in front may have its own.
/// @throws InputError for two Authorization headers, or a session cookie that is there twice
/// (another site of the same domain may have put one beside ours).
Credentials credentials_of(const Fields& fields);

}  // namespace rlhf::http
