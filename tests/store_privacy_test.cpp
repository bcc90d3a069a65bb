// What people may ask for: their data, its erasure, and that old data goes.
#include "serve/store/privacy.h"

#include "serve/store/audit.h"
#include "serve/store/chats.h"
#include "serve/store/maintenance.h"
#include "serve/store/ratings.h"
#include "serve/store/sessions.h"
#include "serve/store/sqlite.h"
#include "serve/store/statistics.h"
#include "tests/store_helpers.h"

namespace rlhf::store {
namespace {

class Privacy : public StoreTest {
 protected:
  /// A person with something everywhere.
  int64_t busy_person() {
    const int64_t anna =
        add_person(store(), the_program, "anna secret", Role::annotator, "password1");
    sign_in(store(), "anna secret", "password1");
    new_token(store(), the_program, anna, "annas laptop");
    comparison(prompt("a public prompt"), {"a", "b"});
    const Lease lease = lease_next(store(), anna).value();
    rate(store(), anna, {.request_id = "r", .lease = lease.id, .place = 0, .value = 1});
    cast_vote(
        store(), anna,
        {.request_id = "v", .lease = lease.id, .choice = Choice::tie, .note = "a private note"});
    const int64_t chat = create_chat(store(), anna, "a private title");
    const int64_t question = add_user_message(store(), anna, chat, {}, "a private question");
    const int64_t answer = add_assistant_message(
        store(), anna, chat, {.parent = question, .content = "an answer", .version = 1});
    rate(store(), anna, {.request_id = "r2", .message = answer, .value = -1});
    return anna;
  }

  /// In the file or the log beside it.
  bool on_disk(const std::string& text) const {
    return content_of(file()).find(text) != std::string::npos ||
           content_of(file().string() + "-wal").find(text) != std::string::npos;
  }
};

TEST_F(Privacy, APersonGetsAllOfTheirDataAndNoOthers) {
  const int64_t ben = person("ben");
  create_chat(store(), ben, "bens chat");
  const int64_t anna = busy_person();
  const auto data = data_of_person(store(), anna);
  EXPECT_EQ(data.at("person").at("name"), "anna secret");
  EXPECT_EQ(data.at("person").at("active"), true);
  EXPECT_EQ(data.at("tokens").at(0).at("label"), "annas laptop");
  EXPECT_EQ(data.at("votes").at(0).at("note"), "a private note");
  EXPECT_EQ(data.at("votes").at(0).at("choice"), "tie");
  EXPECT_EQ(data.at("votes").at(0).at("prompt"), "a public prompt");
  EXPECT_EQ(data.at("ratings").size(), 2u);
  EXPECT_EQ(data.at("chats").at(0).at("title"), "a private title");
  EXPECT_EQ(data.at("messages").size(), 2u);
  EXPECT_EQ(data.at("messages").at(0).at("role"), "user");
  EXPECT_EQ(data.at("sessions").size(), 1u);
  EXPECT_EQ(data.at("leases").size(), 1u);
  EXPECT_EQ(data.at("audit").at(0).at("what"), "add_person");
  EXPECT_EQ(data.dump().find("bens chat"), std::string::npos);
  EXPECT_EQ(data.dump().find("scrypt"), std::string::npos);
  EXPECT_THROW(data_of_person(store(), 99), NotFound);
}

TEST_F(Privacy, ErasingLeavesVotesWithoutAName) {
  const int64_t anna = busy_person();
  ASSERT_TRUE(on_disk("anna secret") && on_disk("private question"));
  erase_person(store(), the_program, anna, ErasedVotes::keep);
  EXPECT_EQ(find_person(store(), anna)->name, "erased-" + std::to_string(anna));
  EXPECT_FALSE(find_person(store(), anna)->active);
  EXPECT_EQ(statistics(store()).choices.tie, 1);
  EXPECT_TRUE(tokens_of(store(), anna).empty());
  EXPECT_TRUE(chats_of(store(), anna).empty());
  EXPECT_FALSE(sign_in(store(), "anna secret", "password1"));
  for (const char* text : {"anna secret", "annas laptop", "private note", "private title",
                           "private question", "scrypt"}) {
    EXPECT_FALSE(on_disk(text)) << text;
  }
  EXPECT_TRUE(integrity_problems(store()).empty());
  EXPECT_THROW(erase_person(store(), the_program, 99, ErasedVotes::keep), NotFound);
}

TEST_F(Privacy, WhatAReaderHoldsInTheLogGoesAfterIt) {
  const int64_t anna = busy_person();
  store().read([&](Connection& connection) {
    connection.value<int64_t>("SELECT count(*) FROM people");
    erase_person(store(), the_program, anna, ErasedVotes::keep);
  });
  ASSERT_TRUE(on_disk("anna secret"));
  apply_retention(store(), the_program, {});
  EXPECT_FALSE(on_disk("anna secret"));
  const int64_t ben = person("ben");
  apply_retention(store(), the_program, {});
  EXPECT_GT(std::filesystem::file_size(file().string() + "-wal"), 0u) << "nothing was deleted";
  create_chat(store(), ben, "bens chat");
  time += int64_t{40} * 24 * 3600 * second;
  apply_retention(store(), the_program, {.chats_days = 30});
  EXPECT_EQ(std::filesystem::file_size(file().string() + "-wal"), 0u);
}

TEST_F(Privacy, ErasingVotesAsksOthersAgain) {
  const int64_t anna = busy_person(), ben = person("ben");
  EXPECT_FALSE(lease_next(store(), ben));
  erase_person(store(), the_program, anna, ErasedVotes::remove);
  EXPECT_EQ(statistics(store()).choices.tie, 0);
  EXPECT_TRUE(data_of_person(store(), anna).at("votes").empty());
  EXPECT_TRUE(data_of_person(store(), anna).at("ratings").empty());
  EXPECT_TRUE(data_of_person(store(), anna).at("leases").empty());
  EXPECT_TRUE(lease_next(store(), ben));
  prefer(ben, 0);
  EXPECT_EQ(last_vote(store()), 2) << "ids are never given again";
  EXPECT_TRUE(integrity_problems(store()).empty());
}

TEST_F(Privacy, TheLastAdminCannotBeErased) {
  const int64_t root = person("root", Role::admin);
  EXPECT_THROW(erase_person(store(), root, root, ErasedVotes::keep), Conflict);
  EXPECT_EQ(find_person(store(), root)->name, "root");
}

TEST_F(Privacy, RetentionDeletesWhatIsOldAndNoVotesUnlessAsked) {
  const int64_t anna = busy_person(), ben = person("ben");
  time += int64_t{40} * 24 * 3600 * second;
  const int64_t fresh = create_chat(store(), anna, "new");
  RetentionCounts counts = apply_retention(store(), the_program, {.chats_days = 30});
  EXPECT_EQ(counts.chats, 1);
  EXPECT_EQ(counts.sessions, 1);
  EXPECT_EQ(counts.audit + counts.votes, 0);
  EXPECT_EQ(chats_of(store(), anna).at(0).id, fresh);
  EXPECT_EQ(statistics(store()).choices.tie, 1);
  EXPECT_FALSE(on_disk("private question"));

  counts = apply_retention(store(), the_program, {.audit_days = 30, .votes_days = 30});
  EXPECT_EQ(counts.votes, 1);
  EXPECT_GT(counts.audit, 3);
  EXPECT_FALSE(lease_next(store(), ben)) << "what was judged is not judged again";
  EXPECT_FALSE(on_disk("private note"));
  EXPECT_EQ(audit_log(store()).at(0).what, "retention");
  EXPECT_TRUE(integrity_problems(store()).empty());
}

TEST_F(Privacy, TextsAreScrubbedBeforeTheyAreStored) {
  options.scrubber = Scrubber({"Erika Mustermann"});
  open();
  EXPECT_TRUE(store().scrubs());
  const int64_t anna = person("anna");
  import_prompts(store(), the_program,
                 "{\"prompt\": \"mail erika@example.org\"}\n"
                 "{\"prompt\": [{\"role\": \"user\", \"content\": \"I am Erika Mustermann\"}]}\n");
  EXPECT_EQ(list_prompts(store(), 0, 1).at(0).text, "mail [EMAIL]");
  EXPECT_EQ(messages_of(list_prompts(store(), 1, 1).at(0)).at(0).content, "I am [NAME]");
  comparison(1, {"call +49 30 1234567", "no"});
  const Lease lease = lease_next(store(), anna).value();
  EXPECT_EQ(lease.comparison.answers[0].text, "call [PHONE]");
  cast_vote(store(), anna,
            {.request_id = "v",
             .lease = lease.id,
             .choice = Choice::tie,
             .note = "erika mustermann wrote it"});
  const int64_t chat = create_chat(store(), anna);
  add_user_message(store(), anna, chat, {}, "DE89 3704 0044 0532 0130 00");
  EXPECT_EQ(find_chat(store(), anna, chat).title, "[IBAN]");
  const int64_t longer = create_chat(store(), anna);
  const std::string words = "where a title of sixty bytes would end there is mail to ";
  add_user_message(store(), anna, longer, {}, words + "erika@example.org");
  EXPECT_EQ(find_chat(store(), anna, longer).title, words + "[EMA") << "scrubbed, then cut";
  for (const char* text : {"erika", "Mustermann", "mustermann", "1234567", "0532"}) {
    EXPECT_FALSE(on_disk(text)) << text;
  }
}

}  // namespace
}  // namespace rlhf::store
