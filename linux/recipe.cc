#include "linux/recipe.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <initializer_list>
#include <iterator>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace atsfuzz::linux_driver {
namespace {

namespace fs = std::filesystem;

using Flags = std::vector<std::string>;

// The glue: units of this project that include the tree's sources.
constexpr std::array kGlue = {"core", "driver",  "iommu_core",
                              "mm",   "nesting", "sva"};

// The tree's sources that are units of their own.
constexpr std::array kFromTree = {
    "drivers/iommu/io-pgtable-arm.c",
    "drivers/iommu/io-pgtable.c",
    // Since 6.16; a header alone before.
    "drivers/iommu/iommu-pages.c",
    "drivers/pci/ats.c",
    "lib/rbtree.c",
};

constexpr const char kSanitizers[] = "-fsanitize=address,undefined";
constexpr const char kCounters[] =
    "-fsanitize-coverage=inline-8bit-counters,pc-table";
constexpr const char kProfile[] = "-fprofile-instr-generate";

constexpr const char* kWraps[] = {
    // Calls of the driver into ats.c pass through the runtime.
    "-Wl,--wrap=pci_enable_ats",
    "-Wl,--wrap=pci_prepare_ats",
    "-Wl,--wrap=pci_enable_pasid",
    // Changes of the driver's stream tree are looked at.
    "-Wl,--wrap=rb_erase",
    "-Wl,--wrap=rb_insert_color",
};

void Append(Flags& flags, std::initializer_list<std::string> more) {
  flags.insert(flags.end(), more.begin(), more.end());
}

// One file to compile.
struct Unit {
  std::string source;
  std::string object;
  bool kernel = false;
};

std::vector<Unit> Units(const BuildPlaces& places) {
  std::vector<Unit> units;
  auto add = [&](const std::string& source, absl::string_view prefix,
                 bool kernel) {
    std::string name = fs::path(source).stem().string();
    units.push_back({source,
                     absl::StrCat(places.work, "/", prefix, "-", name, ".o"),
                     kernel});
  };
  for (absl::string_view name : kGlue) {
    // The suite's unit holds the driver too: the tests call its statics.
    const bool suite = places.suite && name == "driver";
    add(absl::StrCat(places.sources, "/linux/",
                     suite ? "kunit/suite" : absl::StrCat("kernel/", name),
                     ".c"),
        "glue", true);
  }
  for (const char* path : kFromTree) {
    const std::string source = absl::StrCat(places.tree, "/", path);
    std::error_code error;
    if (fs::exists(source, error)) add(source, "tree", true);
  }
  for (const std::string& path : RuntimeUnits(places.sources)) {
    add(path, "runtime-" + fs::path(path).parent_path().filename().string(),
        false);
  }
  if (places.suite) {
    add(places.sources + "/linux/kunit/runner.c", "runtime-kunit", false);
  }
  return units;
}

Flags KernelFlags(const BuildPlaces& places) {
  Flags flags = {
      "-std=gnu11",
      "-nostdinc",
      "-isystem",
      places.resources + "/include",
      "-I" + places.overlay,
      "-I" + places.overlay + "/uapi",
      "-I" + places.tree,
      "-iquote",
      places.sources,
      "-I" + places.sources + "/linux/kernel/include",
      "-include",
      "atsfuzz_kernel.h",
      "-D__KERNEL__",
      "-DCONFIG_64BIT=1",
      "-DCONFIG_IOMMU_API=1",
      "-DCONFIG_IOMMU_DMA=1",
      "-DCONFIG_IOMMU_IO_PGTABLE=1",
      "-DCONFIG_IOMMU_IO_PGTABLE_LPAE=1",
      "-DCONFIG_PCI=1",
      "-DCONFIG_PCI_ATS=1",
      "-DCONFIG_PCI_PRI=1",
      "-DCONFIG_PCI_PASID=1",
      // drivers/pci/pci.h is kept out: the stub headers have what ats.c needs.
      "-DDRIVERS_PCI_H",
      "-fno-strict-aliasing",
      "-fwrapv",
      // The kernel has its own set of warnings. These four are mistakes in C
      // and how a header that no longer fits shows.
      "-Wno-everything",
      "-Werror=implicit-function-declaration",
      "-Werror=incompatible-pointer-types",
      "-Werror=int-conversion",
      "-Werror=return-type",
      "-ferror-limit=0",
  };
  // Before the overlay, where <kunit/test.h> is empty.
  if (places.suite) {
    flags.insert(flags.begin(), "-I" + places.sources + "/linux/kunit/include");
  }
  if (!places.cases.empty()) {
    // The source's name in messages, wherever it lies.
    Append(flags, {"-DATSFUZZ_CASES", "-I" + places.work,
                   absl::StrCat("-fmacro-prefix-map=", places.work, "/="),
                   "-I" + places.tree + "/drivers/iommu/arm/arm-smmu-v3"});
  }
  flags.insert(flags.end(), places.features.begin(), places.features.end());
  if (std::count(flags.begin(), flags.end(), "-DATSFUZZ_HAS_NESTING") > 0) {
    Append(flags, {"-DCONFIG_ARM_SMMU_V3_IOMMUFD=1",
                   "-DCONFIG_IOMMUFD_DRIVER_CORE=1"});
  }
  return flags;
}

Flags RuntimeFlags(const BuildPlaces& places) {
  return {"-std=gnu11", "-I" + places.sources, "-Wall", "-Wextra", "-Werror"};
}

void AppendKindFlags(BuildKind kind, bool kernel, Flags& flags) {
  switch (kind) {
    case BuildKind::kPlain:
      Append(flags, {"-O2"});
      if (!kernel) Append(flags, {"-DATSFUZZ_SNAPSHOTS"});
      break;
    case BuildKind::kSanitized:
      Append(flags, {"-O1", "-fno-omit-frame-pointer", kSanitizers});
      if (!kernel) Append(flags, {"-DATSFUZZ_SANITIZED"});
      break;
    case BuildKind::kCovered:
      Append(flags, {"-O1"});
      // The counters lie in the profile's file itself: forked processes share
      // them, and a crash loses none.
      if (kernel) {
        Append(flags, {kProfile, "-fcoverage-mapping", "-mllvm",
                       "-runtime-counter-relocation"});
      }
      break;
    case BuildKind::kLinked:
      // Services ask for reports of unsigned overflow, which is no mistake, and
      // in the kernel neither is the other: it wraps. The runtime has no edges
      // that count, and compilers that nobody has seen may warn of it.
      Append(flags, {"-fno-sanitize=unsigned-integer-overflow"});
      if (kernel) {
        Append(flags, {"-fno-sanitize=signed-integer-overflow"});
      } else {
        Append(flags, {"-fno-sanitize=fuzzer-no-link", "-Wno-error",
                       "-DATSFUZZ_SANITIZED"});
      }
      return;
    case BuildKind::kInstrumented:
      Append(flags, {"-O1", "-fno-omit-frame-pointer"});
      // The callbacks are the runtime's own; no ThreadSanitizer is linked.
      if (kernel) {
        Append(flags,
               {"-fno-inline", "-fno-optimize-sibling-calls",
                "-fsanitize=thread", "-mllvm", "-tsan-distinguish-volatile",
                "-mllvm", "-tsan-instrument-func-entry-exit=0"});
      } else {
        Append(flags, {"-DATSFUZZ_INSTRUMENTED", "-DATSFUZZ_SNAPSHOTS"});
      }
      return;
  }
  Append(flags, {kernel ? kCounters : "-DATSFUZZ_COVERAGE"});
}

}  // namespace

std::vector<std::string> RuntimeUnits(const std::string& sources) {
  std::vector<std::string> units;
  for (const char* folder : {"/linux/kernel", "/linux/emulated"}) {
    std::error_code error;
    for (const fs::directory_entry& entry :
         fs::directory_iterator(sources + folder, error)) {
      const fs::path& path = entry.path();
      bool glue = std::count(kGlue.begin(), kGlue.end(), path.stem()) > 0;
      if (path.extension() == ".c" && !glue) units.push_back(path.string());
    }
  }
  std::sort(units.begin(), units.end());
  return units;
}

std::vector<Command> CompileCommands(const BuildPlaces& places,
                                     BuildKind kind) {
  std::vector<Command> commands;
  for (const Unit& unit : Units(places)) {
    Flags argv = {
        places.compiler, "-gdwarf-4", "-gdwarf-aranges", "-fPIC",
        "-fvisibility=hidden",
        // The same names in debug information wherever the program runs.
        "-fdebug-compilation-dir=/",
        absl::StrCat("-fdebug-prefix-map=", places.work, "=", places.home)};
    argv.insert(argv.end(), places.flags.begin(), places.flags.end());
    Flags own = unit.kernel ? KernelFlags(places) : RuntimeFlags(places);
    argv.insert(argv.end(), own.begin(), own.end());
    AppendKindFlags(kind, unit.kernel, argv);
    Append(argv, {"-c", unit.source, "-o", unit.object});
    commands.push_back({std::move(argv), ""});
  }
  return commands;
}

Command LinkCommand(const BuildPlaces& places, BuildKind kind) {
  Flags argv = {"clang", "-shared", "-fuse-ld=lld", "-Wl,-z,now"};
  argv.insert(argv.end(), std::begin(kWraps), std::end(kWraps));
  if (kind == BuildKind::kSanitized) {
    // The sanitizers' runtime is the program's that loads the module.
    Append(argv, {kSanitizers, "-Wl,-z,undefs"});
  } else {
    Append(argv, {"-Wl,-z,defs"});
  }
  if (kind == BuildKind::kCovered) {
    // The profile's runtime cannot be unloaded: it keeps what it allocated.
    Append(argv, {kProfile, "-Wl,-z,nodelete"});
  }
  for (const Unit& unit : Units(places)) argv.push_back(unit.object);
  Append(argv, {"-o", places.work + "/module.so"});
  return {std::move(argv), ""};
}

std::vector<std::string> LinkArguments(const BuildPlaces& places) {
  Flags arguments(std::begin(kWraps), std::end(kWraps));
  for (const Unit& unit : Units(places)) arguments.push_back(unit.object);
  return arguments;
}

}  // namespace atsfuzz::linux_driver
