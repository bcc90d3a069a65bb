#include "rl/reward/line_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "core/check.h"

extern char** environ;

namespace rlhf {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kMostBytes = size_t{64} << 20;

}  // namespace

LineProcess::LineProcess(std::string command, double timeout_seconds)
    : command_(std::move(command)), timeout_seconds_(timeout_seconds) {}

LineProcess::~LineProcess() { stop(); }

void LineProcess::fail(const std::string& what) {
  stop();
  input_error("command:" + command_, "expected one JSON line for each, {}", what);
}

void LineProcess::start() {
  // One socket for both directions: unlike a pipe it takes MSG_NOSIGNAL, so that a program that has
  // ended is an error here and no SIGPIPE.
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    fail(std::string("got no socket: ") + std::strerror(errno));
  }
  channel_ = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  // A group of its own: Ctrl-C is for the training, which saves first, and a shell's children can
  // be ended with it.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  const char* argv[] = {"/bin/sh", "-c", command_.c_str(), nullptr};
  const int failure =
      posix_spawn(&process_, argv[0], &actions, &attributes, const_cast<char**>(argv), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(ends[1]);
  if (failure != 0) {
    process_ = -1;
    fail(std::string("could not be started: ") + std::strerror(failure));
  }
  fcntl(channel_, F_SETFL, O_NONBLOCK);
}

std::string LineProcess::ask(const std::string& line) {
  if (process_ < 0) start();
  const std::string out = line + "\n";
  size_t sent = 0;
  const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_seconds_);
  while (true) {
    // A question that was not read to its end may still have been answered.
    const size_t end = unread_.find('\n');
    if (end != std::string::npos && sent == out.size()) {
      std::string answer = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return answer;
    }
    if (unread_.size() > kMostBytes) fail("got more than 64 MiB in a line");
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      fail(fmt::format("got none within {} seconds (--reward_timeout)", timeout_seconds_));
    }
    pollfd waiting{channel_, short(POLLIN | (sent < out.size() ? POLLOUT : 0)), 0};
    if (poll(&waiting, 1, int(std::min<long>(left, 1000))) < 0 && errno != EINTR) {
      fail(std::string("got ") + std::strerror(errno));
    }
    if (waiting.revents & (POLLIN | POLLHUP | POLLERR)) {
      char buffer[1 << 16];
      const ssize_t n = recv(channel_, buffer, sizeof buffer, 0);
      if (n > 0) unread_.append(buffer, size_t(n));
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) fail("but " + fate());
    }
    if (waiting.revents & POLLOUT) {
      const ssize_t n = send(channel_, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
      if (n > 0) sent += size_t(n);
      if (n < 0 && errno != EAGAIN && errno != EINTR) fail("but " + fate());
    }
  }
}

std::string LineProcess::fate() {
  int status = 0;
  for (int i = 0; i < 100; i++) {
    if (waitpid(process_, &status, WNOHANG) == process_) {
      kill(-process_, SIGKILL);  // what a shell has left behind
      process_ = -1;
      return WIFEXITED(status) ? fmt::format("it exited with code {}", WEXITSTATUS(status))
                               : fmt::format("signal {} ended it", WTERMSIG(status));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return "it closed its output";
}

void LineProcess::stop() {
  if (channel_ >= 0) close(channel_);
  channel_ = -1;
  unread_.clear();
  if (process_ < 0) return;
  int status = 0;
  for (int i = 0; i < 100 && waitpid(process_, &status, WNOHANG) == 0; i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (i == 99) {
      kill(-process_, SIGKILL);
      waitpid(process_, &status, 0);
    }
  }
  process_ = -1;
}

}  // namespace rlhf
