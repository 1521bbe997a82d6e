#!/bin/bash
# The build script of OSS-Fuzz and ClusterFuzzLite. What they set is what counts:
# CC, CXX, CFLAGS, CXXFLAGS, LIB_FUZZING_ENGINE, FUZZING_ENGINE, SANITIZER,
# ARCHITECTURE, and the folders SRC (this checkout is SRC/atsfuzz), WORK, OUT.
#
# For each kernel tree SRC/linux-NAME, and each version of Debian's that
# ATSFUZZ_KERNELS lists, OUT gets the target atsfuzz_linux_NAME, and
# atsfuzz_invs_NAME if that kernel has invalidation arrays; besides atsfuzz_model.
# The names of targets have no dots: services do not take them otherwise.
set -euo pipefail

case ${ARCHITECTURE-x86_64} in
x86_64) ;;
*)
  echo "atsfuzz: the arena and the fibers of a driver are made for x86_64," \
    "not for $ARCHITECTURE" >&2
  exit 1
  ;;
esac

mkdir -p "$WORK" "$OUT"
checkout=$SRC/atsfuzz
build=$WORK/atsfuzz
drivers=$WORK/drivers
export PATH=/usr/local/bin:$PATH
# The programs that run during the build have the sanitizers of the targets.
export ASAN_OPTIONS=detect_leaks=0 LLVM_PROFILE_FILE=/dev/null
export ATSFUZZ_CACHE=${ATSFUZZ_CACHE-$WORK/cache}

# install_library FOLDER OPTIONS...: a C++ library from its source, if it is
# there, with the compiler, the flags and the C++ library of the targets. Without,
# it is the system's, which must have been built with the same C++ library.
install_library() {
  local folder=$SRC/$1
  [[ -d $folder ]] || return 0
  cmake -G Ninja -S "$folder" -B "$WORK/$1" -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_INSTALL_PREFIX="$WORK/libraries" -DCMAKE_CXX_STANDARD=20 \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF "${@:2}"
  cmake --build "$WORK/$1" --target install
}

configure() {
  cmake -G Ninja -S "$checkout" -B "$build" -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_PREFIX_PATH="$WORK/libraries" -DBoost_USE_STATIC_LIBS=ON \
    -DATSFUZZ_TESTS=OFF -DATSFUZZ_SERVICES=ON \
    -DATSFUZZ_ENGINE="$LIB_FUZZING_ENGINE" -DATSFUZZ_DRIVERS="$drivers" \
    -DATSFUZZ_AFL_MUTATOR=$mutator
}

# compile_driver NAME KERNEL: KERNEL is a version or a tree.
compile_driver() {
  # shellcheck disable=SC2086 # flags are words
  "$build/services/atsfuzz-driver-objects" "$2" "$drivers/${1//[^0-9A-Za-z]/_}" \
    "$CC" $CFLAGS
}

# AFL++ instruments what it compiles unless this list leaves it out; for the
# others cmake/services.cmake and linux/recipe.cc do. Its mutator runs in
# afl-fuzz, which has no sanitizer, and is made when the targets have none.
mutator=OFF
if [[ ${FUZZING_ENGINE-} == afl ]]; then
  [[ ${SANITIZER-} == none ]] && mutator=ON
  export AFL_QUIET=1 AFL_LLVM_ALLOWLIST=$WORK/instrumented.txt
  printf 'src: *%s\n' '/drivers/iommu/*' '/drivers/pci/*' /lib/rbtree.c \
    '/include/linux/*' /linux/kernel/{core,driver,iommu_core,mm,nesting,sva}.c \
    >"$AFL_LLVM_ALLOWLIST"
fi

install_library abseil -DABSL_PROPAGATE_CXX_STD=ON -DBUILD_TESTING=OFF
install_library rapidcheck
configure
cmake --build "$build" --target atsfuzz-driver-objects
for tree in "$SRC"/linux-*/; do
  [[ -d $tree ]] || continue
  name=$(basename "$tree")
  compile_driver "${name#linux-}" "$tree"
done
for version in ${ATSFUZZ_KERNELS-}; do
  compile_driver "$version" "$version"
done
configure
cmake --build "$build"

# finish TARGET: puts it into OUT, with its options, dictionary and seeds.
finish() {
  local name=$1 seeds=$WORK/seeds/$1
  cp "$build/services/$name" "$OUT/$name"
  rm -rf "$seeds"
  mkdir -p "$seeds"
  if [[ $name == atsfuzz_invs_* ]]; then
    "$build/services/atsfuzz-invs-seeds" "$seeds/seeds"
    printf '[libfuzzer]\nmax_len = 600\n' >"$OUT/$name.options"
  else
    "$build/services/$name-seeds" "$checkout/corpus" "$seeds"
    cp "$seeds/known" "$OUT/$name.known"
    "$build/services/atsfuzz-dictionary" >"$OUT/$name.dict"
    # Each run touches thousands of features; counting how often each occurs
    # would take most of the time.
    printf '[libfuzzer]\nmax_len = 4096\nentropic = 0\n' >"$OUT/$name.options"
  fi
  # The same seeds, the same bytes.
  find "$seeds" -exec touch -d @315532800 {} +
  rm -f "$OUT/${name}_seed_corpus.zip"
  (cd "$seeds/seeds" && find . -type f | LC_ALL=C sort |
    zip -q -X -@ "$OUT/${name}_seed_corpus.zip")
}

[[ $mutator == OFF ]] || cp "$build/services/libatsfuzz_mutator.so" "$OUT/"
for program in "$build"/services/atsfuzz_*; do
  [[ $program == *-seeds ]] || finish "$(basename "$program")"
done
