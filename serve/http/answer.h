// Answers as libmicrohttpd takes them. Long ones and streams are handed over in blocks, so that the
// server sees a client that no longer takes any.
#pragma once

#include <microhttpd.h>

#include <memory>

#include "serve/http/exchange.h"
#include "serve/http/response.h"

namespace rlhf::http {

/// The client must take so much, or what is left, within Limits::write_stall.
inline constexpr size_t answer_block = 16 * 1024;

/// Queues the exchange's answer. `write_stall` in milliseconds. False when the library refuses.
bool queue_answer(MHD_Connection* wire, const std::shared_ptr<Exchange>& exchange,
                  Response response, int64_t write_stall);

/// Sends an error answer around the library, for the places where it takes none; the connection
/// must be closed after it. The same for sockets that were never the library's.
void send_raw_error(int socket, const Response& response);

}  // namespace rlhf::http
