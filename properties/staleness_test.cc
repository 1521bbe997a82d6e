#include "properties/staleness.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/address.h"
#include "properties/hand_made.h"

namespace atsfuzz::properties {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

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

// ---- PASIDs, groups, nesting, arrays ----------------------------------------

class StalenessTest : public testing::Test, protected HandMade {
 protected:
  std::vector<std::string> JudgeAtc(const atsfuzz_atc_entry& entry) {
    now.atc = &entry;
    now.atc_count = 1;
    now.iotlb_count = 0;
    Staleness().AtRest(Step());
    return Found();
  }
  std::vector<std::string> JudgeIotlb(const atsfuzz_iotlb_entry& entry) {
    now.iotlb = &entry;
    now.iotlb_count = 1;
    now.atc_count = 0;
    Staleness().AtRest(Step());
    return Found();
  }
  std::vector<std::string> JudgeDma(uint32_t pasid, int page,
                                    uint64_t physical) {
    atsfuzz_event dma = {};
    dma.kind = ATSFUZZ_EVENT_DMA;
    dma.function = 2;
    dma.stream = 0x300;
    dma.a = Iova(page);
    dma.b = physical;
    dma.c = ATSFUZZ_DMA_UNTRANSLATED;
    dma.pasid = pasid;
    events = {dma};
    Staleness().OnDma(Step(), 0);
    return Found();
  }
  static atsfuzz_atc_entry Atc(uint32_t pasid, int page) {
    return {.function = 2,
            .pasid = pasid,
            .iova = Iova(page),
            .physical = Physical(page),
            .size = 0x1000};
  }
  static atsfuzz_iotlb_entry Iotlb(uint8_t stage, uint16_t tag, int page,
                                   uint16_t vmid = 0) {
    return {.stage = stage,
            .tag = tag,
            .vmid = vmid,
            .iova = Iova(page),
            .physical = Physical(page),
            .size = 0x1000};
  }
};

TEST_F(StalenessTest, AnEntryOfAPasidAgreesWithThePasidsDomain) {
  Attached(2, 0);
  PasidSet(2, 3, 1);
  Mapped(1, 5, 1);
  EXPECT_THAT(JudgeAtc(Atc(3, 5)), IsEmpty());
  EXPECT_THAT(JudgeAtc(Atc(0, 5)), ElementsAre("no-stale-atc: unmapped"));
  EXPECT_THAT(JudgeAtc(Atc(3, 6)), ElementsAre("no-stale-atc: PASID unmapped"));
}

TEST_F(StalenessTest, APasidThatIsNotAttachedHasNoEntry) {
  Attached(2, 1);
  Mapped(1, 5, 1);
  EXPECT_THAT(JudgeAtc(Atc(0, 5)), IsEmpty());
  EXPECT_THAT(JudgeAtc(Atc(3, 5)),
              ElementsAre("no-stale-atc: PASID left behind"));
}

TEST_F(StalenessTest, AParkedFunctionHasNoEntry) {
  Attached(2, 1);
  PasidSet(2, 3, 1);
  Mapped(1, 5, 1);
  Did(model::OperationKind::kResetBegin, 2);
  EXPECT_THAT(JudgeAtc(Atc(0, 5)), ElementsAre("no-stale-atc: left behind"));
  EXPECT_THAT(JudgeAtc(Atc(3, 5)),
              ElementsAre("no-stale-atc: PASID left behind"));
}

TEST_F(StalenessTest, IdentityTranslatesToItselfAndNowhereElse) {
  atsfuzz_atc_entry entry = Atc(0, 5);
  entry.physical = entry.iova;
  EXPECT_THAT(JudgeAtc(entry), IsEmpty());
  EXPECT_THAT(JudgeAtc(Atc(0, 5)), ElementsAre("no-stale-atc: left behind"));
}

class DefaultDomainTest : public StalenessTest {
 protected:
  void SetUp() override {
    operation = Make(model::OperationKind::kSetDefault, 0);
    operation.default_domain = model::DefaultDomain::kDma;
    contract.Apply(operation, 0, 0);
  }
  atsfuzz_atc_entry Entry(int page) {
    atsfuzz_atc_entry entry = Atc(0, page);
    entry.function = 0;
    entry.physical = entry.iova;
    return entry;
  }
};

TEST_F(DefaultDomainTest, TranslatesReservedRegionsToThemselves) {
  EXPECT_THAT(JudgeAtc(Entry(8)), IsEmpty());
}

TEST_F(DefaultDomainTest, TranslatesNothingElseToItself) {
  EXPECT_THAT(JudgeAtc(Entry(10)), ElementsAre("no-stale-atc: left behind"));
}

TEST_F(DefaultDomainTest, TranslatesReservedRegionsNowhereElse) {
  atsfuzz_atc_entry entry = Entry(8);
  entry.physical = Physical(8);
  EXPECT_THAT(JudgeAtc(entry), ElementsAre("no-stale-atc: left behind"));
}

TEST_F(StalenessTest, TheTagOfADefaultDomainTranslatesReservedRegions) {
  constexpr int kSlot = ATSFUZZ_MAX_DOMAINS;
  now.domains[kSlot] = {.exists = 1, .finalised = 1, .stage = 1, .tag = 99};
  now.functions[0].streams[0] = {
      .route = ATSFUZZ_ROUTE_STAGE1, .cd_valid = 1, .asid = 99};
  atsfuzz_iotlb_entry entry = Iotlb(1, 99, 9);
  entry.physical = entry.iova;
  EXPECT_THAT(JudgeIotlb(entry), IsEmpty());
  for (int page : {9, 10}) {
    entry = Iotlb(1, 99, page);
    if (page == 10) entry.physical = entry.iova;
    EXPECT_THAT(JudgeIotlb(entry), Not(IsEmpty())) << "page " << page;
    findings = {};
  }
}

TEST_F(StalenessTest, AReleasedFunctionReachesItselfIfItHasAReservedRegion) {
  Did(model::OperationKind::kRelease, 1);
  Did(model::OperationKind::kRelease, 2);
  for (uint8_t f : {1, 2}) {
    events = {{.kind = ATSFUZZ_EVENT_DMA,
               .function = f,
               .stream = f == 1 ? 0x200u : 0x300u,
               .a = Iova(3),
               .b = Iova(3),
               .c = ATSFUZZ_DMA_UNTRANSLATED}};
    Staleness().OnDma(Step(), 0);
    EXPECT_EQ(Found().empty(), f == 1) << "p" << int{f};
  }
  findings = {};
  now.functions[2].streams[0].id = 0x200;
  Staleness().OnDma(Step(), 0);
  EXPECT_THAT(Found(), IsEmpty()) << "p2 shares the stream id of p1";
}

TEST_F(StalenessTest, ANestedFunctionsEntriesAgreeWithTheParent) {
  Attached(2, 3);
  Mapped(2, 5, 1);
  EXPECT_THAT(JudgeAtc(Atc(0, 5)), IsEmpty());
  EXPECT_THAT(JudgeAtc(Atc(0, 6)), ElementsAre("no-stale-atc: unmapped"));
}

TEST_F(StalenessTest, AGuestsAbortLeadsNowhere) {
  Attached(2, 5);
  Mapped(2, 5, 1);
  EXPECT_THAT(JudgeAtc(Atc(0, 5)), ElementsAre("no-stale-atc: unmapped"));
}

TEST_F(StalenessTest, AnAccessWithPasidGoesThroughThePasidsDomain) {
  Attached(2, 0);
  PasidSet(2, 3, 1);
  Mapped(1, 5, 1);
  EXPECT_THAT(JudgeDma(3, 5, Physical(5)), IsEmpty());
  EXPECT_THAT(JudgeDma(0, 5, Physical(5)),
              ElementsAre("no-dma-after-unmap: unmapped"));
  EXPECT_THAT(JudgeDma(3, 6, Physical(6)),
              ElementsAre("no-dma-after-unmap: PASID unmapped"));
  EXPECT_THAT(JudgeDma(4, 5, Physical(5)),
              ElementsAre("no-dma-after-unmap: PASID left behind"));
}

TEST_F(StalenessTest, ATagInNoArrayHasNoEntryThoughItAgrees) {
  Mapped(1, 5, 1);
  Array(1, {Tag(1, 1)});
  EXPECT_THAT(JudgeIotlb(Iotlb(1, TagOf(1), 5)), IsEmpty());
  Array(1, {});
  EXPECT_THAT(JudgeIotlb(Iotlb(1, TagOf(1), 5)),
              ElementsAre("no-stale-iotlb: unused tag"));
}

TEST_F(StalenessTest, ATrashEntryOfATagIsNone) {
  Mapped(1, 5, 1);
  Array(1, {Tag(1, 0), Ats(0x300, 3)});
  EXPECT_THAT(JudgeIotlb(Iotlb(1, TagOf(1), 5)),
              ElementsAre("no-stale-iotlb: unused tag"));
}

TEST_F(StalenessTest, BeforeArraysAnUnusedTagMayStay) {
  now.domains[1].has_array = 0;
  EXPECT_THAT(JudgeIotlb(Iotlb(1, TagOf(1), 5)), IsEmpty());
}

TEST_F(StalenessTest, APasidSelectsItsTag) {
  now.domains[1].has_array = 0;
  now.functions[2].substream_count = 1;
  now.functions[2].substreams[0] = {.pasid = 3, .asid = TagOf(1)};
  EXPECT_THAT(JudgeIotlb(Iotlb(1, TagOf(1), 5)),
              ElementsAre("no-stale-iotlb: unmapped"));
}

TEST_F(StalenessTest, AGuestsEntriesAgreeWithTheParentOfItsVmid) {
  Array(2, {Tag(2, 1), Clear(1)});
  now.functions[2].streams[0].route = ATSFUZZ_ROUTE_NESTED;
  now.functions[2].streams[0].vmid = TagOf(2);
  Mapped(2, 5, 1);
  EXPECT_THAT(JudgeIotlb(Iotlb(1, 1, 5, TagOf(2))), IsEmpty());
  EXPECT_THAT(JudgeIotlb(Iotlb(1, 1, 6, TagOf(2))),
              ElementsAre("no-stale-iotlb: unmapped"));
  EXPECT_THAT(JudgeIotlb(Iotlb(2, TagOf(2), 6)),
              ElementsAre("no-stale-iotlb: unmapped"));
  EXPECT_THAT(JudgeIotlb(Iotlb(1, 1, 5, 99)),
              ElementsAre("no-stale-iotlb: freed tag"));
}

}  // namespace
}  // namespace atsfuzz::properties
