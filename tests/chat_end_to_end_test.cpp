// rlhf chat as a person or a script uses it: answers on stdout and the rest on stderr, every
// command, conversations saved as data, control characters made harmless, and Ctrl-C that ends an
// answer and not the program.
#include <gtest/gtest.h>
#include <signal.h>

#include "core/unicode.h"
#include "data/chat_template.h"
#include "data/datasets.h"
#include "rl/model/model_folder.h"
#include "tests/paths.h"
#include "tests/process.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

/// A model that says one character again and again, whatever it reads.
LanguageModel monotonous(const Tokenizer& tokenizer, std::string_view character,
                         const Gpt2Config& config) {
  LanguageModel model{make_gpt2(config, 1)};
  Gpt2& trunk = model.transformer;
  std::vector<float> rows(size_t(config.vocab_size * config.n_embd), 0);
  rows[size_t(tokenizer.encode(character)[0] * config.n_embd)] = 1;
  trunk.wte.weight = Tensor::from(rows, {config.vocab_size, config.n_embd});
  std::vector<float> bias(size_t(config.n_embd), 0);
  bias[0] = 100;
  trunk.ln_f.weight = Tensor::zeros({config.n_embd}, DType::f32);
  trunk.ln_f.bias = Tensor::from(bias, {config.n_embd});
  return model;
}

class ChatEndToEnd : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<std::string> corpus{"abcdefgh /\x1b"};
    tokenizer = with_chat_template(CharTokenizer::train(corpus), "model");
  }

  void save(std::string_view character, int64_t n_positions = 64) {
    LanguageModel model =
        monotonous(*tokenizer, character, tiny_config(tokenizer->vocab_size(), n_positions));
    save_model(root / "model", model, *tokenizer);
  }

  Finished chat(const std::string& typed, const std::string& flags = "--max_new_tokens 3") {
    std::ofstream(root / "typed.txt") << typed;
    return run_program(
        "/bin/sh",
        {"-c", std::string(rlhf_program) + " chat --model_name_or_path " +
                   (root / "model").string() + " " + flags + " < " + (root / "typed.txt").string()},
        root);
  }

  TemporaryFolder root;
  std::unique_ptr<Tokenizer> tokenizer;
};

const std::string kCut = "cut: the answer reached --max_new_tokens or the end of the context\n";

TEST_F(ChatEndToEnd, AnswersLineByLineUntilTheInputEnds) {
  save("c");
  const Finished done = chat("a\n\nab b");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "ccc\nccc\n");
  EXPECT_EQ(done.err, kCut + kCut);
}

TEST_F(ChatEndToEnd, TakesEveryCommand) {
  save("c");
  const std::string file = (root / "said.jsonl").string();
  const Finished done =
      chat("/undo\n/retry\n/save " + file + "\na\n/system be\n//a\n/retry\n/undo\n/save " + file +
           "\n/reset\nb\n/system\n/save " + file + "\n/resett\n/exit now\n/save " +
           (root / "said.txt").string() + "\n/exit\nnever\n");
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out, "ccc\nccc\nccc\nccc\n");
  EXPECT_EQ(done.err,
            "rlhf: [/undo] expected an answer before it, got none\n"
            "rlhf: [/retry] expected an answer before it, got none\n"
            "rlhf: [/save] expected a conversation with an answer, got none\n" +
                kCut + "the system message is set\n" + kCut + kCut +
                "taken back; 3 messages left\n"
                "3 messages appended to " +
                file + "\na new conversation\n" + kCut +
                "no system message\n"
                "2 messages appended to " +
                file +
                "\n"
                "rlhf: [chat] expected a command of /help, got \"/resett\"; did you mean /reset?\n"
                "rlhf: [/exit] expected nothing behind it, got \"now\"\n"
                "rlhf: [/save] expected a .jsonl file, got " +
                quote((root / "said.txt").string()) + "\n");
  const auto rows = read_prompt_completion(file);
  ASSERT_EQ(rows.size(), 2u) << "a file that fine-tuning reads";
  EXPECT_EQ(rows[0].dialogue.messages,
            (Conversation{{Role::system, "be"}, {Role::user, "a"}, {Role::assistant, "ccc"}}));
  EXPECT_EQ(rows[1].dialogue.messages, (Conversation{{Role::user, "b"}, {Role::assistant, "ccc"}}));
}

TEST_F(ChatEndToEnd, ShowsWhatWouldSteerATerminal) {
  save("\x1b");
  EXPECT_EQ(chat("a\n", "--max_new_tokens 2").out, "\\x1b\\x1b\n");
}

TEST_F(ChatEndToEnd, SaysWhatIsForgotten) {
  save("c", 24);
  const Finished done = chat("a\na\na\na\n", "--max_new_tokens 3 --system b");
  EXPECT_EQ(done.out, "ccc\nccc\nccc\nccc\n");
  EXPECT_NE(done.err.find("the context is full: the first 2 messages are no longer read"),
            std::string::npos)
      << done.err;
}

TEST_F(ChatEndToEnd, RefusesWhatItCannotReadAndGoesOn) {
  save("c");
  const Finished done = chat("xyz\n\xff\na\n");
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out, "ccc\n");
  EXPECT_EQ(done.err,
            "rlhf: [text] expected characters of the vocabulary, got \"x\" as character 1\n"
            "rlhf: [message] expected UTF-8, got \"\\xFF\"\n" +
                kCut);
}

TEST_F(ChatEndToEnd, NeedsAModelThatHasLearntMessages) {
  const CharTokenizer plain = tiny_tokenizer();
  LanguageModel model{make_gpt2(tiny_config(12), 1)};
  save_model(root / "model", model, plain);
  const Finished done = chat("a\n");
  EXPECT_EQ(done.code, 2);
  EXPECT_EQ(done.err,
            "rlhf: [" + (root / "model").string() +
                "] expected a model with a chat template, got none; `rlhf sft` on rows of "
                "messages gives it one\n");
}

TEST_F(ChatEndToEnd, CtrlCStopsTheAnswerAndNotTheProgram) {
  Gpt2Config config = tiny_config(tokenizer->vocab_size(), 4096);
  config.n_embd = 256;
  config.n_layer = 4;
  LanguageModel model = monotonous(*tokenizer, "c", config);
  save_model(root / "model", model, *tokenizer);
  int to[2], from[2];
  ASSERT_EQ(pipe(to) | pipe(from), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(to[0], 0);
    dup2(from[1], 1);
    dup2(::open((root / "err.txt").c_str(), O_WRONLY | O_CREAT, 0600), 2);
    for (const int end : {to[0], to[1], from[0], from[1]}) close(end);
    const std::string folder = (root / "model").string();
    execl(rlhf_program, rlhf_program, "chat", "--model_name_or_path", folder.c_str(),
          "--max_new_tokens", "4000", nullptr);
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  const auto type = [&](const std::string& text) {
    return write(to[1], text.data(), text.size()) == ssize_t(text.size());
  };
  std::string out(1 << 16, '\0');
  ASSERT_TRUE(type("a\n"));
  ssize_t size = read(from[0], out.data(), 1);
  ASSERT_EQ(size, 1);
  ASSERT_EQ(kill(child, SIGINT), 0);
  while (out[size_t(size) - 1] != '\n') {
    const ssize_t more = read(from[0], out.data() + size, out.size() - size_t(size));
    ASSERT_GT(more, 0);
    size += more;
  }
  EXPECT_LT(size, 3500) << "the whole answer has 4000 characters";
  ASSERT_TRUE(type("/undo\n/exit\n"));
  EXPECT_EQ(wait_for(child), 0) << "it was still there";
  close(to[1]);
  close(from[0]);
  EXPECT_EQ(content_of(root / "err.txt"),
            "stopped; what was said counts\ntaken back; 0 messages left\n");
}

}  // namespace
}  // namespace rlhf
