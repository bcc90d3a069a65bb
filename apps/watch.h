// A command that runs inside of a larger program, such as a server that learns from its users'
// votes: on a thread of its own, asked to stop by a flag instead of a signal, heard by functions
// instead of a terminal. The watch belongs to the thread: what it does not watch is as ever.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "apps/progress.h"

namespace rlhf {

/// Where a command would have printed a line.
enum class Outlet { result, note };  // stdout, stderr

/// Who runs a command watches it by this. The functions are called on the command's thread, and
/// what they throw ends the command.
struct Watch {
  /// How far the command is: after every step that training logs, with all figures of the step and
  /// `title` as on the bar.
  std::function<void(const ProgressState& state)> on_progress = [](const ProgressState&) {};
  /// A line that it would have printed, without its newline; empty ones are left out. What comes
  /// from files and models is made safe to print already, as for a terminal.
  std::function<void(Outlet outlet, const std::string& line)> on_line = [](Outlet,
                                                                           const std::string&) {};
  /// Set from any thread: the command saves a checkpoint after the step that it is in and throws
  /// Interrupted, as after Ctrl-C. One that does not train runs to its end.
  std::atomic<bool> stop = false;
};

/// The watch of this thread; null: none, the command has the process to itself.
Watch* current_watch();

/// Watches this thread as long as it lives. REQUIRES: the watch lives longer.
/// @throws Error when the thread is watched already.
class Watched {
 public:
  explicit Watched(Watch& watch);
  ~Watched();
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  /// Null: this thread is not watched.
  static Watched* of_this_thread();
  Watch& watch() const { return watch_; }
  /// Passes on what is printed, line by line; what does not end by a newline waits for one.
  void hear(Outlet outlet, std::string_view text);

 private:
  Watch& watch_;
  std::string result_, note_;  // lines that have begun
};

}  // namespace rlhf
