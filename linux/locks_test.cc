// What locks.c reports, and what it does not.

#include <cstdarg>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

extern "C" {
#include "linux/kernel/boundary.h"
#include "linux/kernel/runtime.h"

unsigned int atsfuzz_thread;
}

namespace {

std::vector<std::string> &Reports() {
  static auto *const reports = new std::vector<std::string>();
  return *reports;
}

}  // namespace

extern "C" void atsfuzz_lock_report(const atsfuzz_lock_place *place,
                                    const char *format, ...) {
  char text[600];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  Reports().push_back(std::string(place->function) + ": " + text);
}

namespace atsfuzz {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Locks : public testing::Test {
 protected:
  Locks() {
    atsfuzz_thread = 1;
    atsfuzz_locks_boot();
    Reports().clear();
  }

  struct Lock {
    const char *kind;
  };
  void Take(const Lock &lock, const char *function = "f",
            unsigned int how = ATSFUZZ_LOCK_WRITE) {
    places_.push_back(std::make_unique<atsfuzz_lock_place>(
        atsfuzz_lock_place{"file.c", function, 1}));
    atsfuzz_lock_taken(&lock, lock.kind, how, places_.back().get());
  }
  void Give(const Lock &lock) {
    static const atsfuzz_lock_place place = {"file.c", "give", 1};
    atsfuzz_lock_given(&lock, "lock", &place);
  }
  // Takes `second` under `first`, and gives both back.
  void Both(const Lock &first, const Lock &second, const char *function) {
    Take(first, function);
    Take(second, function);
    Give(second);
    Give(first);
  }

  Lock a_{"a"}, b_{"b"}, c_{"c"}, another_a_{a_.kind};

 private:
  std::vector<std::unique_ptr<atsfuzz_lock_place>> places_;
};

TEST_F(Locks, TakenInOneOrderAreFine) {
  Both(a_, b_, "f");
  Both(a_, b_, "g");
  Both(b_, c_, "f");
  Both(a_, c_, "g");
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(Locks, TakenInTwoOrdersAreReportedWithBothPlaces) {
  Both(a_, b_, "f");
  Both(b_, a_, "g");
  EXPECT_THAT(Reports(),
              ElementsAre("g: a is taken while b is held, but elsewhere b "
                          "while a is held, in f"));
}

TEST_F(Locks, ACycleMayHaveSeveralLocksAndThreads) {
  Both(a_, b_, "f");
  atsfuzz_thread = 2;
  Both(b_, c_, "g");
  atsfuzz_thread = 3;
  Both(c_, a_, "h");
  EXPECT_THAT(Reports(),
              ElementsAre("h: a is taken while c is held, but elsewhere b "
                          "while a is held, in f; c while b is held, in g"));
}

TEST_F(Locks, AnOrderIsReportedOnce) {
  Both(a_, b_, "f");
  Both(b_, a_, "g");
  Both(b_, a_, "g");
  EXPECT_EQ(Reports().size(), 1u);
}

TEST_F(Locks, ABootForgetsTheOrders) {
  Both(a_, b_, "f");
  atsfuzz_locks_boot();
  Both(b_, a_, "g");
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(Locks, WhoOnlyTriesWaitsForNobody) {
  Both(a_, b_, "f");
  Take(b_);
  Take(a_, "g", ATSFUZZ_LOCK_WRITE | ATSFUZZ_LOCK_TRIED);
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(Locks, TwoOfOneKindAreReportedUnlessTheSourceSaysSo) {
  Take(a_);
  Take(another_a_, "f", ATSFUZZ_LOCK_WRITE | ATSFUZZ_LOCK_NESTED);
  EXPECT_THAT(Reports(), IsEmpty());
  Give(another_a_);
  Take(another_a_, "g");
  EXPECT_THAT(Reports(),
              ElementsAre("g: two locks of the same kind are held: a"));
}

TEST_F(Locks, AreHeldByTheThreadThatTookThem) {
  Take(a_);
  EXPECT_TRUE(atsfuzz_lock_is_held(&a_, 0));
  atsfuzz_thread = 2;
  EXPECT_FALSE(atsfuzz_lock_is_held(&a_, 0));
  Give(a_);
  EXPECT_THAT(Reports(), ElementsAre("give: lock is released, and not held"));
}

TEST_F(Locks, TellTheirNamesInTheOrderInWhichTheyWereTaken) {
  Take(b_);
  Take(a_, "f", 0);
  EXPECT_STREQ(atsfuzz_locks_asked_for(atsfuzz_thread, 0), "b");
  EXPECT_STREQ(atsfuzz_locks_asked_for(atsfuzz_thread, 1), "a");
  EXPECT_EQ(atsfuzz_locks_asked_for(atsfuzz_thread, 2), nullptr);
  EXPECT_EQ(atsfuzz_locks_asked_for(atsfuzz_thread + 1, 0), nullptr);
}

TEST_F(Locks, AReaderHoldsItButNotForWriting) {
  Take(a_, "f", 0);
  EXPECT_TRUE(atsfuzz_lock_is_held(&a_, 0));
  EXPECT_FALSE(atsfuzz_lock_is_held(&a_, ATSFUZZ_LOCK_WRITE));
}

TEST_F(Locks, MayBeGivenBackInAnyOrder) {
  Take(a_);
  Take(b_);
  Take(c_);
  Give(b_);
  EXPECT_TRUE(atsfuzz_lock_is_held(&a_, 0));
  EXPECT_FALSE(atsfuzz_lock_is_held(&b_, 0));
  EXPECT_TRUE(atsfuzz_lock_is_held(&c_, 0));
  Give(a_);
  Give(c_);
  atsfuzz_locks_return();
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(Locks, AnInterruptHoldsNothingOfWhomItInterrupts) {
  Both(b_, a_, "f");
  Take(a_);
  const uint32_t interrupted = atsfuzz_locks_interrupt();
  EXPECT_FALSE(atsfuzz_lock_is_held(&a_, 0));
  Take(b_, "handler");
  Give(b_);
  atsfuzz_locks_interrupt_ends(interrupted);
  EXPECT_TRUE(atsfuzz_lock_is_held(&a_, 0));
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(Locks, WhatAnOperationForgetsToGiveBackIsReported) {
  Take(a_);
  atsfuzz_rcu_enter();
  atsfuzz_locks_return();
  EXPECT_THAT(Reports(),
              ElementsAre(": the operation returns with a held",
                          ": the operation returns within an RCU section"));
  EXPECT_FALSE(atsfuzz_rcu_is_reader());
}

TEST_F(Locks, RcuSectionsNest) {
  atsfuzz_rcu_enter();
  atsfuzz_rcu_enter();
  atsfuzz_rcu_leave();
  EXPECT_TRUE(atsfuzz_rcu_is_reader());
  atsfuzz_rcu_leave();
  EXPECT_FALSE(atsfuzz_rcu_is_reader());
}

}  // namespace
}  // namespace atsfuzz
