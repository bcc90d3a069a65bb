// Prompts: what is taken, what is refused, which are asked next.
#include "serve/store/prompts.h"

#include "serve/store/export.h"
#include "tests/store_helpers.h"

namespace rlhf::store {
namespace {

using Prompts = StoreTest;

TEST_F(Prompts, LinesAreTakenOnceAndWrongOnesNamed) {
  const std::string lines =
      "{\"prompt\": \"the film\"}\n"
      "{\"text\": \"a book\", \"source\": \"books\"}\n"
      "{\"prompt\": \"the film\"}\n"
      "{\"prompt\": \"\"}\n"
      "{\"prompt\": [{\"role\": \"user\", \"content\": \"hi\"}]}\n"
      "{\"prompt\": [{\"content\": \"hi\", \"role\": \"user\"}]}\n"
      "{\"prompt\": [{\"role\": \"assistant\", \"content\": \"hi\"}]}\n"
      "not json\n"
      "{\"chosen\": \"x\"}\n";
  const PromptImport done = import_prompts(store(), the_program, lines, "upload");
  EXPECT_EQ(done.added, 3);
  EXPECT_EQ(done.duplicates, 2) << "the order of keys makes no other prompt";
  std::vector<int64_t> refused;
  for (const RefusedLine& line : done.refused) refused.push_back(line.line);
  std::sort(refused.begin(), refused.end());
  EXPECT_EQ(refused, (std::vector<int64_t>{4, 7, 8, 9}));
  EXPECT_EQ(import_prompts(store(), the_program, lines).duplicates, 5);
  const auto prompts = list_prompts(store(), 0, 10);
  ASSERT_EQ(prompts.size(), 3u);
  EXPECT_EQ(prompts[0].source, "upload");
  EXPECT_EQ(prompts[1].source, "books");
  EXPECT_TRUE(prompts[2].is_messages);
  EXPECT_EQ(messages_of(prompts[2]), (Conversation{{rlhf::Role::user, "hi"}}));
  EXPECT_EQ(list_prompts(store(), prompts[0].id, 1).at(0).id, prompts[1].id);
  EXPECT_EQ(count_prompts(store()), 3);
}

TEST_F(Prompts, ALongPromptIsRefused) {
  const auto line = [](size_t size) { return "{\"prompt\": \"" + std::string(size, 'x') + "\"}"; };
  EXPECT_EQ(parse_prompts(line(65536)).prompts.size(), 1u);
  const auto refused = parse_prompts(line(65537)).refused;
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].message, "[prompts:1] expected a prompt of at most 65536 bytes, got 65537");
  EXPECT_TRUE(parse_prompts("").prompts.empty());
}

TEST_F(Prompts, ThoseWithoutComparisonComeNext) {
  const int64_t first = prompt("one"), second_prompt = prompt("two"), old = version(),
                fresh = version();
  const auto next = [&](const PromptQuery& query) {
    std::vector<int64_t> ids;
    for (const Prompt& each : prompts_without_comparison(store(), query)) ids.push_back(each.id);
    return ids;
  };
  EXPECT_EQ(next({.limit = 10}), (std::vector<int64_t>{first, second_prompt}));
  add_comparison(
      store(),
      {.prompt = first, .answers = {{.text = "a", .version = old}, {.text = "b", .version = old}}});
  EXPECT_EQ(next({.limit = 10}), std::vector<int64_t>{second_prompt});
  EXPECT_EQ(next({.version = old, .limit = 10}), std::vector<int64_t>{second_prompt});
  EXPECT_EQ(next({.version = fresh}), std::vector<int64_t>{first});
  EXPECT_EQ(next({.candidate = fresh, .limit = 10}).size(), 2u);
  promote(store(), the_program, old, "the start");
  add_comparison(store(),
                 {.prompt = first,
                  .purpose = Purpose::promotion,
                  .candidate = fresh,
                  .answers = {{.text = "a", .version = old}, {.text = "b", .version = fresh}}});
  EXPECT_EQ(next({.candidate = fresh, .limit = 10}), std::vector<int64_t>{second_prompt});
  EXPECT_EQ(next({.candidate = old, .limit = 10}).size(), 2u);
}

TEST_F(Prompts, CandidatesAreComparedOnHeldOutPromptsFirst) {
  std::vector<NewPrompt> prompts;
  for (int i = 0; i < 200; i++) prompts.push_back({.text = "prompt " + std::to_string(i)});
  add_prompts(store(), the_program, prompts);
  const int64_t candidate = version();
  bool held_out_before = true;
  int64_t held_out = 0;
  for (const Prompt& each :
       prompts_without_comparison(store(), {.candidate = candidate, .limit = 200})) {
    const bool now = is_held_out(each, 0.1);
    EXPECT_TRUE(held_out_before || !now);
    held_out_before = now;
    held_out += now;
  }
  EXPECT_NEAR(double(held_out), 20, 16);
}

TEST_F(Prompts, BytesThatAreNoTextAreReplaced) {
  add_prompts(store(), the_program,
              {{.text = "a\xff"
                        "b"}});
  EXPECT_EQ(list_prompts(store(), 0, 1).at(0).text,
            "a\uFFFD"
            "b");
}

}  // namespace
}  // namespace rlhf::store
