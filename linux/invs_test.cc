#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linux/array_mistakes.h"
#include "linux/kunit.h"
#include "linux/kunit/invs_table.h"
#include "linux/kunit_trees.h"
#include "linux/temporary_folder.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"

// The driver's invalidation arrays against a multiset:
// linux/kunit/invs_table.h.
namespace atsfuzz::linux_driver {
namespace {

using ::testing::HasSubstr;

using Bytes = std::vector<uint8_t>;

void Silent(const std::string& line) {}

const atsfuzz_invs* InvsOf(const Suite& suite) {
  return static_cast<const atsfuzz_invs*>(suite.Symbol(ATSFUZZ_INVS_SYMBOL));
}

// How many operations of the input ran; -1 and what is wrong.
int RunInvs(const atsfuzz_invs& invs, const Bytes& bytes, std::string& error) {
  char text[512] = "";
  const int operations =
      invs.run(bytes.data(), bytes.size(), text, sizeof(text));
  error = text;
  return operations;
}

// An operation, as the table takes it.
rc::Gen<Bytes> AnOperation() {
  return rc::gen::exec([] {
    const int kind = *rc::gen::inRange(0, int{ATSFUZZ_INVS_KINDS});
    const int argument = *rc::gen::inRange(0, 8);
    const bool fails = *rc::gen::weightedElement<bool>({{5, false}, {1, true}});
    const int pace = *rc::gen::inRange(0, 8);
    Bytes bytes = {static_cast<uint8_t>(kind | argument << 3),
                   static_cast<uint8_t>((fails ? ATSFUZZ_INVS_FAIL : 0) |
                                        pace << ATSFUZZ_INVS_PACE_SHIFT)};
    if (kind == ATSFUZZ_INVS_MERGE || kind == ATSFUZZ_INVS_ABORT) {
      const auto entries = *rc::gen::container<Bytes>(
          static_cast<size_t>(argument + 1) * 2, rc::gen::arbitrary<uint8_t>());
      bytes.insert(bytes.end(), entries.begin(), entries.end());
    }
    return bytes;
  });
}

Bytes Join(uint8_t addresses, const std::vector<Bytes>& operations) {
  Bytes joined = {addresses};
  for (const Bytes& operation : operations) {
    joined.insert(joined.end(), operation.begin(), operation.end());
  }
  return joined;
}

Bytes RandomBytes(std::mt19937_64& random, size_t size) {
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

class InvalidationArrays : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    absl::StatusOr<Tree> tree = ObtainTree(GetParam(), {}, Silent);
    if (absl::IsUnavailable(tree.status())) GTEST_SKIP() << tree.status();
    ASSERT_TRUE(tree.ok()) << tree.status();
    absl::StatusOr<std::string> path = BuildSuite(*tree, TestedKind(), Silent);
    ASSERT_TRUE(path.ok()) << path.status();
    absl::StatusOr<std::unique_ptr<Suite>> suite = Suite::Load(*path);
    ASSERT_TRUE(suite.ok()) << suite.status();
    suite_ = *std::move(suite);
    invs_ = InvsOf(*suite_);
    if (invs_ == nullptr) GTEST_SKIP() << tree->name << " has no such arrays";
  }

  std::unique_ptr<Suite> suite_;
  const atsfuzz_invs* invs_ = nullptr;
};

TEST_P(InvalidationArrays, AgreeWithAMultisetWhateverTheOperations) {
  EXPECT_TRUE(rc::check([&] {
    const auto addresses = *rc::gen::arbitrary<uint8_t>();
    const auto operations = *rc::gen::scale(
        5, rc::gen::container<std::vector<Bytes>>(AnOperation()));
    std::string error;
    const int ran = RunInvs(*invs_, Join(addresses, operations), error);
    if (ran < 0) RC_FAIL(error);
    RC_ASSERT(static_cast<size_t>(ran) == operations.size());
  }));
}

TEST_P(InvalidationArrays, AgreeWithAMultisetOverMillionsOfOperations) {
  std::mt19937_64 random(1);
  const auto start = std::chrono::steady_clock::now();
  int64_t operations = 0;
  while (operations < 3'000'000) {
    const Bytes bytes = RandomBytes(random, 600);
    std::string error;
    const int ran = RunInvs(*invs_, bytes, error);
    ASSERT_GT(ran, 0) << error << " after " << operations << " operations";
    operations += ran;
  }
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - start;
  std::cout << operations << " operations, "
            << static_cast<int64_t>(static_cast<double>(operations) /
                                    took.count())
            << " a second\n";
}

INSTANTIATE_TEST_SUITE_P(Of, InvalidationArrays,
                         ::testing::ValuesIn(TestedKernels()),
                         [](const auto& test) { return TestName(test.param); });

class SpoiltInvalidationArrays : public ::testing::TestWithParam<ArrayMistake> {
};

TEST_P(SpoiltInvalidationArrays, AreToldFromAMultiset) {
  absl::StatusOr<Tree> tree = AKernelWithArrays();
  if (absl::IsUnavailable(tree.status())) GTEST_SKIP() << tree.status();
  ASSERT_TRUE(tree.ok()) << tree.status();
  TemporaryFolder folder;
  absl::StatusOr<std::unique_ptr<Suite>> suite =
      SpoiltSuite(folder, *tree, GetParam().plant);
  ASSERT_TRUE(suite.ok()) << suite.status();
  std::mt19937_64 random(1);
  std::set<std::string> errors;
  for (int run = 0; run < 1000; ++run) {
    std::string error;
    if (RunInvs(*InvsOf(**suite), RandomBytes(random, 600), error) < 0) {
      errors.insert(error.substr(error.find(": ") + 2));
    }
  }
  EXPECT_THAT(errors, ::testing::Contains(HasSubstr(GetParam().error)));
}

INSTANTIATE_TEST_SUITE_P(By, SpoiltInvalidationArrays,
                         ::testing::ValuesIn(ArrayMistakes()),
                         [](const auto& test) {
                           return test.param.plant.name;
                         });

}  // namespace
}  // namespace atsfuzz::linux_driver
