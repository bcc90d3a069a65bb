// `rlhf serve` as a program of its own on a free port of this machine, for end-to-end tests.
#pragma once

#include <csignal>
#include <thread>

#include "tests/end_to_end.h"
#include "tests/http_client.h"

namespace rlhf::end_to_end {

class ServedProgram {
 public:
  /// Waits until it has printed its link. `scratch` gets what it prints.
  ServedProgram(const Arguments& call, const fs::path& scratch) : scratch_(scratch) {
    fs::create_directories(scratch);
    process_ = start_program(rlhf_program, call, scratch);
    for (int i = 0; i < 3000 && token_.empty(); i++) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      read_link(content_of(scratch / "stdout.txt"));
      if (waitpid(process_, nullptr, WNOHANG) == process_) process_ = -1;
      if (process_ < 0) break;
    }
    EXPECT_FALSE(token_.empty()) << content_of(scratch / "stderr.txt");
  }
  ~ServedProgram() { stop(SIGKILL); }
  ServedProgram(const ServedProgram&) = delete;
  ServedProgram& operator=(const ServedProgram&) = delete;

  /// Its exit code.
  int stop(int signal) {
    if (process_ < 0) return -1;
    ::kill(process_, signal);
    const int code = wait_for(process_);
    process_ = -1;
    return code;
  }

  const std::string& token() const { return token_; }
  uint16_t port() const { return port_; }
  std::string complaints() const { return content_of(scratch_ / "stderr.txt"); }

 private:
  void read_link(const std::string& text) {
    const size_t place = text.find("/#token="), end = text.find('\n');
    if (place == text.npos || end == text.npos) return;
    port_ = uint16_t(std::stoi(text.substr(text.rfind(':', place) + 1)));
    token_ = text.substr(place + 8, end - place - 8);
  }

  fs::path scratch_;
  pid_t process_ = -1;
  std::string token_;
  uint16_t port_ = 0;
};

}  // namespace rlhf::end_to_end
