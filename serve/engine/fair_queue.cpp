#include "serve/engine/fair_queue.h"

#include <tuple>
#include <utility>

namespace rlhf::engine {

bool FairQueue::has_place(const std::string& client, int64_t places, int64_t free) const {
  const auto at = clients_.find(client);
  const bool waits = at != clients_.end() && !at->second.waiting.empty();
  return waiting_ < free + (waits ? places : 2 * places);
}

void FairQueue::push(std::shared_ptr<Request> request) {
  const auto [at, is_new] = clients_.try_emplace(request->job().client);
  if (is_new) at->second.turn = ++turns_;
  at->second.waiting.push_back(std::move(request));
  waiting_++;
}

std::shared_ptr<Request> FairQueue::pop() {
  auto next = clients_.end();
  for (auto at = clients_.begin(); at != clients_.end(); at++) {
    const Client& client = at->second;
    if (client.waiting.empty()) continue;
    if (next == clients_.end() ||
        std::tie(client.running, client.turn) < std::tie(next->second.running, next->second.turn)) {
      next = at;
    }
  }
  if (next == clients_.end()) return {};
  Client& client = next->second;
  std::shared_ptr<Request> request = std::move(client.waiting.front());
  client.waiting.pop_front();
  client.running++;
  client.turn = ++turns_;
  waiting_--;
  return request;
}

void FairQueue::ended(const std::string& client) {
  const auto at = clients_.find(client);
  at->second.running--;
  dropped_if_idle(at);
}

FairQueue::Clients::iterator FairQueue::dropped_if_idle(Clients::iterator at) {
  if (at->second.waiting.empty() && at->second.running == 0) return clients_.erase(at);
  return ++at;
}

}  // namespace rlhf::engine
