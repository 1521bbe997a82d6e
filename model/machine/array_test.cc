#include "model/machine/array.h"

#include <map>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/arbitrary.h"

namespace atsfuzz::machine {
namespace {

// An invalidation array as what it stands for: how many attachments need what.
struct Multiset {
  int tag = 0, clear = 0;
  std::map<std::pair<int, int>, int> ats;  // by stream and PASID

  void Change(const Needs& needs, int by) {
    tag += by;
    if (needs.clear) clear += by;
    for (int stream = 0; stream < kStreams; ++stream) {
      if ((needs.streams >> stream & 1) != 0) {
        ats[{stream, needs.ssid}] += by;
      }
    }
  }
};

int Live(unsigned users) {
  return users == kTrash ? 0 : static_cast<int>(users);
}

void ExpectSame(const Array& array, Multiset& expected) {
  RC_ASSERT(Live(array.tag) == expected.tag);
  RC_ASSERT(Live(array.clear) == expected.clear);
  int live = 0;
  for (int stream = 0; stream < kStreams; ++stream) {
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      const int users = expected.ats[{stream, ssid}];
      RC_ASSERT(Live(AtsUsers(array, stream, ssid)) == users);
      if (users != 0) ++live;
    }
  }
  RC_ASSERT(LiveAts(array) == live);
  RC_ASSERT(live == 0 || array.has_ats);
}

// Entries in the array's order; 0: none there.
std::vector<unsigned> InOrder(const Array& array) {
  std::vector<unsigned> users = {array.tag, array.clear};
  for (int stream = 0; stream < kStreams; ++stream) {
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      users.push_back(AtsUsers(array, stream, ssid));
    }
  }
  return users;
}

void ExpectTrashInsideOnly(const Array& array) {
  int trash = 0;
  unsigned last = 0;
  for (const unsigned users : InOrder(array)) {
    if (users == kTrash) ++trash;
    if (users != 0) last = users;
  }
  RC_ASSERT(last != kTrash);
  RC_ASSERT(array.num_trashes == trash);
}

Needs ArbitraryNeeds(bool parent) {
  Needs needs;
  needs.clear = parent;
  needs.ssid = static_cast<uint8_t>(parent ? 0 : model::Below(kSsids));
  for (int left = static_cast<int>(model::Below(3)); left > 0; --left) {
    needs.streams |= static_cast<uint8_t>(1u << model::Below(kStreams));
  }
  return needs;
}

TEST(Array, MergeUnrefAndPurgeKeepAMultiset) {
  int unrefs = 0, purges = 0, dropped = 0;
  EXPECT_TRUE(rc::check([&] {
    const bool parent = model::Coin();
    Array array = {};
    Multiset expected;
    std::vector<Needs> attached;
    for (int step = 0; step < 40; ++step) {
      if (attached.empty() || (attached.size() < 12 && model::Coin())) {
        attached.push_back(ArbitraryNeeds(parent));
        array = Merge(array, attached.back());
        RC_ASSERT(!NeedsPurge(array));
        expected.Change(attached.back(), 1);
      } else {
        const size_t i = model::Below(static_cast<uint32_t>(attached.size()));
        const Unreferenced result = Unref(array, attached[i]);
        expected.Change(attached[i], -1);
        attached.erase(attached.begin() + static_cast<std::ptrdiff_t>(i));
        RC_ASSERT(result.missing == 0);
        RC_ASSERT(result.tag_dropped == attached.empty());
        ++unrefs;
        dropped += attached.empty();
      }
      ExpectSame(array, expected);
      ExpectTrashInsideOnly(array);
      // Without memory the trash stays, and does no harm.
      if (!NeedsPurge(array) || model::Coin()) continue;
      array = Purge(array);
      ++purges;
      RC_ASSERT(!NeedsPurge(array));
      ExpectSame(array, expected);
      ExpectTrashInsideOnly(array);
    }
  }));
  EXPECT_GT(unrefs, 500);
  EXPECT_GT(purges, 50);
  EXPECT_GT(dropped, 50);
}

TEST(Array, UnrefOfWhatIsNotThereIsToldAndTakesNothing) {
  Array array = {};
  Needs there;
  there.streams = 1;
  Needs absent = there;
  absent.streams = 2;
  array = Merge(Merge(array, there), there);
  const Array before = array;
  EXPECT_EQ(Unref(array, absent),
            (Unreferenced{.tag_dropped = false, .missing = 1}));
  EXPECT_EQ(AtsUsers(array, 0, 0), AtsUsers(before, 0, 0));
  EXPECT_EQ(AtsUsers(array, 1, 0), 0u);
}

TEST(Array, UnrefOfTheLastUsersLeavesAnEmptyArray) {
  Needs needs;
  needs.clear = true;
  needs.streams = 5;
  needs.ssid = 2;
  Array array = Merge({}, needs);
  EXPECT_EQ(LiveAts(array), 2);
  EXPECT_EQ(Unref(array, needs),
            (Unreferenced{.tag_dropped = true, .missing = 0}));
  for (const unsigned users : InOrder(array)) EXPECT_EQ(users, 0u);
  EXPECT_EQ(array.num_trashes, 0);
}

}  // namespace
}  // namespace atsfuzz::machine
