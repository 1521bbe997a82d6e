#include "fuzz/orderings.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

constexpr char kText[] =
    "smmu s0\n"
    "pf p0 smmu=s0 ats\n"
    "domain d0 smmu=s0 stage=1\n"
    "probe p0\n"
    "par\n"
    "  thread\n"
    "    attach p0 d0\n"
    "  thread\n"
    "    flush d0\n"
    "end\n";

class Orderings : public testing::Test {
 protected:
  std::vector<uint8_t> Count(const char* schedule) {
    const auto scenario = model::Parse(
        std::string(kText) + "schedule " + schedule + "\n", "test");
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    std::vector<uint8_t> counters(4096);
    CountOrderings(*scenario, scenario->schedule, counters);
    return counters;
  }
  static size_t Used(const std::vector<uint8_t>& counters) {
    return counters.size() - static_cast<size_t>(std::count(
                                 counters.begin(), counters.end(), uint8_t{0}));
  }
};

TEST_F(Orderings, WhereNobodyStoppedNothingRanBetween) {
  EXPECT_EQ(Used(Count("t0 t1")), 0u);
  EXPECT_EQ(Used(Count("t1 t0")), 0u);
}

TEST_F(Orderings, AreToldApartByWhereAThreadStoodStill) {
  const auto early = Count("t0@17 t1 t0"), late = Count("t0@18 t1 t0");
  EXPECT_EQ(Used(early), 1u);
  EXPECT_EQ(Used(late), 1u);
  EXPECT_NE(early, late);
}

TEST_F(Orderings, AreToldApartByWhereTheOtherCameTo) {
  EXPECT_NE(Count("t0@17 t1@3 t0"), Count("t0@17 t1 t0"));
}

TEST_F(Orderings, DoNotTellSmmusApart) {
  EXPECT_EQ(Count("t0@17 s0@2 t1 t0"), Count("t0@17 t1 t0"));
}

}  // namespace
}  // namespace atsfuzz::fuzz
