#include "serve/store/export.h"

#include <algorithm>
#include <charconv>
#include <fstream>

#include "core/sha256.h"
#include "serve/store/kept_rows.h"
#include "serve/store/private_file.h"
#include "serve/store/prompt_rows.h"
#include "serve/store/refusals.h"

namespace rlhf::store {
namespace {

constexpr std::string_view kind_names[] = {"preferences", "kto", "scores", "ties", "log"};

std::string pseudonym(uint64_t seed, int64_t person) {
  Sha256 digest;
  digest.add(fmt::format("{}:{}", seed, person));
  return "annotator-" + digest.digest().substr(0, 8);
}

Rows rows_of(const KeptVote& vote, ExportKind kind) {
  if (kind == ExportKind::log) return log_rows(vote);
  if (vote.undone) return {};
  switch (kind) {
    case ExportKind::preferences:
      return preference_rows(vote);
    case ExportKind::kto:
      return label_rows(vote);
    case ExportKind::ties:
      return tie_rows(vote);
    default:
      return {};
  }
}

/// Whether an export takes rows of a prompt, by its side of the split.
bool takes(const ExportOptions& options, const Prompt& prompt) {
  return !options.held_out || *options.held_out == is_held_out(prompt, options.held_out_fraction);
}

}  // namespace

std::string_view name_of(ExportKind kind) { return kind_names[size_t(kind)]; }
ExportKind export_named(std::string_view name) {
  return enumerator_named<ExportKind>("export", name, kind_names);
}

bool is_held_out(const Prompt& prompt, double fraction) {
  const std::string digest = digest_of(prompt.text, prompt.is_messages);
  uint32_t number = 0;
  std::from_chars(digest.data(), digest.data() + std::min<size_t>(digest.size(), 8), number, 16);
  return double(number) < fraction * 0x1p32;
}

int64_t export_rows(Store& store, const ExportOptions& options,
                    const std::function<void(std::string_view)>& line) {
  int64_t count = 0;
  const auto write = [&](const Rows& rows) {
    for (const auto& row : rows) {
      line(row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
      count++;
    }
  };
  const Naming naming = [&](int64_t person, std::string_view name) {
    return options.pseudonyms ? pseudonym(store.secret_seed(), person) : std::string(name);
  };
  const VoteRange range{.after = options.votes_after, .until = options.votes_until};
  store.read([&](Connection& connection) {
    if (options.kind != ExportKind::scores) {
      each_vote(connection, range, naming, [&](const KeptVote& vote) {
        if (takes(options, vote.comparison.prompt)) write(rows_of(vote, options.kind));
      });
    }
    const bool labels = options.kind == ExportKind::kto;
    if (labels || options.kind == ExportKind::scores) {
      each_rating(connection, labels ? RatingKind::thumb : RatingKind::score, range, naming,
                  [&](const KeptRating& rating) {
                    if (takes(options, rating.prompt)) write(rating_rows(rating));
                  });
    }
  });
  return count;
}

int64_t export_file(Store& store, const ExportOptions& options, const std::filesystem::path& file) {
  const std::filesystem::path temporary = file.string() + ".tmp";
  try {
    create_private_file(temporary);
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    const int64_t rows = export_rows(store, options, [&](std::string_view line) { out << line; });
    out.close();
    check(out.good(), file.string(), "expected to write it, got a full disk or a broken one");
    publish_file(temporary, file);
    return rows;
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

}  // namespace rlhf::store
