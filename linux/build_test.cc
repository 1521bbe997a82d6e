#include "linux/build.h"

#include <dlfcn.h>

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linux/cache.h"
#include "linux/compile.h"
#include "linux/module.h"
#include "linux/overlay.h"
#include "linux/source_files.h"
#include "linux/temporary_folder.h"

namespace atsfuzz::linux_driver {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kDriver[] = "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c";

void Silent(const std::string& line) {}

// A copy of Debian's 6.12 that a test may spoil; skips where it cannot be had.
class Build : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<Tree> debian = ObtainTree("6.12", {}, Silent);
    if (absl::IsUnavailable(debian.status())) {
      GTEST_SKIP() << debian.status();
    }
    ASSERT_TRUE(debian.ok()) << debian.status();
    absl::StatusOr<std::vector<SourceFile>> files =
        ReadSourceFiles(debian->path);
    ASSERT_TRUE(files.ok()) << files.status();
    ASSERT_TRUE(WriteSourceFiles(*files, folder_ / "linux").ok());
    setenv("ATSFUZZ_CACHE", (folder_ / "cache").c_str(), 1);
  }
  void TearDown() override { unsetenv("ATSFUZZ_CACHE"); }

  void AppendToDriver(const std::string& text) {
    const std::string path = folder_ / "linux/" + kDriver;
    absl::StatusOr<std::string> driver = ReadFile(path);
    ASSERT_TRUE(driver.ok()) << driver.status();
    ASSERT_TRUE(WriteFile(path, *driver + text).ok());
  }

  absl::StatusOr<std::string> Module(BuildKind kind) {
    absl::StatusOr<Tree> tree = ObtainTree(folder_ / "linux", {}, Silent);
    if (!tree.ok()) return tree.status();
    return BuildModule(*tree, kind,
                       [&](const std::string& line) { said_.push_back(line); });
  }

  TemporaryFolder folder_;
  std::vector<std::string> said_;
};

TEST_F(Build, TheUnmodifiedDriverBecomesAModule) {
  absl::StatusOr<std::string> path = Module(BuildKind::kPlain);
  ASSERT_TRUE(path.ok()) << path.status();
  void* library = dlopen(path->c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  auto* module =
      static_cast<const atsfuzz_module*>(dlsym(library, ATSFUZZ_MODULE_SYMBOL));
  ASSERT_NE(module, nullptr);
  EXPECT_EQ(module->abi, uint32_t{ATSFUZZ_MODULE_ABI});
  EXPECT_EQ(module->instrumented, 0u);
  dlclose(library);
}

TEST_F(Build, AModuleIsCompiledOncePerContent) {
  absl::StatusOr<std::string> first = Module(BuildKind::kPlain);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(said_, ElementsAre(HasSubstr("compiling")));
  absl::StatusOr<std::string> second = Module(BuildKind::kPlain);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(said_.size(), 1u);

  AppendToDriver("\n/* another content */\n");
  absl::StatusOr<std::string> edited = Module(BuildKind::kPlain);
  ASSERT_TRUE(edited.ok()) << edited.status();
  EXPECT_NE(*first, *edited);
  EXPECT_EQ(said_.size(), 2u);
}

TEST_F(Build, EachKindIsAModuleOfItsOwn) {
  absl::StatusOr<std::string> sanitized = Module(BuildKind::kSanitized);
  ASSERT_TRUE(sanitized.ok()) << sanitized.status();
  absl::StatusOr<std::string> instrumented = Module(BuildKind::kInstrumented);
  ASSERT_TRUE(instrumented.ok()) << instrumented.status();
  EXPECT_THAT(*ReadFile(*sanitized), HasSubstr("__asan_report_load8"));
  EXPECT_THAT(*ReadFile(*instrumented), Not(HasSubstr("__asan_report_load8")));
  EXPECT_NE(*sanitized, *instrumented);
}

TEST_F(Build, ATreeThatDoesNotCompileShowsTheCompilersFirstErrors) {
  AppendToDriver("int spoilt(void) { return not_declared_anywhere; }\n");
  absl::StatusOr<std::string> path = Module(BuildKind::kPlain);
  EXPECT_EQ(path.status().code(), absl::StatusCode::kFailedPrecondition);
  const std::string message = path.status().ToString();
  EXPECT_THAT(message, AllOf(HasSubstr("does not compile"),
                             HasSubstr(std::string("  ") + kDriver + ":"),
                             HasSubstr("'not_declared_anywhere'"),
                             HasSubstr("please report")));
  size_t at = message.find(folder_ / "cache/logs/");
  ASSERT_NE(at, std::string::npos);
  std::string log = message.substr(at, message.find('\n', at) - at);
  EXPECT_THAT(*ReadFile(log), HasSubstr("'not_declared_anywhere'"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "cache/modules"));
}

TEST_F(Build, ASymbolThatNobodyDefinesIsAnErrorOfTheBuild) {
  AppendToDriver(
      "int not_defined_anywhere(void);\n"
      "int spoilt(void) { return not_defined_anywhere(); }\n");
  absl::StatusOr<std::string> path = Module(BuildKind::kPlain);
  EXPECT_EQ(path.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(path.status().ToString(), HasSubstr("not_defined_anywhere"));
}

TEST_F(Build, WithoutTheCheckoutItSaysWhatIsMissing) {
  setenv("ATSFUZZ_SOURCE_DIR", folder_.path().c_str(), 1);
  absl::StatusOr<std::string> path = Module(BuildKind::kPlain);
  unsetenv("ATSFUZZ_SOURCE_DIR");
  EXPECT_EQ(path.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(path.status().ToString(), HasSubstr("ATSFUZZ_SOURCE_DIR"));
}

TEST(FirstErrors, AreDifferentOnesOfCompilerAndLinker) {
  std::string log =
      "clang -c /t/a.c\n/t/a.c:1:2: error: one\n  x\n  ^\n"
      "/t/a.c:1:2: error: one\n/t/b.c:3:4: fatal error: two\n"
      "ld.lld: error: undefined symbol: three\n/t/c.c:5:6: error: four\n";
  EXPECT_EQ(FirstErrors(log, 3, {{"/t/", ""}}),
            "  a.c:1:2: error: one\n  b.c:3:4: fatal error: two\n"
            "  ld.lld: error: undefined symbol: three");
  EXPECT_EQ(FirstErrors("a\nb\nc\nd\n", 3, {}), "b\nc\nd");
}

TEST(Overlay, FindsTheNamesOfIncludeLines) {
  EXPECT_THAT(IncludedNames("#include <linux/a.h>\n# include  <asm/b.h> /* */\n"
                            "#include \"own.h\"\n// #include <no.h>\n"
                            "#include <unended\n#define X <y>\n"),
              ElementsAre("linux/a.h", "asm/b.h"));
}

TEST(Overlay, LinksRealHeadersAndLeavesTheOthersEmpty) {
  TemporaryFolder folder;
  std::vector<SourceFile> files = {
      {"drivers/pci/ats.c",
       "#include <linux/sizes.h>\n#include <linux/unheard_of.h>\n"
       "#include <linux/pci_regs.h>\n#include <asm/errno.h>\n"
       "#include <stdarg.h>\n"},
      {"include/linux/sizes.h", "real sizes"},
      {"include/uapi/asm-generic/errno.h", "real errno"},
      {"include/uapi/linux/pci_regs.h", "real registers"},
  };
  ASSERT_TRUE(WriteSourceFiles(files, folder / "tree").ok());
  absl::Status status = WriteOverlay(files, folder / "tree", folder / "over");
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(*ReadFile(folder / "over/linux/sizes.h"), "real sizes");
  EXPECT_EQ(*ReadFile(folder / "over/linux/pci_regs.h"), "real registers");
  EXPECT_EQ(*ReadFile(folder / "over/asm/errno.h"), "real errno");
  EXPECT_EQ(*ReadFile(folder / "over/linux/unheard_of.h"), "");
  EXPECT_FALSE(std::filesystem::exists(folder / "over/stdarg.h"));
}

}  // namespace
}  // namespace atsfuzz::linux_driver
