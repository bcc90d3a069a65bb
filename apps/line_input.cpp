#include "apps/line_input.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "core/check.h"

namespace rlhf {
namespace {

volatile std::sig_atomic_t pressed = 0;

// Blocked but while waiting, so that a signal between a look at the flag and the wait is not lost.
class Blocked {
 public:
  Blocked() {
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupt, &before_);
  }
  ~Blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  const sigset_t& before() const { return before_; }

 private:
  sigset_t before_;
};

}  // namespace

LineInput::LineInput() {
  pressed = 0;
  struct sigaction action {};
  action.sa_handler = [](int) { pressed = 1; };
  sigaction(SIGINT, &action, nullptr);
}

LineInput::~LineInput() { std::signal(SIGINT, SIG_DFL); }

bool LineInput::interrupted() {
  const bool was = pressed != 0;
  pressed = 0;
  return was;
}

LineInput::Event LineInput::next(std::string& line) {
  constexpr size_t longest = size_t{1} << 20;
  const Blocked blocked;
  for (;;) {
    if (const size_t end = held_.find('\n'); end != std::string::npos) {
      line = held_.substr(0, end);
      held_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      return Event::line;
    }
    if (ended_) {
      line = std::move(held_);
      held_.clear();
      return line.empty() ? Event::end : Event::line;
    }
    if (held_.size() > longest) {
      held_.clear();
      input_error("stdin", "expected lines of at most {} bytes, got a longer one", longest);
    }
    if (interrupted()) return Event::interrupt;
    pollfd stdin_ready{.fd = 0, .events = POLLIN, .revents = 0};
    if (::ppoll(&stdin_ready, 1, nullptr, &blocked.before()) < 0) continue;  // a signal came
    char bytes[4096];
    const ssize_t count = ::read(0, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      ended_ = true;
    } else {
      held_.append(bytes, size_t(count));
    }
  }
}

}  // namespace rlhf
