#include <algorithm>
#include <cassert>

#include "model/machine/driver.h"

namespace atsfuzz::machine {
namespace {

constexpr Program kOrdered[] = {Program::kAttachPaging, Program::kAttachNested,
                                Program::kAttachStatic, Program::kSetPasid,
                                Program::kInvalidate};

}  // namespace

void Programs::Set(Program program, std::initializer_list<Step> steps) {
  assert(steps.size() < kLongest);
  std::copy(steps.begin(), steps.end(),
            steps_[static_cast<int>(program)].begin());
}

void Programs::Remove(Step step) {
  for (auto& steps : steps_) {
    const auto end = std::find(steps.begin(), steps.end(), Step::kDone);
    std::fill(std::remove(steps.begin(), end, step), end, Step::kDone);
  }
}

void Programs::MoveBefore(Step step, Step anchor) {
  for (Program program : kOrdered) {
    auto& steps = steps_[static_cast<int>(program)];
    const auto from = std::find(steps.begin(), steps.end(), step);
    const auto to = std::find(steps.begin(), steps.end(), anchor);
    if (from == steps.end() || to == steps.end()) continue;
    if (from > to) {
      std::rotate(to, from, from + 1);
    } else {
      std::rotate(from, from + 1, to);
    }
  }
}

void Programs::MoveAfter(Step step, Step anchor) {
  MoveBefore(step, anchor);
  MoveBefore(anchor, step);
}

Programs::Programs(const Design& design) {
  using S = Step;
  if (design.attach == Attach::kOnePhase) {
    Set(Program::kDetach, {S::kDisableAts, S::kInvalidateAtc, S::kUncount,
                           S::kLeaveList, S::kBelieve, S::kInstallSte});
    Set(Program::kAttachPaging,
        {S::kCheckDomain, S::kPredict, S::kBelieve, S::kInstallCd,
         S::kInstallSte, S::kList, S::kCount, S::kAtcInvDomain, S::kEnableAts});
    Set(Program::kAttachStatic, {S::kPredict, S::kInstallSte});
  } else {
    Set(Program::kAttachPaging,
        {S::kCheckDomain, S::kAllocCdTable,    S::kLockAsid,  S::kPredict,
         S::kMerge,       S::kAllocAttachment, S::kCount,     S::kList,
         S::kPublish,     S::kDisableAts,      S::kInstallCd, S::kInstallSte,
         S::kClearCd,     S::kInvalidateAtc,   S::kEnableAts, S::kUndoEnable,
         S::kLeaveList,   S::kUncount,         S::kUnref,     S::kFlushTag,
         S::kPurge,       S::kBelieve,         S::kUnlockAsid});
    Set(Program::kAttachNested,
        {S::kCheckDomain, S::kLockAsid,        S::kPredict,
         S::kMerge,       S::kAllocAttachment, S::kCount,
         S::kList,        S::kPublish,         S::kDisableAts,
         S::kInstallSte,  S::kInvalidateAtc,   S::kEnableAts,
         S::kUndoEnable,  S::kLeaveList,       S::kUncount,
         S::kUnref,       S::kFlushTag,        S::kPurge,
         S::kBelieve,     S::kUnlockAsid});
    Set(Program::kAttachStatic,
        {S::kLockAsid, S::kPredict, S::kDisableAts, S::kInstallSte,
         S::kInvalidateAtc, S::kEnableAts, S::kUndoEnable, S::kLeaveList,
         S::kUncount, S::kUnref, S::kFlushTag, S::kPurge, S::kBelieve,
         S::kUnlockAsid, S::kClearCd});
    Set(Program::kSetPasid,
        {S::kCheckDomain,   S::kAllocCdTable,    S::kLockAsid,   S::kPredict,
         S::kMerge,         S::kAllocAttachment, S::kCount,      S::kList,
         S::kPublish,       S::kDisableAts,      S::kInstallCd,  S::kInstallSte,
         S::kInvalidateAtc, S::kEnableAts,       S::kUndoEnable, S::kLeaveList,
         S::kUncount,       S::kUnref,           S::kFlushTag,   S::kPurge,
         S::kBelieve,       S::kUnlockAsid});
    Set(Program::kClearPasid,
        {S::kLockAsid, S::kClearCd, S::kInvalidateAtc, S::kLeaveList,
         S::kUncount, S::kUnref, S::kFlushTag, S::kPurge, S::kUnlockAsid,
         S::kDowngrade});
  }
  if (design.attach == Attach::kArrays) {
    Set(Program::kInvalidate,
        {S::kClearPages, S::kLoadTargets, S::kTlbi, S::kReadTargets,
         S::kAtcInvDomain, S::kLeaveTargets});
  } else {
    Set(Program::kInvalidate, {S::kClearPages, S::kTlbi, S::kLoadTargets,
                               S::kReadTargets, S::kAtcInvDomain});
  }

  if (design.attach == Attach::kTwoPhase) {
    for (Step step :
         {S::kMerge, S::kPublish, S::kUnref, S::kFlushTag, S::kPurge}) {
      Remove(step);
    }
  }
  if (!design.flushes_dropped_tag) Remove(S::kFlushTag);
  if (design.enable_failure == EnableFailure::kBelieved ||
      design.enable_failure == EnableFailure::kFollowsDevice) {
    Remove(S::kUndoEnable);
  }
  if (!design.count_before_enable) MoveAfter(S::kCount, S::kEnableAts);
  if (!design.arrays_before_ste) MoveAfter(S::kPublish, S::kInstallSte);
  if (!design.eats_before_enable) MoveBefore(S::kEnableAts, S::kInstallSte);
  if (!design.disable_before_ste) MoveAfter(S::kDisableAts, S::kInstallSte);
  if (!design.list_before_belief) MoveBefore(S::kBelieve, S::kLeaveList);
  if (!design.tlbi_before_atc_inv) MoveAfter(S::kTlbi, S::kAtcInvDomain);
  if (!design.barrier_before_load) MoveBefore(S::kLoadTargets, S::kClearPages);
}

}  // namespace atsfuzz::machine
