// Exports, read by the readers of `rlhf reward`, `dpo` and `kto`.
#include "serve/store/export.h"

#include <map>
#include <set>

#include "data/datasets.h"
#include "data/feedback.h"
#include "serve/store/chats.h"
#include "serve/store/ratings.h"
#include "tests/store_helpers.h"

namespace rlhf::store {
namespace {

class Exports : public StoreTest {
 protected:
  std::filesystem::path exported(ExportOptions options) {
    const auto file = folder / (std::string(name_of(options.kind)) + ".jsonl");
    rows = export_file(store(), options, file);
    EXPECT_EQ(size_t(rows), lines_of(file).size());
    return file;
  }
  std::vector<nlohmann::json> rows_of(ExportOptions options) {
    std::vector<nlohmann::json> found;
    for (const auto& line : lines_of(exported(options))) {
      found.push_back(nlohmann::json::parse(line));
    }
    return found;
  }
  int64_t messages_prompt() {
    import_prompts(store(), the_program, R"({"prompt": [{"role": "user", "content": "hello ?"}]})");
    return list_prompts(store(), 0, 1000).back().id;
  }

  int64_t rows = 0;
};

TEST_F(Exports, PreferencesAreReadAsTheyAre) {
  const int64_t anna = person("anna"), ben = person("ben");
  comparison(prompt("the film"), {" was good .", " was bad ."}, 2);
  comparison(messages_prompt(), {"hi", "go away"});
  prefer(anna, 0, 2);
  prefer(anna, 1);
  prefer(ben, 1, 1);
  const auto file = exported({.kind = ExportKind::preferences});
  const auto pairs = read_preferences(file);
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[0].prompt, "the film");
  EXPECT_EQ(pairs[0].chosen, " was good .");
  EXPECT_EQ(pairs[0].rejected, " was bad .");
  EXPECT_EQ(pairs[0].margin, 1);
  EXPECT_EQ(pairs[1].first.messages,
            (Conversation{{rlhf::Role::user, "hello ?"}, {rlhf::Role::assistant, "go away"}}));
  EXPECT_EQ(pairs[1].first.given, 1u);
  EXPECT_EQ(pairs[1].second.messages.back().content, "hi");
  EXPECT_EQ(pairs[1].margin, 0);
  EXPECT_EQ(pairs[2].chosen, " was bad .");
  EXPECT_DOUBLE_EQ(pairs[2].margin, 1.0 / 3);

  const auto feedback = read_feedback(file);
  ASSERT_EQ(feedback.size(), 3u);
  EXPECT_EQ(feedback[0].item.kind, ItemKind::pair);
  EXPECT_EQ(feedback[0].item.annotator, feedback[1].item.annotator);
  EXPECT_NE(feedback[0].item.annotator, feedback[2].item.annotator);
  EXPECT_TRUE(feedback[0].item.annotator.starts_with("annotator-"));
  EXPECT_EQ(feedback[0].item.source, "import");
  EXPECT_EQ(feedback[0].weight, 1);
  EXPECT_EQ(subject_of(feedback[0].item), subject_of(feedback[2].item));

  const auto named = rows_of({.kind = ExportKind::preferences, .pseudonyms = false});
  EXPECT_EQ(named[0].at("annotator"), "anna");
  EXPECT_EQ(named[0].at("milliseconds"), 2000);
  EXPECT_EQ(named[0].at("versions").at("chosen"), 1);
  EXPECT_EQ(named[0].at("sampling").at("rejected").at("temperature"), 1.0);
  EXPECT_EQ(named[0].at("order").at(named[0].at("place").get<size_t>()), 0);
  EXPECT_EQ(named[0].at("purpose"), "collect");
  EXPECT_EQ(named[0].at("created"), time);
}

TEST_F(Exports, ABestOfSeveralBeatsEachOther) {
  const int64_t anna = person("anna");
  comparison(prompt("p"), {"a", "b", "", "c", "b"});
  prefer(anna, 1);
  const auto pairs = read_preferences(exported({}));
  ASSERT_EQ(pairs.size(), 2u) << "not the empty one, nor the one that is equal";
  EXPECT_EQ(pairs[0].rejected + pairs[1].rejected, "ac");
}

TEST_F(Exports, TiesAndWhatCannotBeLearntAreApart) {
  const int64_t anna = person("anna");
  for (const char* text : {"p", "q", "r", "s"}) comparison(prompt(text), {"a", "b"});
  comparison(prompt("t"), {"same", "same"});
  choose(anna, Choice::tie);
  choose(anna, Choice::both_bad);
  choose(anna, Choice::skip);
  prefer(anna, 0);
  prefer(anna, 0);
  EXPECT_EQ(rows_of({.kind = ExportKind::preferences}).size(), 1u);
  const auto ties = rows_of({.kind = ExportKind::ties});
  ASSERT_EQ(ties.size(), 3u);
  EXPECT_EQ(ties[0].at("choice"), "tie");
  EXPECT_EQ(ties[1].at("choice"), "both_bad");
  EXPECT_EQ(ties[2].at("choice"), "better");
  EXPECT_EQ(ties[0].at("answers").size(), 2u);
  const auto log = rows_of({.kind = ExportKind::log});
  EXPECT_EQ(log.size(), 5u);
  EXPECT_EQ(log[2].at("choice"), "skip");
}

TEST_F(Exports, LabelsAndScoresAreReadAsTheyAre) {
  const int64_t anna = person("anna"), by = version();
  comparison(prompt("p"), {"a", "b"});
  comparison(prompt("q"), {"c", "d"});
  const Lease lease = lease_next(store(), anna).value();
  const int place = place_of(lease, 0);
  rate(store(), anna, {.request_id = "1", .lease = lease.id, .place = place, .value = 1});
  rate(store(), anna, {.request_id = "2", .lease = lease.id, .place = place, .value = -1});
  rate(store(), anna,
       {.request_id = "3",
        .lease = lease.id,
        .place = place,
        .kind = RatingKind::score,
        .value = 4});
  prefer(anna, 1);
  choose(anna, Choice::both_bad);
  const int64_t chat = create_chat(store(), anna, "", "Be brief.");
  const int64_t question = add_user_message(store(), anna, chat, {}, "hi");
  const int64_t answer = add_assistant_message(
      store(), anna, chat, {.parent = question, .content = "hello", .version = by});
  const int64_t more = add_user_message(store(), anna, chat, answer, "more");
  const int64_t second_answer =
      add_assistant_message(store(), anna, chat, {.parent = more, .content = "no", .version = by});
  rate(store(), anna, {.request_id = "4", .message = second_answer, .value = 1});
  rate(store(), anna,
       {.request_id = "5", .message = answer, .kind = RatingKind::score, .value = 2});

  const auto labels = read_unpaired_preferences(exported({.kind = ExportKind::kto}));
  ASSERT_EQ(labels.size(), 6u);
  EXPECT_EQ(labels[0].completion, "b");
  EXPECT_TRUE(labels[0].desirable);
  EXPECT_EQ(labels[1].completion, "a");
  EXPECT_FALSE(labels[1].desirable);
  EXPECT_FALSE(labels[2].desirable || labels[3].desirable);
  EXPECT_EQ(labels[4].completion, "a") << "the latest thumb of two";
  EXPECT_FALSE(labels[4].desirable);
  EXPECT_EQ(labels[5].dialogue.messages, (Conversation{{rlhf::Role::system, "Be brief."},
                                                       {rlhf::Role::user, "hi"},
                                                       {rlhf::Role::assistant, "hello"},
                                                       {rlhf::Role::user, "more"},
                                                       {rlhf::Role::assistant, "no"}}));
  EXPECT_TRUE(labels[5].desirable);

  const auto scores = read_feedback(exported({.kind = ExportKind::scores}));
  ASSERT_EQ(scores.size(), 2u);
  EXPECT_EQ(scores[0].item.kind, ItemKind::score);
  EXPECT_EQ(scores[0].value, 4);
  EXPECT_EQ(scores[0].item.first, "a");
  EXPECT_EQ(scores[1].value, 2);
  EXPECT_EQ(scores[1].first.messages.size(), 3u);
  EXPECT_EQ(read_feedback(exported({.kind = ExportKind::kto})).size(), 6u);
}

TEST_F(Exports, VotesUpToOneAndWithoutThoseUndone) {
  const int64_t anna = person("anna");
  for (int i = 0; i < 4; i++) comparison(prompt(std::to_string(i)), {"a", "b"});
  prefer(anna, 0);
  const int64_t second_vote = prefer(anna, 0);
  prefer(anna, 0);
  prefer(anna, 0);
  undo_vote(store(), anna, "u");
  const auto count = [&](ExportOptions options) { return rows_of(options).size(); };
  EXPECT_EQ(count({}), 3u);
  EXPECT_EQ(count({.votes_until = second_vote}), 2u);
  EXPECT_EQ(count({.votes_after = second_vote}), 1u);
  EXPECT_EQ(count({.kind = ExportKind::log}), 4u);
  EXPECT_EQ(rows_of({.kind = ExportKind::log})[3].at("undone"), time);
}

TEST_F(Exports, APromptIsOnOneSideForEver) {
  const int64_t anna = person("anna");
  for (int i = 0; i < 100; i++) {
    comparison(prompt("prompt " + std::to_string(i)), {"a", "b"});
    prefer(anna, 0);
  }
  const auto prompts = [&](bool held_out, double fraction) {
    std::set<std::string> found;
    for (const auto& row : rows_of({.held_out = held_out, .held_out_fraction = fraction})) {
      found.insert(row.at("prompt"));
    }
    return found;
  };
  const auto held = prompts(true, 0.3), train = prompts(false, 0.3), fewer = prompts(true, 0.1);
  EXPECT_EQ(held.size() + train.size(), 100u);
  EXPECT_NEAR(double(held.size()), 30, 18);
  for (const auto& each : held) EXPECT_FALSE(train.contains(each));
  for (const auto& each : fewer) EXPECT_TRUE(held.contains(each));
  EXPECT_EQ(prompts(true, 0).size(), 0u);
  EXPECT_EQ(prompts(true, 1).size(), 100u);
}

TEST_F(Exports, NothingMakesAnEmptyFileAndNamesAreChecked) {
  EXPECT_EQ(content_of(exported({})), "");
  EXPECT_EQ(export_named("kto"), ExportKind::kto);
  EXPECT_THROW(export_named("all"), InputError);
  EXPECT_THROW(export_file(store(), {}, folder / "no" / "file.jsonl"), InputError);
}

}  // namespace
}  // namespace rlhf::store
