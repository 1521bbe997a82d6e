#include "model/block.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/text.h"

namespace atsfuzz::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kMachine[] =
    "smmu s0\npf p0 smmu=s0\npf p1 smmu=s0\nvf v2 of=p0 smmu=s0\n"
    "pf p3 smmu=s0 group=p1\ndomain d0 smmu=s0 stage=1\n"
    "domain d1 smmu=s0 process\ndomain d2 smmu=s0 stage=2\n"
    "domain d3 nested=d2 guest=stage1\n";

Scenario Read(const std::string& rest) {
  const auto scenario = Parse(kMachine + rest, "test");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return scenario.ok() ? *scenario : Scenario();
}

std::vector<int> Threads(const Scenario& scenario) {
  std::vector<int> threads;
  for (const Operation& operation : scenario.operations) {
    threads.push_back(operation.thread);
  }
  return threads;
}

TEST(Block, IsWhatThreadsName) {
  const Scenario scenario = Read(
      "probe p0\npar\nthread\nmap d0 0\nmap d0 1\nthread\nmap d0 2\nend\n"
      "release p0\n");
  const Block block = BlockOf(scenario);
  EXPECT_EQ(block.first, 1u);
  EXPECT_EQ(block.end, 4u);
  EXPECT_EQ(block.threads, 2);
  EXPECT_THAT(ThreadsOf(scenario, block),
              ElementsAre(ElementsAre(), ElementsAre(1, 2), ElementsAre(3)));
  EXPECT_FALSE(BlockOf(Read("probe p0\n")).exists());
}

TEST(Block, NormalizingOrdersAndRenumbersThreads) {
  Scenario scenario =
      Read("map d0 0\nmap d0 1\nmap d0 2\nmap d0 3\nmap d0 4\n");
  for (size_t i = 0; i < 5; ++i) {
    scenario.operations[i].thread = std::array<uint8_t, 5>{0, 4, 2, 4, 0}[i];
  }
  scenario.schedule = {{.actor = Actor::Thread(4), .step = 3},
                       {.actor = Actor::Thread(2), .step = 5},
                       {.actor = Actor::Thread(3), .step = 1},
                       {.actor = Actor::Smmu(1), .step = 1}};
  NormalizeThreads(&scenario);
  EXPECT_THAT(Threads(scenario), ElementsAre(0, 1, 2, 2, 0));
  EXPECT_EQ(scenario.operations[1].page, 2);
  EXPECT_EQ(scenario.operations[3].page, 3);
  EXPECT_THAT(scenario.schedule,
              ElementsAre(Turn{.actor = Actor::Thread(2), .step = 3},
                          Turn{.actor = Actor::Thread(1), .step = 5}));
}

TEST(Block, OneThreadAloneIsNone) {
  Scenario scenario = Read("map d0 0\nmap d0 1\n");
  scenario.operations[1].thread = 3;
  scenario.schedule = {{.actor = Actor::Thread(3)}};
  NormalizeThreads(&scenario);
  EXPECT_THAT(Threads(scenario), ElementsAre(0, 0));
  EXPECT_TRUE(scenario.schedule.empty());
}

TEST(Block, OnlyTheFirstOneStays) {
  Scenario scenario = Read("map d0 0\nmap d0 1\nmap d0 2\nmap d0 3\n");
  scenario.operations[0].thread = 1;
  scenario.operations[1].thread = 2;
  scenario.operations[3].thread = 1;
  NormalizeThreads(&scenario);
  EXPECT_THAT(Threads(scenario), ElementsAre(1, 2, 0, 0));
}

TEST(Block, WhatTheKernelsCallersDoNotDoSideBySideIsRefused) {
  struct {
    std::string first, second, reason;
  } cases[] = {
      {"claim p1", "probe p3", "another thread has p1"},
      {"release v2", "claim p0", "another thread has p0"},
      {"domain-free d0", "map d0 0", "another thread uses d0"},
      {"domain-new d0", "release p0", "is released"},
      {"domain-free d2", "domain-new d3", "uses d3, whose parent is d2"},
      {"attach p0 d3", "domain-new d2", "uses d3, whose parent is d2"},
      {"map d0 0..3", "unmap d0 3", "two threads change page 3 of d0"},
      {"unmap d0 0 queued", "flush d0", "queue unmaps of d0"},
      {"exit d1", "claim p0", "processes are not for `par`"},
      {"claim p0  !config-write#1", "map d0 0", "faults of the hardware"},
  };
  for (const auto& refused : cases) {
    const auto scenario =
        Parse(kMachine + ("par\nthread\n" + refused.first + "\nthread\n" +
                          refused.second + "\nend\n"),
              "test");
    EXPECT_THAT(scenario.status().ToString(), HasSubstr(refused.reason))
        << refused.first << " | " << refused.second;
  }
}

TEST(Block, WhatTouchesNothingInCommonIsAllowed) {
  for (const std::string beside : {"attach p0 d0", "unmap d0 4", "dma p1 0",
                                   "flush d0", "map d0 4  !alloc#1"}) {
    EXPECT_TRUE(ValidateBlock(Read("par\nthread\nattach p1 d0\nmap d0 0..3\n"
                                   "thread\n" +
                                   beside + "\nend\n"))
                    .ok())
        << beside;
  }
}

}  // namespace
}  // namespace atsfuzz::model
