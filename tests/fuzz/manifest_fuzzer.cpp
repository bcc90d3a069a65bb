// A checkpoint's manifest: it survives being written, and names nothing outside of its folder.
#include "rl/run/checkpoint_folder.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(manifest) {
  using namespace rlhf;
  const auto manifest = fuzz::accepted([&] { return parse_manifest(bytes, "manifest.json"); });
  if (!manifest) return;
  fuzz::expect(manifest->step >= 0 && !manifest->files.empty(), "a manifest has a step and files");
  for (const auto& [name, file] : manifest->files) {
    const std::filesystem::path path(name);
    fuzz::expect(path.is_relative() && path.lexically_normal() == path &&
                     !path.lexically_normal().string().starts_with(".."),
                 "files lie within the folder");
    fuzz::expect(file.sha256.size() == 64, "a hash has 64 digits");
  }
  const std::string text = manifest_text(*manifest);
  const CheckpointManifest again = parse_manifest(text, "again");
  fuzz::expect(again.files == manifest->files && again.inputs == manifest->inputs &&
                   again.step == manifest->step && manifest_text(again) == text,
               "a manifest survives being written");
}
