#include "properties/staleness.h"

#include "gtest/gtest.h"
#include "model/address.h"

namespace atsfuzz::properties {
namespace {

constexpr uint64_t kPage = 0x1000;
constexpr uint64_t At(int page) { return model::kIovaBase + page * kPage; }

// Pages 2..3 to 0x8000, 4 to 0x10000, and 6 queued from 0x20000.
model::DomainState Domain() {
  model::DomainState domain;
  domain.mappings = {{2, 2, 0x8000}, {4, 1, 0x10000}};
  domain.unflushed = {{6, 1, 0x20000}};
  return domain;
}

TEST(AgreesWith, APageThatIsMappedThere) {
  EXPECT_TRUE(AgreesWith(Domain(), 12, At(3), 0x9000, kPage));
  EXPECT_TRUE(AgreesWith(Domain(), 12, At(3) + 8, 0x9008, 1));
}

TEST(AgreesWith, NotAPageThatIsMappedElsewhere) {
  EXPECT_FALSE(AgreesWith(Domain(), 12, At(3), 0x8000, kPage));
}

TEST(AgreesWith, NotAPageThatIsNotMapped) {
  EXPECT_FALSE(AgreesWith(Domain(), 12, At(5), 0x11000, kPage));
  EXPECT_FALSE(AgreesWith(Domain(), 12, 0x1000, 0x8000, kPage));
  EXPECT_FALSE(AgreesWith(Domain(), 12, At(ATSFUZZ_MAX_PAGES), 0, kPage));
}

TEST(AgreesWith, TheOldAddressOfAQueuedUnmapUntilItsFlush) {
  model::DomainState domain = Domain();
  EXPECT_TRUE(AgreesWith(domain, 12, At(6), 0x20000, kPage));
  domain.unflushed.clear();
  EXPECT_FALSE(AgreesWith(domain, 12, At(6), 0x20000, kPage));
}

TEST(AgreesWith, ABlockThatTwoNeighbouringMappingsMakeUp) {
  model::DomainState domain = Domain();
  domain.mappings = {{10, 1, 0x30000}, {11, 1, 0x31000}};
  EXPECT_TRUE(AgreesWith(domain, 12, At(10), 0x30000, 2 * kPage));
}

TEST(AgreesWith, NotABlockOfWhichOnePageDisagrees) {
  EXPECT_TRUE(AgreesWith(Domain(), 12, At(2), 0x8000, 2 * kPage));
  EXPECT_FALSE(AgreesWith(Domain(), 12, At(2), 0x8000, 4 * kPage));
}

}  // namespace
}  // namespace atsfuzz::properties
