// Who is next: requests wait in one line a client, and a free slot goes to the client that has the
// fewest requests running; among equals to the one that has waited for its turn the longest. A
// client with a thousand requests delays another's one by those that already run, no more.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "serve/engine/request.h"

namespace rlhf::engine {

class FairQueue {
 public:
  /// Whether one more request of this client may wait: while fewer than `places` do, and where none
  /// of them is this client's, fewer than twice as many, so that nobody takes all places from the
  /// others. `free` requests do not count: there are slots for them.
  bool has_place(const std::string& client, int64_t places, int64_t free) const;

  void push(std::shared_ptr<Request> request);

  /// The next request, which counts as running from now on; null when none waits.
  std::shared_ptr<Request> pop();

  /// A request of this client that was popped has ended.
  void ended(const std::string& client);

  /// Takes out the waiting requests for which `unwanted` holds.
  std::vector<std::shared_ptr<Request>> remove_if(auto&& unwanted) {
    std::vector<std::shared_ptr<Request>> removed;
    for (auto at = clients_.begin(); at != clients_.end();) {
      std::erase_if(at->second.waiting, [&](const auto& request) {
        if (!unwanted(*request)) return false;
        removed.push_back(request);
        return true;
      });
      at = dropped_if_idle(at);
    }
    waiting_ -= int64_t(removed.size());
    return removed;
  }

  int64_t waiting() const { return waiting_; }

 private:
  struct Client {
    std::deque<std::shared_ptr<Request>> waiting;
    int64_t running = 0;
    uint64_t turn = 0;  // when it came, or was last served
  };
  using Clients = std::map<std::string, Client>;

  Clients::iterator dropped_if_idle(Clients::iterator at);

  Clients clients_;
  int64_t waiting_ = 0;
  uint64_t turns_ = 0;
};

}  // namespace rlhf::engine
