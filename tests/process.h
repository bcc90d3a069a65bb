// Runs a program as a person would, without a shell in between, and keeps what it says.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/files.h"

namespace rlhf {

struct Finished {
  int code = -1;  ///< exit code; 128 + the signal that ended it
  std::string out, err;
};

/// Starts a program; `scratch` is a folder for what it prints: stdout.txt and stderr.txt.
inline pid_t start_program(const std::string& program, const std::vector<std::string>& arguments,
                           const std::filesystem::path& scratch, int threads = 0) {
  const std::string out = scratch / "stdout.txt", err = scratch / "stderr.txt";
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const auto redirect = [](const std::string& path, int descriptor) {
      dup2(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), descriptor);
    };
    redirect(out, 1);
    redirect(err, 2);
    if (threads > 0) setenv("OMP_NUM_THREADS", std::to_string(threads).c_str(), 1);
    execv(program.c_str(), argv.data());
    _exit(127);
  }
  return child;
}

/// Its exit code; 128 + the signal that ended it.
inline int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Starts a program and waits until it has ended.
inline Finished run_program(const std::string& program, const std::vector<std::string>& arguments,
                            const std::filesystem::path& scratch, int threads = 0) {
  const int code = wait_for(start_program(program, arguments, scratch, threads));
  return {code, content_of(scratch / "stdout.txt"), content_of(scratch / "stderr.txt")};
}

}  // namespace rlhf
