#include "apps/serve_flags.h"

#include <filesystem>
#include <sstream>

#include "core/atomic_file.h"
#include "data/text_file.h"

namespace rlhf {

void ServeFlags::declare(Flags& flags) {
  flags
      .add(
          "model_name_or_path", model_,
          "language model that answers, until a better one is promoted; needed but for --read_only")
      .shown_as("DIR");
  declare_places(flags);
  declare_answers(flags);
  declare_comparisons(flags);
  declare_learning(flags);
  declare_privacy(flags);
}

void ServeFlags::declare_places(Flags& flags) {
  flags.group("Places");
  flags.add("host", http_.host, "address to listen on; put a proxy with TLS before any but this");
  flags.add("port", port_, between(0, 65535), "to listen on; 0: any free one");
  flags.add(
      "allowed_host", http_.allowed_hosts,
      "name by which browsers may call the server, besides this machine's own; again for more");
  flags.add("behind_proxy", http_.behind_proxy,
            "a proxy of yours passes requests on: its X-Forwarded-For counts, cookies need https");
  flags.add("rate_limit", rate_limit_, between(0.0, 1e6),
            "requests a second of a caller, four times as many at once; 0: no limit");
  flags.add("data_dir", data_, "database, log, token and backups").shown_as("DIR");
  flags.add("runs_dir", runs_, "runs that the page shows, and where learnings go").shown_as("DIR");
  flags.add("read_only", read_only_,
            "a replica beside a server with the same --data_dir: only answers, writes nothing");
  flags.add("new_admin_token", new_admin_token_,
            "a new token for signing in as the first admin; ends their old ones");
}

void ServeFlags::declare_answers(Flags& flags) {
  flags.group("Answers");
  flags.add("served_model_name", policies_.name,
            "of the promoted version under /v1; version 3 is also NAME-v3");
  engine::Options& engine = policies_.engine;
  flags.add("slots", engine.slots, between<int64_t>(1, 1024), "requests that run at a time");
  flags.add("queue", engine.queue, between<int64_t>(1, 1 << 16), "requests that wait at most");
  flags.add("prefill_chunk", engine.prefill_chunk, between<int64_t>(1, 1 << 16),
            "prompt tokens read between two steps");
  flags.add("threads", engine.threads, between(0, 1024), "of an engine; 0: as OpenMP has it");
  weights_.declare(flags);
  device_.declare(flags);
}

void ServeFlags::declare_comparisons(Flags& flags) {
  flags.group("Comparisons");
  flags.add("prompts", prompts_, "rows of prompt or messages to add at the start").shown_as("FILE");
  serve::ComparisonSettings& c = comparisons_;
  flags.add("answers", c.answers, between(2, 8), "side by side");
  flags.add("max_new_tokens", c.max_tokens, between<int64_t>(1, 1 << 16), "of an answer");
  flags.add("temperature", c.temperature, between(0.05, 2.0), "of answers");
  flags.add("top_p", c.top_p, {.least = 0.0, .most = 1.0, .above_least = true}, "of answers");
  flags.add("ahead", c.ahead, between<int64_t>(1, 1000), "comparisons kept ready");
  flags.add("doubled", c.doubled, between(0.0, 1.0), "share that two people judge");
  flags.add("candidate_votes", c.candidate_votes, between<int64_t>(1, 100'000),
            "comparisons of a candidate at most");
  flags.add("seed", seed_, {}, "of answers and learning");
}

void ServeFlags::declare_learning(Flags& flags) {
  flags.group("Learning");
  flags.add("learn", learning_.automatic,
            "learn by itself whenever there are votes enough; the Manage page's choice wins later");
  flags.add("learn_after", learning_.least_votes, between<int64_t>(1, 1'000'000),
            "new votes that are enough");
  flags.choice("learn_method", method_, {"dpo", "ppo"},
               "directly from preferences, or a reward model and PPO against it");
  flags.add("held_out", learning_.held_out, between(0.0, 0.9),
            "share of prompts that nothing learns from: candidates are measured on them");
  flags.add("learn_threads", learning_.threads, between(1, 1024), "of the CPU");
  serve::LearningSettings& s = learning_.settings;
  flags.add("dpo_config", s.dpo_config, "flags of rlhf dpo").shown_as("FILE");
  flags.add("reward_config", s.reward_config, "flags of rlhf reward").shown_as("FILE");
  flags.add("ppo_config", s.ppo_config, "flags of rlhf ppo").shown_as("FILE");
}

void ServeFlags::declare_privacy(Flags& flags) {
  flags.group("Privacy");
  flags.add("scrub", scrub_,
            "replace e-mail addresses, phone, card and id numbers before anything is stored");
  flags.add("scrub_names", scrub_names_, "names to replace as well, a line each").shown_as("FILE");
  flags.add("keep_chats_days", retention_.chats_days, between(0, 36'500), "0: for ever");
  flags.add("keep_audit_days", retention_.audit_days, between(0, 36'500), "0: for ever");
  flags.add("keep_votes_days", retention_.votes_days, between(0, 36'500), "0: for ever");
  flags.add("backups", backups_, between(0, 1000), "daily copies of the database that are kept");
}

serve::ApplicationOptions ServeFlags::options() const {
  if (model_.empty() && !read_only_) {
    input_error("--model_name_or_path", "expected a language model that answers, got nothing");
  }
  for (const auto& config : {learning_.settings.dpo_config, learning_.settings.reward_config,
                             learning_.settings.ppo_config}) {
    if (!config.empty()) read_text(config);
  }
  if (!read_only_) {
    require_writable_folder(runs_, "--runs_dir");
    require_writable_folder(data_, "--data_dir");
  }
  serve::ApplicationOptions options{.model = model_,
                                    .data = data_,
                                    .runs = runs_,
                                    .policies = policies_,
                                    .comparisons = comparisons_,
                                    .learning = learning_,
                                    .retention = retention_,
                                    .backups_kept = backups_,
                                    .http = http_};
  options.http.port = uint16_t(port_);
  options.http.rates.usual = options.http.rates.costly = {rate_limit_, 4 * rate_limit_};
  options.comparisons.seed = options.learning.seed = seed_;
  options.learning.folder = std::filesystem::path(runs_) / "learning";
  options.learning.settings.method = serve::learning_method(method_);
  options.learning.settings.response_length = comparisons_.max_tokens;
  if (scrub_ || !scrub_names_.empty()) {
    std::vector<std::string> names;
    if (!scrub_names_.empty()) {
      std::istringstream lines(read_text(scrub_names_));
      for (std::string line; std::getline(lines, line);) {
        if (!line.empty()) names.push_back(line);
      }
    }
    options.store.scrubber = store::Scrubber(names);
  }
  const Placement placement = device_.placement_for_inference();
  weights_.check(placement.dtype);
  options.policies.load = [this, placement](const std::filesystem::path& folder) {
    LoadedLanguageModel loaded = load_language_model(folder, placement);
    weights_.apply(loaded.model.transformer);
    return loaded;
  };
  return options;
}

}  // namespace rlhf
