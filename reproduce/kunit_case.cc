#include "reproduce/kunit_case.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "model/observation.h"

namespace atsfuzz::reproduce {
namespace {

using Kind = ArrayCall::Kind;

const char* TypeConstant(uint32_t type) {
  switch (type) {
    case ATSFUZZ_INV_S1_ASID:
      return "INV_TYPE_S1_ASID";
    case ATSFUZZ_INV_S2_VMID:
      return "INV_TYPE_S2_VMID";
    case ATSFUZZ_INV_S2_VMID_S1_CLEAR:
      return "INV_TYPE_S2_VMID_S1_CLEAR";
    case ATSFUZZ_INV_ATS:
      return "INV_TYPE_ATS";
    default:
      return "INV_TYPE_ATS_FULL";
  }
}

bool IsAts(const ArrayEntry& entry) {
  return entry.type == ATSFUZZ_INV_ATS || entry.type == ATSFUZZ_INV_ATS_FULL;
}

// What all cases share: compares an array with what it must hold.
constexpr char kVerify[] = R"(struct invs_expected {
	struct arm_smmu_device *smmu;
	u8 type;
	u32 id;
	u32 ssid;
	int users;
};

/* The array holds these entries with their users; there may be trash between them. */
static void invs_expect(struct kunit *test, struct arm_smmu_invs *invs,
			const struct invs_expected *expected, size_t count,
			const char *after)
{
	size_t i, live = 0, trash = 0;

	KUNIT_ASSERT_LE_MSG(test, invs->num_invs, invs->max_invs, "%s", after);
	for (i = 0; i < invs->num_invs; i++) {
		const struct arm_smmu_inv *inv = &invs->inv[i];
		bool ats = inv->type == INV_TYPE_ATS || inv->type == INV_TYPE_ATS_FULL;

		if (!READ_ONCE(inv->users)) {
			trash++;
			continue;
		}
		KUNIT_ASSERT_LT_MSG(test, live, count, "%s", after);
		KUNIT_EXPECT_PTR_EQ_MSG(test, inv->smmu, expected[live].smmu, "%s", after);
		KUNIT_EXPECT_EQ_MSG(test, inv->type, expected[live].type, "%s", after);
		KUNIT_EXPECT_EQ_MSG(test, inv->id, expected[live].id, "%s", after);
		KUNIT_EXPECT_EQ_MSG(test, READ_ONCE(inv->users), expected[live].users, "%s",
				    after);
		if (ats) {
			KUNIT_EXPECT_EQ_MSG(test, inv->ssid, expected[live].ssid, "%s", after);
			KUNIT_EXPECT_TRUE_MSG(test, invs->has_ats, "%s", after);
		}
		live++;
	}
	KUNIT_EXPECT_EQ_MSG(test, live, count, "%s", after);
	KUNIT_EXPECT_EQ_MSG(test, invs->num_trashes, trash, "%s", after);
	/* Trash at the end is cut off. */
	if (invs->num_invs)
		KUNIT_EXPECT_NE_MSG(test, READ_ONCE(invs->inv[invs->num_invs - 1].users), 0,
				    "%s", after);
}

)";

// Gives equal things one name.
template <typename Thing>
class Names {
 public:
  explicit Names(std::string prefix) : prefix_(std::move(prefix)) {}

  // The name; `*is_new` if it is the first of its kind.
  std::string Of(const Thing& thing, bool* is_new) {
    const auto at = std::find(things_.begin(), things_.end(), thing);
    *is_new = at == things_.end();
    const size_t index = static_cast<size_t>(at - things_.begin());
    if (*is_new) things_.push_back(thing);
    return absl::StrCat(prefix_, index + 1);
  }

 private:
  std::string prefix_;
  std::vector<Thing> things_;
};

class Writer {
 public:
  explicit Writer(const KunitCase& test) : test_(test) {
    std::set<uint64_t> smmus;
    for (const StoryStep& step : test.story) {
      for (const ArrayEntry& entry : step.call.list) smmus.insert(entry.smmu);
    }
    several_smmus_ = smmus.size() > 1;
    arrays_[test.story.front().call.array] = 0;
  }

  std::string Text() {
    for (const StoryStep& step : test_.story) Add(step);
    const std::string name =
        absl::StrCat("arm_smmu_v3_invs_test_",
                     absl::StrReplaceAll(test_.invariant, {{"-", "_"}}));
    std::string text = absl::StrCat(
        "// SPDX-License-Identifier: GPL-2.0\n/*\n", Comment(),
        " */\n#include <kunit/test.h>\n\n#include \"arm-smmu-v3.h\"\n\n",
        several_smmus_
            ? "/* Addresses of SMMUs, by which arrays sort; nobody follows "
              "them. */\n#define SMMU(address) ((struct arm_smmu_device "
              "*)(address))\n\n"
            : "",
        kVerify, lists_, results_, "static void ", name,
        "(struct kunit *test)\n{\n");
    absl::StrAppendFormat(&text,
                          "\tstruct arm_smmu_invs *invs[%d] = {};\n"
                          "\tsize_t i;\n\n"
                          "\tinvs[0] = arm_smmu_invs_alloc(0);\n"
                          "\tKUNIT_ASSERT_NOT_NULL(test, invs[0]);\n",
                          arrays_.size());
    absl::StrAppend(&text, body_,
                    "\n\tfor (i = 0; i < ARRAY_SIZE(invs); i++)\n"
                    "\t\tkfree(invs[i]);\n}\n\n",
                    Suite(name));
    return text;
  }

 private:
  std::string Comment() const {
    std::string text;
    for (const std::string& line : test_.about) {
      absl::StrAppend(&text, " *", line.empty() ? "" : " ",
                      absl::StrReplaceAll(line, {{"*/", "* /"}}), "\n");
    }
    return text;
  }

  static std::string Suite(const std::string& name) {
    return absl::StrFormat(
        "static struct kunit_case arm_smmu_v3_invs_test_cases[] = {\n"
        "\tKUNIT_CASE(%s),\n\t{},\n};\n\n"
        "static struct kunit_suite arm_smmu_v3_invs_test_module = {\n"
        "\t.name = \"arm-smmu-v3-invs-kunit-test\",\n"
        "\t.test_cases = arm_smmu_v3_invs_test_cases,\n};\n"
        "kunit_test_suites(&arm_smmu_v3_invs_test_module);\n\n"
        "MODULE_IMPORT_NS(\"EXPORTED_FOR_KUNIT_TESTING\");\n"
        "MODULE_DESCRIPTION(\"KUnit test of arm-smmu-v3's invalidation "
        "arrays\");\nMODULE_LICENSE(\"GPL v2\");\n",
        name);
  }

  std::string Smmu(const ArrayEntry& entry) const {
    return several_smmus_ ? absl::StrFormat("SMMU(0x%x)", entry.smmu) : "NULL";
  }

  // The variable of a list; declares it where it comes first.
  std::string List(const ArrayList& list) {
    bool is_new = false;
    const std::string name = list_names_.Of(list, &is_new);
    if (!is_new) return name;
    std::vector<std::string> entries;
    for (const ArrayEntry& entry : list) {
      std::string members;
      if (several_smmus_)
        absl::StrAppend(&members, ".smmu = ", Smmu(entry), ", ");
      absl::StrAppendFormat(&members, ".type = %s, .id = 0x%x",
                            TypeConstant(entry.type), entry.id);
      if (entry.ssid != 0) absl::StrAppend(&members, ", .ssid = ", entry.ssid);
      entries.push_back(absl::StrCat("{ ", members, " },"));
    }
    absl::StrAppendFormat(&lists_,
                          "static struct arm_smmu_invs %s = {\n"
                          "\t.num_invs = %d,\n\t.inv = { %s },\n};\n\n",
                          name, list.size(), absl::StrJoin(entries, "\n\t\t "));
    return name;
  }

  // "results1, ARRAY_SIZE(results1)".
  std::string Results(const std::vector<LiveEntry>& expected) {
    if (expected.empty()) return "NULL, 0";
    bool is_new = false;
    const std::string name = result_names_.Of(expected, &is_new);
    if (is_new) {
      absl::StrAppendFormat(
          &results_, "static const struct invs_expected %s[] = {\n", name);
      for (const LiveEntry& live : expected) {
        absl::StrAppendFormat(&results_, "\t{ %s, %s, 0x%x, %d, %d },\n",
                              Smmu(live.entry), TypeConstant(live.entry.type),
                              live.entry.id, live.entry.ssid, live.users);
      }
      results_ += "};\n\n";
    }
    return absl::StrCat(name, ", ARRAY_SIZE(", name, ")");
  }

  int Variable(uint32_t array) {
    return arrays_.try_emplace(array, static_cast<int>(arrays_.size()))
        .first->second;
  }

  void Add(const StoryStep& step) {
    const std::string what =
        absl::StrCat(step.call.why.empty() ? "" : step.call.why + ": ",
                     step.call.kind == Kind::kMerge   ? "a list joins"
                     : step.call.kind == Kind::kUnref ? "a list leaves"
                                                      : "trash is purged");
    after_ =
        absl::StrFormat("\"after call %d, %s\"", ++steps_, absl::CEscape(what));
    absl::StrAppend(&body_, "\n\t/* ", steps_, ". ", what,
                    step.dropped ? ", and the attach fails" : "",
                    step.misuse.empty() ? "" : "; but ", step.misuse, " */\n");
    switch (step.call.kind) {
      case Kind::kMerge:
        return AddMerge(step);
      case Kind::kUnref:
        return AddUnref(step);
      case Kind::kPurge:
        return AddPurge(step);
    }
  }

  // What must hold of the array that `call` has just given.
  void AddNew(const StoryStep& step, const std::string& call) {
    const int variable = Variable(step.call.result);
    const bool ats =
        std::any_of(step.expected.begin(), step.expected.end(),
                    [](const LiveEntry& live) { return IsAts(live.entry); });
    absl::StrAppendFormat(&body_,
                          "\tinvs[%d] = %s;\n"
                          "\tKUNIT_ASSERT_NOT_ERR_OR_NULL(test, invs[%d]);\n"
                          "\tinvs_expect(test, invs[%d], %s,\n\t\t    %s);\n"
                          "\tKUNIT_EXPECT_EQ(test, invs[%d]->num_trashes, 0);\n"
                          "\tKUNIT_EXPECT_EQ(test, invs[%d]->has_ats, %s);\n",
                          variable, call, variable, variable,
                          Results(step.expected), after_, variable, variable,
                          ats ? "true" : "false");
  }

  void AddMerge(const StoryStep& step) {
    if (step.call.result == 0) {
      body_ += "\t/* It fails for want of memory, which KUnit cannot do. */\n";
      return;
    }
    AddNew(step,
           absl::StrFormat("arm_smmu_invs_merge(invs[%d], &%s)",
                           Variable(step.call.array), List(step.call.list)));
  }

  void AddUnref(const StoryStep& step) {
    const std::string list = List(step.call.list);
    const int variable = Variable(step.call.array);
    absl::StrAppendFormat(&body_,
                          "\tarm_smmu_invs_unref(invs[%d], &%s);\n"
                          "\tinvs_expect(test, invs[%d], %s,\n\t\t    %s);\n",
                          variable, list, variable, Results(step.expected),
                          after_);
    if (!step.misuse.empty()) return;
    for (size_t i = 0; i < step.call.list.size(); ++i) {
      const bool gone =
          std::find(step.gone.begin(), step.gone.end(), i) != step.gone.end();
      absl::StrAppendFormat(&body_,
                            "\tKUNIT_EXPECT_%s(test, %s.inv[%d].users, 0);\n",
                            gone ? "EQ" : "NE", list, i);
    }
  }

  void AddPurge(const StoryStep& step) {
    const std::string call = absl::StrFormat("arm_smmu_invs_purge(invs[%d])",
                                             Variable(step.call.array));
    if (step.call.result != 0 && step.has_trash) {
      AddNew(step, call);
    } else if (step.has_trash) {
      body_ += "\t/* It fails for want of memory, which KUnit cannot do. */\n";
    } else {
      absl::StrAppend(&body_, "\tKUNIT_EXPECT_NULL(test, ", call, ");\n");
    }
  }

  const KunitCase& test_;
  bool several_smmus_ = false;
  std::string lists_, results_, body_;
  int steps_ = 0;
  std::string after_;  // C: what stands in messages about the step
  Names<ArrayList> list_names_{"list"};
  Names<std::vector<LiveEntry>> result_names_{"results"};
  std::map<uint32_t, int> arrays_;  // by number, which of `invs`
};

}  // namespace

std::string TextOf(const KunitCase& test) { return Writer(test).Text(); }

std::vector<std::string> LimitsOf(const std::vector<StoryStep>& story) {
  std::vector<std::string> limits;
  for (size_t i = 0; i < story.size(); ++i) {
    const StoryStep& step = story[i];
    const bool failed = step.call.result == 0 &&
                        (step.call.kind == Kind::kMerge ||
                         (step.call.kind == Kind::kPurge && step.has_trash));
    if (!failed) continue;
    limits.push_back(absl::StrCat(
        "call ", i + 1, step.call.why.empty() ? "" : ", of `", step.call.why,
        step.call.why.empty() ? "" : "`",
        ", fails for want of memory; a KUnit case has no way to make it fail"));
  }
  return limits;
}

}  // namespace atsfuzz::reproduce
