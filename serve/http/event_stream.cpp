#include "serve/http/event_stream.h"

#include <algorithm>
#include <cstring>

namespace rlhf::http {

std::string event_text(std::string_view name, std::string_view data) {
  std::string text;
  text.reserve(name.size() + data.size() + 24);
  if (!name.empty()) text.append("event: ").append(name).append("\n");
  // A lone \r ends a line as well; a reader gives every kind back as \n.
  for (size_t from = 0;;) {
    const size_t end = data.find_first_of("\r\n", from);
    text.append("data: ").append(data.substr(from, end - from)).append("\n");
    if (end == std::string_view::npos) break;
    from = end + (data.substr(end, 2) == "\r\n" ? 2 : 1);
  }
  return text.append("\n");
}

EventStream::EventStream(std::function<void()> wake, size_t most_waiting)
    : wake_(std::move(wake)), most_waiting_(most_waiting) {}

bool EventStream::send(std::string_view bytes) {
  std::vector<std::function<void()>> actions;
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || finished_) return false;
    if (waiting_.size() - taken_ + bytes.size() <= most_waiting_) {
      waiting_.append(bytes);
      sent_lately_ = true;
      wake_locked();
      return true;
    }
    gone_ = true;
    waiting_.clear();
    taken_ = 0;
    actions.swap(on_gone_);
    wake_locked();
  }
  for (const auto& action : actions) action();
  return false;
}

void EventStream::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  on_gone_.clear();
  wake_locked();
}

bool EventStream::gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

void EventStream::on_gone(std::function<void()> action) {
  {
    const std::lock_guard lock(mutex_);
    if (!gone_) {
      if (!finished_) on_gone_.push_back(std::move(action));
      return;
    }
  }
  action();
}

EventStream::Taken EventStream::take(char* to, size_t most, size_t& taken,
                                     const std::function<void()>& sleep) {
  const std::lock_guard lock(mutex_);
  if (gone_) return Taken::cut;
  taken = std::min(most, waiting_.size() - taken_);
  if (taken == 0) {
    if (finished_) return Taken::end;
    asleep_ = true;
    sleep();
    return Taken::nothing_yet;
  }
  std::memcpy(to, waiting_.data() + taken_, taken);
  taken_ += taken;
  total_ += int64_t(taken);
  // Moving the rest to the front only now and then keeps a long queue linear.
  if (taken_ == waiting_.size() || taken_ > most_waiting_ / 2) {
    waiting_.erase(0, taken_);
    taken_ = 0;
  }
  return Taken::bytes;
}

void EventStream::lose() {
  std::vector<std::function<void()>> actions;
  {
    const std::lock_guard lock(mutex_);
    if (gone_) return;
    gone_ = true;
    actions.swap(on_gone_);
    wake_locked();
  }
  for (const auto& action : actions) action();
}

void EventStream::keep_alive() {
  const std::lock_guard lock(mutex_);
  if (!sent_lately_ && !gone_ && !finished_ && waiting_.size() == taken_) {
    waiting_.append(": still here\n\n");
    wake_locked();
  }
  sent_lately_ = false;
}

int64_t EventStream::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

void EventStream::wake_locked() {
  if (!asleep_) return;
  asleep_ = false;
  wake_();
}

}  // namespace rlhf::http
