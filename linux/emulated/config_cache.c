#include <string.h>

#include "linux/emulated/state.h"

/*
 * STEs and CDs that the SMMU has fetched. An entry stays until a CFGI command
 * names it, valid or not: a kernel that forgets the command sees traffic follow
 * the old one (specification, section 3.21.2).
 */

static void drop_cds_from(struct smmu *smmu, uint32_t first, uint64_t count) {
  uint32_t kept = 0;

  for (uint32_t i = 0; i < smmu->cd_count; i++) {
    uint32_t sid = smmu->cds[i].sid;
    if (sid >= first && sid - first < count) continue;
    if (kept != i) smmu->cds[kept] = smmu->cds[i];
    kept++;
  }
  smmu->cd_count = kept;
}

/* CDs of the stream go too: CFGI_STE covers what was reached through it. */
void config_drop_ste(struct smmu *smmu, uint32_t first, uint64_t count) {
  uint32_t kept = 0;

  for (uint32_t i = 0; i < smmu->ste_count; i++) {
    uint32_t sid = smmu->stes[i].sid;
    if (sid >= first && sid - first < count) continue;
    if (kept != i) smmu->stes[kept] = smmu->stes[i];
    kept++;
  }
  smmu->ste_count = kept;
  drop_cds_from(smmu, first, count);
}

void config_drop_cds(struct smmu *smmu, uint32_t sid) {
  drop_cds_from(smmu, sid, 1);
}

void config_drop_cd(struct smmu *smmu, uint32_t sid, uint32_t ssid) {
  for (uint32_t i = 0; i < smmu->cd_count; i++) {
    if (smmu->cds[i].sid != sid || smmu->cds[i].ssid != ssid) continue;
    smmu->cds[i] = smmu->cds[--smmu->cd_count];
    return;
  }
}

static const uint64_t *fetch_ste(struct smmu *smmu, uint32_t sid,
                                 uint8_t *fault) {
  const uint64_t *ste;
  struct cached_ste *entry;

  for (uint32_t i = 0; i < smmu->ste_count; i++)
    if (smmu->stes[i].sid == sid) return smmu->stes[i].ste;

  ste = stream_table_entry(smmu, sid);
  if (!ste) {
    *fault = C_BAD_STREAMID;
    return NULL;
  }
  if (!atsfuzz_dma_memory_live((uint64_t)(uintptr_t)ste, sizeof(entry->ste))) {
    smmu_memory_error(smmu, "SMMU read a freed stream table");
    *fault = F_STE_FETCH;
    return NULL;
  }
  /* There are no more ids than entries, but be safe: the last one gives way. */
  if (smmu->ste_count == CONFIG_ENTRIES) smmu->ste_count--;
  entry = &smmu->stes[smmu->ste_count++];
  entry->sid = sid;
  memcpy(entry->ste, ste, sizeof(entry->ste));
  return entry->ste;
}

static const uint64_t *fetch_cd(struct smmu *smmu, uint32_t sid, uint32_t ssid,
                                const uint64_t *ste, uint8_t *fault) {
  const uint64_t *cd;
  struct cached_cd *entry;

  for (uint32_t i = 0; i < smmu->cd_count; i++)
    if (smmu->cds[i].sid == sid && smmu->cds[i].ssid == ssid)
      return smmu->cds[i].cd;

  cd = cd_table_entry(ste, ssid, fault);
  if (!cd) {
    if (*fault == F_CD_FETCH)
      smmu_memory_error(smmu, "SMMU read a freed context descriptor table");
    return NULL;
  }
  if (smmu->cd_count == CACHED_CDS) smmu->cd_count--;
  entry = &smmu->cds[smmu->cd_count++];
  entry->sid = sid;
  entry->ssid = ssid;
  memcpy(entry->cd, cd, sizeof(entry->cd));
  return entry->cd;
}

/* A stream whose STE has Config = stage 1. */
static void resolve_stage1(struct smmu *smmu, uint32_t sid, uint32_t pasid,
                           const uint64_t *ste, struct regime *out) {
  const uint64_t *cd;

  if (!pasid && field(ste[0], 63, 59)) {
    switch (field(ste[1], 1, 0)) { /* S1DSS: meant where there are substreams */
      case 0:
        out->fault = F_STREAM_DISABLED;
        return;
      case 1:
        out->kind = REGIME_BYPASS;
        return;
      case 3:
        out->fault = C_BAD_STE;
        return;
    }
  }
  cd = fetch_cd(smmu, sid, pasid, ste, &out->fault);
  if (!cd) return;
  out->fault = walk_table_of_cd(smmu, cd, &out->table);
  if (out->fault) return;
  out->kind = REGIME_TRANSLATE;
  out->tag = (uint16_t)field(cd[0], 63, 48);
  if (smmu_register(smmu, REG_IDR0) & IDR0_S2P)
    out->vmid = (uint16_t)field(ste[2], 15, 0);
}

/* A stream whose STE has Config = stage 2, or both: there are no substreams. */
static void resolve_stage2(const struct smmu *smmu, uint32_t pasid,
                           const uint64_t *ste, struct regime *out) {
  out->fault = walk_table_of_ste(smmu, ste, &out->table);
  if (out->fault) {
    out->ste_fault = 1;
    out->eats = 0;
    return;
  }
  if (pasid) {
    out->fault = C_BAD_SUBSTREAMID;
    return;
  }
  out->kind = REGIME_TRANSLATE;
  out->guest = field(ste[0], 3, 1) == 7;
  out->tag = (uint16_t)field(ste[2], 15, 0);
}

void config_resolve(struct smmu *smmu, uint32_t sid, uint32_t pasid,
                    struct regime *out) {
  uint32_t idr0 = smmu_register(smmu, REG_IDR0);
  const uint64_t *ste;

  memset(out, 0, sizeof(*out));
  if (!(smmu_register(smmu, REG_CR0) & CR0_SMMUEN)) {
    if (!(smmu_register(smmu, REG_GBPA) & GBPA_ABORT))
      out->kind = REGIME_BYPASS;
    return;
  }
  ste = fetch_ste(smmu, sid, &out->fault);
  if (ste && !(ste[0] & 1)) out->fault = C_BAD_STE;
  if (out->fault) {
    out->ste_fault = 1;
    return;
  }
  if ((idr0 & IDR0_ATS) && field(ste[0], 3, 1) >= 5)
    out->eats = field(ste[1], 29, 28) == 1;
  switch (field(ste[0], 3, 1)) { /* Config */
    case 0:
      return;
    case 4:
      out->kind = pasid ? REGIME_ABORT : REGIME_BYPASS;
      if (pasid) out->fault = C_BAD_SUBSTREAMID;
      return;
    case 5:
      if (!(idr0 & IDR0_S1P)) break;
      resolve_stage1(smmu, sid, pasid, ste, out);
      return;
    case 6:
      if (!(idr0 & IDR0_S2P)) break;
      resolve_stage2(smmu, pasid, ste, out);
      return;
    case 7:
      if (~idr0 & (IDR0_S1P | IDR0_S2P)) break;
      resolve_stage2(smmu, pasid, ste, out);
      return;
  }
  out->fault = C_BAD_STE;
  out->ste_fault = 1;
  out->eats = 0;
}
