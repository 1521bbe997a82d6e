#include "model/machine/design.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "model/arbitrary.h"

namespace atsfuzz::machine {
namespace {

TEST(Design, AnyChoiceOfSwitchesIsReadBackFromItsName) {
  int different = 0;
  EXPECT_TRUE(rc::check([&] {
    const auto presets = Presets();
    const std::string start(
        presets[model::Below(static_cast<uint32_t>(presets.size()))]);
    Design design = *ParseDesign(start);
    for (const Switch& which : Switches()) {
      if (model::Below(4) != 0) continue;
      const auto count = static_cast<uint32_t>(which.values.size());
      which.set(design, static_cast<int>(model::Below(count)));
    }
    different += !(design == *ParseDesign(start));
    const auto again = ParseDesign(DesignName(design));
    RC_ASSERT(again.ok());
    RC_ASSERT(*again == design);
  }));
  EXPECT_GT(different, 50);
}

TEST(Design, APresetIsItsOwnName) {
  ASSERT_EQ(Presets().size(), 5u);
  for (const absl::string_view preset : Presets()) {
    EXPECT_EQ(DesignName(*ParseDesign(preset)), preset);
  }
}

TEST(Design, WhatIsUnknownIsNamed) {
  for (const std::string text :
       {"8.0", "7.2,no-such-switch=on", "7.2,vf-stu-check=maybe"}) {
    const auto design = ParseDesign(text);
    ASSERT_FALSE(design.ok()) << text;
    const std::string unknown = absl::StrContains(text, "maybe") ? "maybe"
                                : absl::StrContains(text, "no-such")
                                    ? "no-such-switch"
                                    : "8.0";
    EXPECT_TRUE(
        absl::StrContains(std::string(design.status().message()), unknown))
        << design.status();
  }
  EXPECT_FALSE(ParseDesign("7.2,vf-stu-check").ok());
  EXPECT_FALSE(ParseDesign("").ok());
}

}  // namespace
}  // namespace atsfuzz::machine
