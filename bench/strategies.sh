#!/usr/bin/env bash
# How soon each strategy finds each planted race, on the abstract machine and on
# the kernel's own source, given the machine and a scenario to begin with, but not
# its order: the median of some seeds of the number of the run that showed it first
# (of `bounded`, a run is a scenario in all its schedules) and of its seconds with
# shrinking, how many seeds found it within the time limit, and the switches of the
# smallest schedule.
#
#   bench/strategies.sh PROGRAM [SECONDS [SEEDS [BUG...]]]
#
# PROGRAM is cli/atsfuzz of a release build. SECONDS, 10 by default, limits each
# run; SEEDS is 10 by default. To be started in the root of the project. What the
# unmodified driver shows in the same time counts as known.
set -euo pipefail

program=$1 seconds=${2:-10} seeds=${3:-10}
shift $(($# < 3 ? $# : 3))
bugs=${*:-count-after-enable arrays-after-ste atc-inv-before-tlbi
  trim-outside-lock array-without-grace enable-before-eats barrier-missing
  command-barrier-missing counter-not-atomic}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

planted=properties/planted/races
races=corpus/model-races

# The value of a key that stands on a line of its own in the JSON.
value() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},*\$/\1/p" "$2"; }
median() { sort -n | sed -n "$(((seeds + 1) / 2))p"; }

# fuzz OUTPUT DRIVER FLAGS...: on the operations in $work/corpus.
fuzz() {
  local output=$1 driver=$2 status=0
  shift 2
  cp -r "$work/corpus" "$work/used"
  "$program" fuzz --driver="$driver" "$@" --threads=3 --jobs=1 \
    --topology="$work/corpus/seed.ats" \
    --corpus="$work/used" --known="$work/known" --seconds="$seconds" \
    --findings="$work/findings" --json > "$output" 2> "$work/errors" || status=$?
  rm -rf "$work/used" "$work/findings"
  if [ $status -gt 1 ]; then
    cat "$work/errors" >&2
    exit 3
  fi
}

# What the driver without the bug shows, in a few times as long.
know() {
  echo '# known' > "$work/known"
  for strategy in mixed bytes random; do
    for seed in 1001 1002; do
      fuzz "$work/base" "$@" --keep-going --strategy="$strategy" --seed="$seed"
      value signature "$work/base" | sed 's/$/  of the unmodified driver/' > "$work/seen"
      sort -u "$work/known" "$work/seen" > "$work/all"
      mv "$work/all" "$work/known"
    done
  done
}

row() {
  local bug=$1 driver=$2 strategy=$3 found=0 switches=- at
  shift 3
  : > "$work/runs"
  : > "$work/times"
  for ((seed = 1; seed <= seeds; seed++)); do
    fuzz "$work/json" "$driver" "$@" --strategy="$strategy" --seed="$seed"
    # New findings stand before the known ones.
    sed '/"known": true/,$d' "$work/json" > "$work/new"
    if grep -q '"known": false' "$work/json"; then
      found=$((found + 1))
      echo $(($(value run "$work/new" | head -1) + 1)) >> "$work/runs"
      value seconds "$work/json" >> "$work/times"
      at=$(value switches "$work/new" | head -1)
      if [ "$switches" = - ] || [ "$at" -lt "$switches" ]; then switches=$at; fi
    else
      echo 999999999 >> "$work/runs"
      echo 999999999 >> "$work/times"
    fi
  done
  printf '%-20s %-34s %-8s %10s %8.8s %7s %8s\n' "$bug" "$driver" "$strategy" \
    "$(median < "$work/runs" | sed 's/^9\{9\}$/-/')" \
    "$(median < "$work/times" | sed 's/^9\{9\}$/-/')" "$found/$seeds" "$switches"
}

printf '%-20s %-34s %-8s %10s %8s %7s %8s\n' \
  bug driver strategy 'median run' seconds found switches
for bug in $bugs; do
  if [ -e "$races/$bug.ats" ]; then
    design=$(sed -n 's/^expect violation .* on \(model:.*\)/\1/p' "$races/$bug.ats" | head -1)
    mkdir "$work/corpus"
    grep -vE '^(schedule|expect)' "$races/$bug.ats" > "$work/corpus/seed.ats"
    know "${design%%,*}"
    for strategy in random pct pos bytes bounded mixed; do
      row "$bug" "$design" "$strategy"
    done
    rm -r "$work/corpus"
  fi

  patch=$planted/$bug.patch
  [ -e "$patch" ] || continue
  kernel=linux:$(sed -n 's/^Kernel: //p' "$patch")
  mkdir "$work/corpus"
  sed -n 's/^    //p; /^---/q' "$patch" | grep -v '^schedule' > "$work/corpus/seed.ats"
  needs=()
  if grep -q '^    schedule.*~' "$patch"; then needs=(--weak-memory); fi
  if grep -q '^    schedule.*+' "$patch"; then needs=(--plain-stops); fi
  know "$kernel" "${needs[@]}"
  for strategy in random pct pos bytes bounded mixed; do
    row "$bug" "$kernel" "$strategy" --patch="$patch" "${needs[@]}"
  done
  rm -r "$work/corpus"
done
