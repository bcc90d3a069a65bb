// rlhf serve: pages where people compare and chat, APIs, and learning from what they said.
#include <chrono>
#include <thread>

#include "apps/cli.h"
#include "apps/commands.h"
#include "apps/print.h"
#include "apps/serve_flags.h"
#include "apps/stop_signal.h"
#include "apps/terminal.h"
#include "data/text_file.h"
#include "serve/accounts.h"
#include "serve/replica.h"
#include "serve/store/prompts.h"

namespace rlhf {
namespace {

using namespace std::chrono_literals;

/// What is under way when the program is told to stop has so long.
constexpr auto kDrain = 5s;

/// Threads that go on whatever happens call it: a stderr that is full or closed must not end them.
void tell(const std::string& line) noexcept {
  try {
    note("{}\n", escape_line(line));
  } catch (const std::exception&) {
  }
}

std::string address_of(const serve::ApplicationOptions& options, uint16_t port) {
  const std::string& host = options.http.host;
  const bool is_v6 = host.find(':') != host.npos;
  return is_v6 ? fmt::format("http://[{}]:{}", host, port)
               : fmt::format("http://{}:{}", host, port);
}

void import_prompts(serve::Application& app, const std::string& file) {
  if (file.empty()) return;
  const store::PromptImport done =
      store::import_prompts(app.store, store::the_program, read_text(file), file);
  if (!done.refused.empty()) {
    const auto& [line, message] = done.refused[0];  // "[prompts:7] expected ..."
    input_error(fmt::format("{}:{}", file, line), "{}", message.substr(message.find("] ") + 2));
  }
  tell(fmt::format("{} new prompts, {} known ones from {}", done.added, done.duplicates, file));
  app.answers.wake();
}

void wait_for_stop() {
  while (stop_signal() == 0) std::this_thread::sleep_for(100ms);
}

int replica_main(const serve::ApplicationOptions& options) {
  serve::Replica replica(options);
  say("{}/v1\n", address_of(options, replica.port()));
  show_now();
  tell(fmt::format("{} answers, read-only; Ctrl-C stops", replica.policies().promoted().name));
  catch_stop_signals();
  wait_for_stop();
  replica.stop(kDrain);
  return 0;
}

int serve_main(const ServeFlags& flags) {
  serve::ApplicationOptions options = flags.options();
  options.tell = tell;
  if (flags.read_only()) return replica_main(options);
  options.run_command = [](std::span<const std::string> arguments, Watch& watch) {
    return run_command(arguments, watch);
  };
  serve::Application app(std::move(options));
  import_prompts(app, flags.prompts());
  const std::string token =
      serve::operator_token(app.store, app.options.data / "admin.token", flags.new_admin_token());
  const std::string address = address_of(app.options, app.server->port());
  say("{}/{}\n", address, token.empty() ? "" : "#token=" + token);
  show_now();
  tell(fmt::format("{} answers; Ctrl-C stops", app.policies.promoted().name));
  catch_stop_signals();
  wait_for_stop();
  tell("stopping: answers that are under way have five seconds");
  app.stop(kDrain);
  return 0;
}

}  // namespace

Command serve_command() {
  auto o = std::make_shared<ServeFlags>();
  return {.name = "serve",
          .summary = "pages where people compare answers and chat, and learning from their votes",
          .example = "rlhf serve --model_name_or_path runs/demo/sft --prompts prompts.jsonl",
          .declare = [o](Flags& flags) { o->declare(flags); },
          .run = [o](const Invocation&) { return serve_main(*o); }};
}

}  // namespace rlhf
