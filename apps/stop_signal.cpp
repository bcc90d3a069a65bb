#include "apps/stop_signal.h"

#include <csignal>
#include <initializer_list>

namespace rlhf {
namespace {

volatile std::sig_atomic_t received = 0;

void set_handler(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

}  // namespace

void catch_stop_signals() {
  received = 0;
  set_handler([](int signal) { received = signal; }, SA_RESETHAND | SA_RESTART);
}

void release_stop_signals() { set_handler(SIG_DFL, 0); }

int stop_signal() { return received; }

}  // namespace rlhf
