#include "fuzz/child.h"

#include <signal.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using testing::ElementsAre;

__attribute__((noinline)) void WriteToNowhere(int* nowhere) { *nowhere = 1; }

TEST(Child, SendsLinesInOrderAndSumsWhatItDid) {
  const auto child = Child::Fork(Child::Signals::kRecord, [](Link& link) {
    for (uint64_t item = 0; item < 3; ++item) {
      link.Begin(item);
      link.Send("item " + std::to_string(item));
      link.Done(10, 4);
    }
  });
  EXPECT_THAT(child->ReceiveAll(5000),
              ElementsAre("item 0", "item 1", "item 2"));
  EXPECT_TRUE(child->finished());
  EXPECT_EQ(child->done(), 3u);
  EXPECT_EQ(child->operations(), 30u);
  EXPECT_EQ(child->effective(), 12u);
}

TEST(Child, ACrashLeavesWhatWasGoingOnAndWhere) {
  const auto child = Child::Fork(Child::Signals::kRecord, [](Link& link) {
    link.Send("before");
    link.Begin(7);
    link.Part(2);
    volatile uintptr_t nowhere = 8;
    WriteToNowhere(reinterpret_cast<int*>(nowhere));
    link.Send("after");
  });
  EXPECT_THAT(child->ReceiveAll(5000), ElementsAre("before"));
  EXPECT_FALSE(child->finished());
  EXPECT_EQ(child->item(), 7u);
  EXPECT_EQ(child->part(), 2u);
  EXPECT_FALSE(child->death().hung);
  EXPECT_EQ(child->death().signal, SIGSEGV);
  const std::vector<model::Location> stack = Symbolize(child->death().stack);
  ASSERT_FALSE(stack.empty());
  EXPECT_THAT(stack[0].function, testing::HasSubstr("WriteToNowhere"));
  EXPECT_EQ(stack[0].file, "child_test.cc");
  EXPECT_THAT(stack[0].text, testing::HasSubstr("*nowhere = 1"));
}

TEST(Child, AnItemThatDoesNotEndIsAHang) {
  const auto child = Child::Fork(Child::Signals::kRecord, [](Link& link) {
    link.Begin(1);
    link.Begin(2);
    for (;;) pause();
  });
  child->ReceiveAll(100);
  EXPECT_FALSE(child->finished());
  EXPECT_TRUE(child->death().hung);
  EXPECT_EQ(child->item(), 2u);
}

TEST(Child, StopsBetweenItemsWhenAsked) {
  const auto child = Child::Fork(Child::Signals::kRecord, [](Link& link) {
    for (uint64_t item = 0; !link.Stopped(); ++item) link.Begin(item);
    link.Send("stopped");
  });
  child->Stop();
  EXPECT_THAT(child->ReceiveAll(5000), ElementsAre("stopped"));
  EXPECT_TRUE(child->finished());
}

}  // namespace
}  // namespace atsfuzz::fuzz
