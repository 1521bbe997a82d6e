#include "linux/fiber.h"

#include <string>

#include "gtest/gtest.h"

namespace atsfuzz::linux_driver {
namespace {

TEST(Fiber, RunsInTurnsWithWhoResumesIt) {
  std::string log;
  Fiber fiber;
  EXPECT_FALSE(fiber.active());
  fiber.Start([&] {
    log += "a";
    fiber.Leave();
    log += "b";
  });
  fiber.Resume();
  log += "1";
  EXPECT_TRUE(fiber.active());
  fiber.Resume();
  log += "2";
  EXPECT_FALSE(fiber.active());
  EXPECT_EQ(log, "a1b2");
}

TEST(Fiber, TakesOneJobAfterTheOther) {
  int sum = 0;
  Fiber fiber;
  for (int i = 0; i < 100; ++i) {
    fiber.Start([&sum, i] { sum += i; });
    fiber.Resume();
  }
  EXPECT_EQ(sum, 4950);
}

TEST(Fiber, GivesUpAJobThatWasLeft) {
  std::string log;
  Fiber fiber;
  fiber.Start([&] {
    log += "a";
    fiber.Leave();
    log += "never";
  });
  fiber.Resume();
  fiber.Start([&] { log += "b"; });
  fiber.Resume();
  EXPECT_FALSE(fiber.active());
  EXPECT_EQ(log, "ab");
}

TEST(Fiber, SeveralKeepTheirStacksApart) {
  std::string log;
  Fiber fibers[2];
  for (int i = 0; i < 2; ++i) {
    fibers[i].Start([&log, &fiber = fibers[i], i] {
      for (int own = 0; own < 3; ++own) {
        log += static_cast<char>('0' + 3 * i + own);
        fiber.Leave();
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    for (Fiber& fiber : fibers) fiber.Resume();
  }
  EXPECT_EQ(log, "031425");
}

}  // namespace
}  // namespace atsfuzz::linux_driver
