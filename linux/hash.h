#ifndef ATSFUZZ_LINUX_HASH_H_
#define ATSFUZZ_LINUX_HASH_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace atsfuzz::linux_driver {

// Names content in the cache: 128 bits of XXH3 over a sequence of strings, each
// preceded by its length, so that moving a byte from one string to the next
// gives another hash. Not for strings that an adversary chooses.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& Add(absl::string_view text);
  // 32 hexadecimal digits. More may be added afterwards.
  std::string Hex() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_HASH_H_
