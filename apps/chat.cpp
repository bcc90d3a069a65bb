// rlhf chat: talks with a model, turn by turn. Answers go to stdout and everything else to stderr,
// so that a script can hold a conversation through two pipes.
#include "rl/model/chat.h"
#include "apps/print.h"

#include <fmt/core.h>

#include <csignal>

#include "apps/chat_commands.h"
#include "apps/commands.h"
#include "apps/device_flags.h"
#include "apps/line_input.h"
#include "apps/sampling_flags.h"
#include "apps/terminal.h"
#include "apps/weight_flags.h"
#include "core/unicode.h"
#include "rl/model/model_folder.h"

namespace rlhf {
namespace {

struct Options {
  std::string model_name_or_path, system;
  SamplingOptions sampling{.max_new_tokens = 256};
  WeightFlags weights;
  DeviceFlags device;
};

void tell(const std::string& text) {
  if (!text.empty()) note("{}\n", dim(escape_controls(text), 2));
}

class ChatLoop {
 public:
  ChatLoop(Chat& chat, bool at_terminal) : chat_(chat), at_terminal_(at_terminal) {}

  int run() {
    std::string line;
    for (;;) {
      if (at_terminal_) note("{}", bold("> ", 2));
      try {
        switch (input_.next(line)) {
          case LineInput::Event::end:
            if (at_terminal_) note("\n");
            return 0;
          case LineInput::Event::interrupt:
            if (!at_terminal_) return 128 + SIGINT;
            note("\n");
            tell("/exit or Ctrl-D leaves");
            continue;
          case LineInput::Event::line:
            break;
        }
        if (!take(line)) return 0;
      } catch (const InputError& error) {
        tell(std::string("rlhf: ") + error.what());
      }
    }
  }

 private:
  /// @returns whether to go on.
  bool take(const std::string& line) {
    std::string message, notice;
    const ChatRequest request = chat_request(line, chat_, message, notice);
    tell(notice);
    if (request == ChatRequest::leave) return false;
    if (request == ChatRequest::done) return true;
    input_.interrupted();
    bool interrupted = false, printed = false;
    const auto print = [&](const std::string& text) {
      say("{}", escape_controls(text));
      show_now();
      printed |= !text.empty();
      interrupted |= input_.interrupted();
      return !interrupted;
    };
    const ChatAnswer answer =
        request == ChatRequest::retry ? chat_.retry(print) : chat_.say(message, print);
    say("\n");
    show_now();
    conclude(answer, interrupted);
    return true;
  }

  void conclude(const ChatAnswer& answer, bool interrupted) {
    if (answer.text.empty()) {
      tell("the model said nothing; the message is taken back");
    } else if (interrupted) {
      tell("stopped; what was said counts");
    } else if (!answer.ended) {
      tell("cut: the answer reached --max_new_tokens or the end of the context");
    }
    if (answer.forgotten != forgotten_ && answer.forgotten > 0) {
      tell(fmt::format("the context is full: the first {} messages are no longer read",
                       answer.forgotten));
    }
    forgotten_ = answer.forgotten;
  }

  Chat& chat_;
  bool at_terminal_;
  LineInput input_;
  size_t forgotten_ = 0;
};

int chat_main(const Options& o) {
  if (find_invalid_utf8(o.system)) {
    input_error("--system", "expected UTF-8, got {}", quote(o.system));
  }
  const Placement placement = o.device.placement_for_inference();
  o.weights.check(placement.dtype);
  LoadedLanguageModel loaded = load_language_model(o.model_name_or_path, placement);
  o.weights.apply(loaded.model.transformer);
  SamplingOptions sampling = o.sampling;
  sampling.stop_tokens = loaded.stop_tokens;
  Chat chat(loaded.model.transformer, *loaded.tokenizer, sampling, o.model_name_or_path);
  if (!o.system.empty()) chat.set_system(o.system);
  const bool at_terminal = is_terminal(0);
  if (at_terminal) {
    tell(fmt::format("{}, a context of {} tokens; /help lists commands", o.model_name_or_path,
                     loaded.model.transformer.config.n_positions));
  }
  return ChatLoop(chat, at_terminal).run();
}

}  // namespace

Command chat_command() {
  auto o = std::make_shared<Options>();
  return {.name = "chat",
          .summary = "talk with a language model that was fine-tuned on messages",
          .example = "rlhf chat --model_name_or_path runs/sft",
          .declare =
              [o](Flags& flags) {
                flags.add("model_name_or_path", o->model_name_or_path, "fine-tuned language model")
                    .required()
                    .shown_as("DIR");
                flags.add("system", o->system, "the system message; empty: none");
                flags.add("max_new_tokens", o->sampling.max_new_tokens, between(1, 1 << 20),
                          "tokens an answer at most");
                declare_sampling(flags, o->sampling);
                o->weights.declare(flags);
                o->device.declare(flags);
              },
          .run = [o](const Invocation&) { return chat_main(*o); }};
}

}  // namespace rlhf
