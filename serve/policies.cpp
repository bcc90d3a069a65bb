#include "serve/policies.h"

#include <algorithm>

#include "core/check.h"
#include "serve/openai/errors.h"
#include "serve/weights_digest.h"

namespace rlhf::serve {

Policies::Policies(store::Store& store, PolicyOptions options)
    : store_(store), options_(std::move(options)) {
  follow();
}

Policies::~Policies() = default;

Policy Policies::promoted() const {
  const std::lock_guard lock(mutex_);
  return loaded_.at(promoted_);
}

std::vector<Policy> Policies::loaded() const {
  const std::lock_guard lock(mutex_);
  std::vector<Policy> all;
  for (const auto& [id, policy] : loaded_) all.push_back(policy);
  return all;
}

std::vector<Policy> Policies::by_name(const http::Caller& caller) const {
  std::vector<Policy> all = loaded();
  const Policy serving = promoted();
  if (caller.role != http::UserRole::admin) all = {serving};
  all.insert(all.begin(), serving)->name = options_.name;
  return all;
}

std::string Policies::name_of_version(int64_t id) const {
  return fmt::format("{}-v{}", options_.name, id);
}

Policy Policies::load(const store::ModelVersion& version) const {
  if (weights_digest(version.path) != version.digest) {
    input_error(version.path, "expected the weights of version {} (digest {}...), got others",
                version.id, version.digest.substr(0, 12));
  }
  auto model = std::make_shared<const LoadedLanguageModel>(options_.load(version.path));
  auto engine = std::make_shared<engine::Engine>(model, options_.engine);
  return {.name = name_of_version(version.id),
          .version = version.id,
          .created = version.created / 1'000'000,
          .engine = std::move(engine),
          .model = std::move(model)};
}

/// REQUIRES: loading_ is held.
Policy Policies::loaded(const store::ModelVersion& version) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = loaded_.find(version.id); found != loaded_.end()) return found->second;
  }
  const Policy policy = load(version);
  const std::lock_guard lock(mutex_);
  return loaded_[version.id] = policy;
}

Policy Policies::version(int64_t id) {
  const std::lock_guard loading(loading_);
  const auto version = store::find_version(store_, id);
  if (!version) {
    throw store::NotFound(fmt::format("[version] expected one that is there, got {}", id));
  }
  return loaded(*version);
}

Policy Policies::named(const http::Caller& caller, const std::string& name) const {
  if (name.empty() || name == options_.name) return promoted();
  for (const Policy& policy : by_name(caller)) {
    if (policy.name == name) return policy;
  }
  throw openai::no_such_model(name);
}

void Policies::follow() {
  using store::ModelVersion, store::VersionState;
  const std::lock_guard loading(loading_);
  const std::vector<ModelVersion> versions = store::versions(store_);
  const auto promoted = std::find_if(versions.begin(), versions.end(), [](const auto& version) {
    return version.state == VersionState::promoted;
  });
  if (promoted == versions.end()) {
    input_error("version", "expected a promoted version, found none");
  }
  loaded(*promoted);
  const std::lock_guard lock(mutex_);
  promoted_ = promoted->id;
  std::erase_if(retiring_, [](const Retiring& retiring) { return retiring.gone.load(); });
  for (const ModelVersion& version : versions) {
    const bool stays =
        version.state == VersionState::promoted || version.state == VersionState::candidate;
    const auto found = loaded_.find(version.id);
    if (stays || found == loaded_.end()) continue;
    retiring_.emplace_back(found->second, options_.drain);
    loaded_.erase(found);
  }
}

Policies::Retiring::Retiring(Policy policy, std::chrono::milliseconds drain)
    : engine(policy.engine), thread([this, policy = std::move(policy), drain]() mutable {
        policy.engine->drain(drain);
        policy = {};  // its memory
        gone = true;
      }) {}

void Policies::drain(std::chrono::milliseconds at_most) {
  std::vector<std::shared_ptr<engine::Engine>> engines;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, policy] : loaded_) engines.push_back(policy.engine);
    for (const Retiring& retiring : retiring_) engines.push_back(retiring.engine.lock());
  }
  std::erase(engines, nullptr);
  for (const auto& engine : engines) engine->drain(at_most);
}

}  // namespace rlhf::serve
