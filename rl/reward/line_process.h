// A program that answers lines with lines, kept alive between them.
#pragma once

#include <sys/types.h>

#include <string>

namespace rlhf {

class LineProcess {
 public:
  /// Starts nothing yet. `timeout_seconds` bounds each answer, its question's writing included.
  LineProcess(std::string command, double timeout_seconds);
  /// Closes the program's input, gives it a second to end, then kills its process group and waits:
  /// no zombie stays.
  ~LineProcess();
  LineProcess(const LineProcess&) = delete;
  LineProcess& operator=(const LineProcess&) = delete;

  /// Sends a line and returns the line that comes back, both without their line break. Runs
  /// `/bin/sh -c command` first if it is not running.
  /// @throws InputError naming the command when it cannot be started, has ended, is late, or
  /// answers with more than 64 MiB.
  std::string ask(const std::string& line);

 private:
  void start();
  void stop();
  /// What became of a program that closed its output: "it exited with code 3".
  std::string fate();
  [[noreturn]] void fail(const std::string& what);

  std::string command_;
  double timeout_seconds_;
  pid_t process_ = -1;
  int channel_ = -1;    // a socket: written to and read from
  std::string unread_;  // after the last line
};

}  // namespace rlhf
