#include "model/machine/array.h"

namespace atsfuzz::machine {
namespace {

bool IsLive(unsigned users) { return users != 0 && users != kTrash; }

void SetAts(Array& array, int stream, int ssid, unsigned users) {
  const int shift = 4 * ssid;
  array.ats[stream] = static_cast<uint16_t>(
      (array.ats[stream] & ~(0xfu << shift)) | users << shift);
}

bool IsRepeated(const Needs& needs, int stream) {
  return (needs.repeated >> stream & 1) != 0;
}

// Forgets trash, and tells whether an ATS entry is live.
void DropTrash(Array& array) {
  if (array.tag == kTrash) array.tag = 0;
  if (array.clear == kTrash) array.clear = 0;
  array.has_ats = 0;
  array.num_trashes = 0;
  for (int stream = 0; stream < kStreams; ++stream) {
    if (array.ats[stream] == 0) continue;
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      const unsigned users = AtsUsers(array, stream, ssid);
      if (users == kTrash) SetAts(array, stream, ssid, 0);
      if (IsLive(users)) array.has_ats = 1;
    }
  }
}

unsigned Add(unsigned users) { return users < 14 ? users + 1 : users; }

// What one entry becomes, and how much trash that is.
unsigned Drop(unsigned users, int copies, Array& array, Unreferenced& result) {
  if (!IsLive(users)) {
    result.missing += copies;
    return users;
  }
  if (users > 1) return users - 1;
  array.num_trashes = static_cast<uint8_t>(array.num_trashes + copies);
  return kTrash;
}

// Cuts off the trash behind the last live entry.
void Trim(Array& array, const Needs& needs) {
  for (int stream = kStreams - 1; stream >= 0; --stream) {
    for (int ssid = kSsids - 1; ssid >= 0 && array.ats[stream] != 0; --ssid) {
      const unsigned users = AtsUsers(array, stream, ssid);
      if (IsLive(users)) return;
      if (users == 0) continue;
      SetAts(array, stream, ssid, 0);
      array.num_trashes = static_cast<uint8_t>(
          array.num_trashes - (IsRepeated(needs, stream) ? 2 : 1));
    }
  }
  if (IsLive(array.clear)) return;
  if (array.clear == kTrash) --array.num_trashes;
  array.clear = 0;
  if (IsLive(array.tag)) return;
  if (array.tag == kTrash) --array.num_trashes;
  array.tag = 0;
}

}  // namespace

unsigned AtsUsers(const Array& array, int stream, int ssid) {
  return array.ats[stream] >> (4 * ssid) & 0xfu;
}

Array Merge(const Array& array, const Needs& needs) {
  Array merged = array;
  DropTrash(merged);
  merged.tag = static_cast<uint8_t>(Add(merged.tag)) & 0xf;
  if (needs.clear) merged.clear = static_cast<uint8_t>(Add(merged.clear)) & 0xf;
  for (unsigned left = needs.streams; left != 0; left &= left - 1) {
    const int stream = __builtin_ctz(left);
    SetAts(merged, stream, needs.ssid,
           Add(AtsUsers(merged, stream, needs.ssid)));
    merged.has_ats = 1;
  }
  return merged;
}

Unreferenced Unref(Array& array, const Needs& needs) {
  Unreferenced result;
  array.tag = static_cast<uint8_t>(Drop(array.tag, 1, array, result)) & 0xf;
  if (needs.clear) {
    array.clear =
        static_cast<uint8_t>(Drop(array.clear, 1, array, result)) & 0xf;
  }
  for (unsigned left = needs.streams; left != 0; left &= left - 1) {
    const int stream = __builtin_ctz(left);
    SetAts(array, stream, needs.ssid,
           Drop(AtsUsers(array, stream, needs.ssid),
                IsRepeated(needs, stream) ? 2 : 1, array, result));
  }
  result.tag_dropped = !IsLive(array.tag);
  Trim(array, needs);
  return result;
}

bool NeedsPurge(const Array& array) { return array.num_trashes != 0; }

Array Purge(const Array& array) {
  Array purged = array;
  DropTrash(purged);
  return purged;
}

int LiveAts(const Array& array) {
  int count = 0;
  for (int stream = 0; stream < kStreams; ++stream) {
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      if (IsLive(AtsUsers(array, stream, ssid))) ++count;
    }
  }
  return count;
}

}  // namespace atsfuzz::machine
