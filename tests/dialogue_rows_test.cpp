// Rows of messages: what is read, and one clear line for each way to be wrong.
#include <gtest/gtest.h>

#include "core/check.h"
#include "data/messages.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

Row row_of(const std::string& json) {
  return parse_rows(json, RowFormat::json_lines, "d.jsonl").at(0);
}

TEST(DialogueRows, ReadsBothFormsOfTrl) {
  const Dialogue whole = dialogue_of(row_of(
      R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "你好"}, {"role": "assistant", "content": "a"}]})"));
  EXPECT_EQ(whole.messages,
            (Conversation{{Role::system, "s"}, {Role::user, "你好"}, {Role::assistant, "a"}}));
  EXPECT_EQ(whole.given, 0u);
  const Dialogue parts = dialogue_of(row_of(
      R"({"prompt": [{"role": "user", "content": "u"}], "completion": [{"role": "assistant", "content": "a"}]})"));
  EXPECT_EQ(parts.messages, (Conversation{{Role::user, "u"}, {Role::assistant, "a"}}));
  EXPECT_EQ(parts.given, 1u);
  const Dialogue implicit = dialogue_of(
      row_of(
          R"({"chosen": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]})"),
      "chosen");
  EXPECT_EQ(implicit.given, 1u) << "only the answer counts";
}

TEST(DialogueRows, LeavesOtherKeysAlone) {
  const Dialogue d = dialogue_of(row_of(
      R"({"id": 7, "messages": [{"role": "user", "content": "u", "name": "eve", "tool_calls": null}, {"weight": 1, "content": "a", "role": "assistant", "tool_calls": []}]})"));
  EXPECT_EQ(d.messages.size(), 2u);
}

TEST(DialogueRows, TellsConversationsFromText) {
  EXPECT_TRUE(is_dialogue(row_of(R"({"messages": []})")));
  EXPECT_TRUE(is_dialogue(row_of(R"({"prompt": "p", "completion": []})")));
  EXPECT_FALSE(is_dialogue(row_of(R"({"prompt": "[{\"role\": \"user\"}]", "completion": "c"})")))
      << "a text that looks like messages is a text";
}

struct Malformed {
  const char* name;
  const char* row;
  const char* message;
};

const Malformed kMalformed[] = {
    {"NoList", R"({"messages": "hi"})",
     "[d.jsonl:1] expected a list of messages in column \"messages\", got a string"},
    {"Null", R"({"messages": null})",
     "[d.jsonl:1] expected a list of messages in column \"messages\", got null"},
    {"NoMessage", R"({"messages": []})",
     "[d.jsonl:1] expected at least one message in column \"messages\", got none"},
    {"NoObject", R"({"messages": [{"role": "user", "content": "u"}, "a"]})",
     "[d.jsonl:1] expected an object as message 2 of \"messages\", got a string"},
    {"NoRole", R"({"messages": [{"content": "u"}]})",
     "[d.jsonl:1] expected \"role\" in message 1 of \"messages\", got the keys content"},
    {"OtherNames", R"({"messages": [{"from": "human", "value": "u"}]})",
     "[d.jsonl:1] expected \"role\" in message 1 of \"messages\", got the keys from, value"},
    {"EmptyObject", R"({"messages": [{}]})",
     "[d.jsonl:1] expected \"role\" in message 1 of \"messages\", got no keys"},
    {"RoleNoString", R"({"messages": [{"role": 1, "content": "u"}]})",
     "[d.jsonl:1] expected a string as \"role\" of message 1 of \"messages\", got a number"},
    {"UnknownRole", R"({"messages": [{"role": "human", "content": "u"}]})",
     "[d.jsonl:1] expected the role system, user or assistant in message 1 of \"messages\", got "
     "\"human\""},
    {"RoleCase", R"({"messages": [{"role": "User", "content": "u"}]})",
     "[d.jsonl:1] expected the role system, user or assistant in message 1 of \"messages\", got "
     "\"User\""},
    {"RoleThatSteersTheTerminal", R"({"messages": [{"role": "\u001b[2J", "content": "u"}]})",
     "[d.jsonl:1] expected the role system, user or assistant in message 1 of \"messages\", got "
     "\"\\u001B[2J\""},
    {"Tool", R"({"messages": [{"role": "tool", "content": "42"}]})",
     "[d.jsonl:1] expected the role system, user or assistant in message 1 of \"messages\", got "
     "\"tool\" (tools are not supported)"},
    {"ToolCalls",
     R"({"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a", "tool_calls": [{"id": 1}]}]})",
     "[d.jsonl:1] expected \"role\" and \"content\" in message 2 of \"messages\", got "
     "\"tool_calls\" "
     "as well"},
    {"NoContent", R"({"messages": [{"role": "user"}]})",
     "[d.jsonl:1] expected \"content\" in message 1 of \"messages\", got the keys role"},
    {"NullContent", R"({"messages": [{"role": "user", "content": null}]})",
     "[d.jsonl:1] expected a string as \"content\" of message 1 of \"messages\", got null"},
    {"ContentOfParts",
     R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "u"}]}]})",
     "[d.jsonl:1] expected a string as \"content\" of message 1 of \"messages\", got a list"},
    {"EmptyContent", R"({"messages": [{"role": "user", "content": ""}]})",
     "[d.jsonl:1] expected some text as \"content\" of message 1 of \"messages\", got an empty "
     "string"},
    {"SystemLater",
     R"({"messages": [{"role": "user", "content": "u"}, {"role": "system", "content": "s"}]})",
     "[d.jsonl:1] expected message 2 of \"messages\" from the assistant, got the system"},
    {"SystemTwice",
     R"({"messages": [{"role": "system", "content": "s"}, {"role": "system", "content": "s"}]})",
     "[d.jsonl:1] expected message 2 of \"messages\" from the user, got the system"},
    {"AssistantFirst", R"({"messages": [{"role": "assistant", "content": "a"}]})",
     "[d.jsonl:1] expected message 1 of \"messages\" from the user or the system, got the "
     "assistant"},
    {"UserTwice",
     R"({"messages": [{"role": "user", "content": "u"}, {"role": "user", "content": "v"}]})",
     "[d.jsonl:1] expected message 2 of \"messages\" from the assistant, got the user"},
    {"AssistantTwice",
     R"({"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}]})",
     "[d.jsonl:1] expected message 3 of \"messages\" from the user, got the assistant"},
    {"NoAnswer", R"({"messages": [{"role": "user", "content": "u"}]})",
     "[d.jsonl:1] expected the last message of \"messages\" from the assistant, got the user"},
    {"SystemOnly", R"({"messages": [{"role": "system", "content": "s"}]})",
     "[d.jsonl:1] expected the last message of \"messages\" from the assistant, got the system"},
    {"TextCompletion", R"({"prompt": [{"role": "user", "content": "u"}], "completion": "a"})",
     "[d.jsonl:1] expected a list of messages in column \"completion\", got a string"},
    {"TextPrompt", R"({"prompt": "u", "completion": [{"role": "assistant", "content": "a"}]})",
     "[d.jsonl:1] expected a list of messages in column \"prompt\", got a string"},
    {"PromptEndsWithAnswer",
     R"({"prompt": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}], "completion": [{"role": "user", "content": "v"}]})",
     "[d.jsonl:1] expected the last message of \"prompt\" from the user, got the assistant"},
    {"CompletionByTheUser",
     R"({"prompt": [{"role": "user", "content": "u"}], "completion": [{"role": "user", "content": "v"}]})",
     "[d.jsonl:1] expected message 1 of \"completion\" from the assistant, got the user"},
    {"NoCompletion", R"({"prompt": [{"role": "user", "content": "u"}]})",
     "[d.jsonl:1] expected a column \"completion\" of messages, found columns: prompt"},
};

class MalformedDialogue : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedDialogue, IsRefusedInOneLine) {
  EXPECT_EQ(message_of<InputError>([] { dialogue_of(row_of(GetParam().row)); }),
            GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Rows, MalformedDialogue, testing::ValuesIn(kMalformed),
                         [](const auto& test) { return test.param.name; });

TEST(DialoguePrompts, EndWithTheUser) {
  EXPECT_EQ(prompt_text_of(row_of(R"({"prompt": [{"role": "user", "content": "u"}]})")), "user: u");
  EXPECT_EQ(message_of<InputError>([] {
              dialogue_prompt_of(row_of(R"({"prompt": [{"role": "system", "content": "s"}]})"));
            }),
            "[d.jsonl:1] expected the last message of \"prompt\" from the user, got the system");
}

}  // namespace
}  // namespace rlhf
