// A safetensors file. Bytes that begin with { are the header's text up to a NUL and the tensors'
// bytes behind it, so that the length before the header is right and mutations get past it.
#include "core/safetensors.h"

#include "tests/fuzz/fuzz.h"

namespace {

using namespace rlhf;

std::string framed(std::string_view bytes) {
  const size_t end = std::min(bytes.find('\0'), bytes.size());
  const uint64_t length = end;
  std::string file(reinterpret_cast<const char*>(&length), sizeof length);
  file += bytes.substr(0, end);
  if (end < bytes.size()) file += bytes.substr(end + 1);
  return file;
}

/// The elements' bits: NaN is not equal to itself.
std::string bits_of(const Tensor& tensor) {
  std::string bits;
  dispatch(tensor.dtype(), [&](auto t) {
    const auto values = tensor.to_vector<decltype(t)>();
    bits.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof t);
  });
  return bits;
}

}  // namespace

FUZZ_TARGET(safetensors) {
  const auto path =
      fuzz::file_with("x.safetensors", bytes.starts_with('{') ? framed(bytes) : std::string(bytes));
  const auto tensors = fuzz::accepted([&] { return read_safetensors(path); });
  if (!tensors) return;
  std::vector<NamedTensor> named;
  for (const auto& [name, tensor] : *tensors) named.push_back({name, tensor});
  write_safetensors(path, named);
  const auto again = read_safetensors(path);
  fuzz::expect(again.size() == tensors->size(), "all tensors are written");
  for (const auto& [name, tensor] : *tensors) {
    const auto found = again.find(name);
    fuzz::expect(found != again.end() && found->second.shape() == tensor.shape() &&
                     bits_of(found->second) == bits_of(tensor),
                 "tensors survive being written");
  }
}
