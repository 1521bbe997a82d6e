#include "nightly/settings.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::nightly {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string ErrorOf(const std::string& text) {
  const auto settings = ParseSettings(text, "night.toml");
  EXPECT_FALSE(settings.ok());
  return std::string(settings.status().message());
}

TEST(Settings, ADriverNeedsItsNameOnly) {
  const auto settings =
      ParseSettings("[[driver]]\nname = \"model:7.2\"\n", "night.toml");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->seconds, 28800);
  ASSERT_EQ(settings->drivers.size(), 1u);
  EXPECT_EQ(settings->drivers[0].Label(), "model:7.2");
  EXPECT_EQ(settings->drivers[0].faults, "all");
}

TEST(Settings, EveryKeyIsRead) {
  const auto settings = ParseSettings(
      "seconds = 600\nslice-seconds = 30\njobs = 4\nmemory-megabytes = 1024\n"
      "corpus-megabytes = 8\nhistory-nights = 9\nmachine = 3\n"
      "[[driver]]\nname = \"linux:6.12\"\npatches = [\"a.patch\", "
      "\"/b.patch\"]\n"
      "engines = [\"pct\", \"weak-memory\", \"libfuzzer\"]\nfaults = "
      "\"alloc,cmd-sync\"\n"
      "threads = 2\ntake-in = [\"afl\"]\n",
      "/etc/night.toml");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->seconds, 600);
  EXPECT_EQ(settings->slice_seconds, 30);
  EXPECT_EQ(settings->jobs, 4);
  EXPECT_EQ(settings->memory_megabytes, 1024u);
  EXPECT_EQ(settings->corpus_megabytes, 8u);
  EXPECT_EQ(settings->history_nights, 9);
  EXPECT_EQ(settings->machine, 3);
  const DriverSettings& driver = settings->drivers.at(0);
  EXPECT_EQ(driver.Label(), "linux:6.12+a.patch+b.patch");
  EXPECT_THAT(driver.Arguments(),
              ElementsAre("--driver=linux:6.12", "--patch=/etc/a.patch",
                          "--patch=/b.patch"));
  EXPECT_THAT(driver.engines, ElementsAre("pct", "weak-memory", "libfuzzer"));
  EXPECT_EQ(driver.faults, "alloc,cmd-sync");
  EXPECT_EQ(driver.threads, 2);
  EXPECT_THAT(driver.take_in, ElementsAre("/etc/afl"));
}

TEST(Settings, WhatIsWrongIsToldWithItsPlace) {
  EXPECT_THAT(ErrorOf("seconds = \n"), HasSubstr("night.toml:1:"));
  EXPECT_EQ(ErrorOf("seconds = 0\n"),
            "night.toml:1:11: seconds: expected a number, 1 to 604800");
  EXPECT_EQ(ErrorOf("seconds = 5\n"),
            "night.toml:1:1: found no [[driver]], expected one at least");
  const std::string driver = "[[driver]]\nname = \"linux:6.12\"\n";
  EXPECT_THAT(ErrorOf(driver + "engine = [\"mixed\"]\n"),
              HasSubstr("found engine, expected one of engines, faults"));
  EXPECT_THAT(ErrorOf(driver + "engines = [\"mixd\"]\n"),
              HasSubstr("night.toml:3:11: found engine mixd, expected"));
  EXPECT_THAT(ErrorOf(driver + "faults = \"aloc\"\n"),
              HasSubstr("found `aloc`, expected none, all"));
  EXPECT_THAT(ErrorOf(driver + "threads = 5\n"), HasSubstr("1 to 4"));
  EXPECT_THAT(ErrorOf("[[driver]]\nthreads = 1\n"), HasSubstr("needs a name"));
  EXPECT_EQ(
      ErrorOf(driver + driver),
      "night.toml:3:1: found linux:6.12 again, expected each driver once");
}

TEST(Settings, TheDefaultIsValid) {
  const auto settings = ParseSettings(DefaultSettings(), "campaign.toml");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->drivers.size(), 4u);
}

}  // namespace
}  // namespace atsfuzz::nightly
