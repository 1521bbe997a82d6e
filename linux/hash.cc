#include "linux/hash.h"

#include <xxhash.h>

#include <cassert>
#include <cstdint>

#include "absl/strings/str_format.h"

namespace atsfuzz::linux_driver {

class Hasher::State {
 public:
  State() : state_(XXH3_createState()) {
    assert(state_ != nullptr);
    XXH3_128bits_reset(state_);
  }
  ~State() { XXH3_freeState(state_); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  XXH3_state_t* get() { return state_; }

 private:
  XXH3_state_t* state_;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;

Hasher& Hasher::Add(absl::string_view text) {
  uint64_t size = text.size();
  XXH3_128bits_update(state_->get(), &size, sizeof(size));
  XXH3_128bits_update(state_->get(), text.data(), text.size());
  return *this;
}

std::string Hasher::Hex() const {
  XXH128_hash_t hash = XXH3_128bits_digest(state_->get());
  return absl::StrFormat("%016x%016x", hash.high64, hash.low64);
}

}  // namespace atsfuzz::linux_driver
