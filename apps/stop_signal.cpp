#include "apps/stop_signal.h"

#include <csignal>
#include <initializer_list>

#include "apps/watch.h"

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
  if (current_watch()) return;
  received = 0;
  set_handler([](int signal) { received = signal; }, SA_RESETHAND | SA_RESTART);
}

void release_stop_signals() {
  if (!current_watch()) set_handler(SIG_DFL, 0);
}

int stop_signal() {
  if (const Watch* watch = current_watch()) return watch->stop ? SIGINT : 0;
  return received;
}

}  // namespace rlhf
