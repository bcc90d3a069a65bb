// An answer of server-sent events: bytes that any thread pushes and that a client takes at its own
// pace. The client never slows the pusher: what waits is bounded, and a client that lets it grow
// past the bound is cut off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::http {

/// "event: <name>\ndata: <data>\n\n"; without the first line when the name is empty. Line breaks of
/// the data become further data lines, as the format asks.
std::string event_text(std::string_view name, std::string_view data);

class EventStream {
 public:
  /// `wake` tells the connection's thread that there is something to take; called under the
  /// stream's lock. `most_waiting` is in bytes.
  EventStream(std::function<void()> wake, size_t most_waiting);

  /// Queues bytes, whole events as they go over the wire. False when the client has gone, was too
  /// slow or the stream is finished: then nothing will be sent any more, and work may stop.
  bool send(std::string_view bytes);

  /// The answer is complete: the client gets what waits, then the end. Further sends are refused.
  void finish();

  /// True from the moment that the client is known to have left or was cut off.
  bool gone() const;

  /// Calls `action` once when the client leaves or is cut off before finish(); at once if that has
  /// happened. It may run on any thread and must not block.
  void on_gone(std::function<void()> action);

  // For the connection: -------------------------------------------------------------------------

  enum class Taken { bytes, nothing_yet, end, cut };
  /// Moves up to `most` bytes to `to`; `taken` is how many. With nothing to take, `sleep` is called
  /// under the stream's lock, so that no wake can come before it.
  Taken take(char* to, size_t most, size_t& taken, const std::function<void()>& sleep);

  /// The client has left.
  void lose();

  /// Queues a comment line when nothing was sent since the last call: proxies and clients see that
  /// all is well.
  void keep_alive();

  /// Bytes taken so far.
  int64_t total() const;

 private:
  void wake_locked();

  mutable std::mutex mutex_;
  std::function<void()> wake_;
  const size_t most_waiting_;
  std::string waiting_;
  size_t taken_ = 0;  // of waiting_
  int64_t total_ = 0;
  bool asleep_ = false, finished_ = false, gone_ = false, sent_lately_ = false;
  std::vector<std::function<void()>> on_gone_;
};

}  // namespace rlhf::http
