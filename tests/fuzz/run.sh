#!/usr/bin/env bash
# Runs every fuzz target on its seeds and from there on; fails when one finds something, or when the planted error of
# decode is not found within the same bounds.
#
#   tests/fuzz/run.sh [BIN_DIRECTORY]      default build/fuzz/bin
#   FUZZ_RUNS=100000 FUZZ_SECONDS=60       bounds of one target: whichever is reached first ends it
#   FUZZ_TARGETS="decode parse"            only these
#   FUZZ_FINDINGS=DIRECTORY                where inputs that crash are kept (default BIN_DIRECTORY/findings)
#
# FUZZ_REQUIRE_RUNS=1 also fails when a target did not reach FUZZ_RUNS in its time.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${1:-$here/../../build/fuzz/bin}
runs=${FUZZ_RUNS:-100000}
seconds=${FUZZ_SECONDS:-60}
findings=${FUZZ_FINDINGS:-$bin/findings}
mkdir -p "$findings"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if [[ -n ${FUZZ_TARGETS:-} ]]; then
  read -ra targets <<<"$FUZZ_TARGETS"
else
  targets=()
  for source in "$here"/*_fuzz.cpp; do
    name=$(basename "$source")
    targets+=("${name%_fuzz.cpp}")
  done
fi

# New inputs go to a corpus of this run; the seeds in the repository stay as they are.
fuzz() {  # program, seeds
  local corpus=$scratch/$1
  mkdir -p "$corpus"
  "$bin/$1" -runs="$runs" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -seed=1 \
    -print_final_stats=1 -artifact_prefix="$findings/$1-" "$corpus" "$here/corpus/$2" >"$scratch/$1.log" 2>&1
}
executions() { sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/$1.log" | tail -1; }

failed=0
for name in "${targets[@]}"; do
  program=${name}_fuzz
  if [[ ! -x $bin/$program ]]; then
    echo "fuzz $name: $bin/$program is not built (cmake --preset fuzz && cmake --build --preset fuzz)" >&2
    failed=1
    continue
  fi
  begin=$SECONDS
  if fuzz "$program" "$name"; then
    done_runs=$(executions "$program")
    echo "fuzz $name: ${done_runs:-0} executions in $((SECONDS - begin)) s, nothing found"
    if [[ ${FUZZ_REQUIRE_RUNS:-0} == 1 && ${done_runs:-0} -lt $runs ]]; then
      echo "fuzz $name: fewer than $runs executions" >&2
      failed=1
    fi
  else
    echo "fuzz $name: FOUND something after $((SECONDS - begin)) s; the input is in $findings" >&2
    tail -40 "$scratch/$program.log" >&2
    failed=1
  fi
done

if [[ -z ${FUZZ_TARGETS:-} || " ${targets[*]} " == *" decode "* ]]; then
  begin=$SECONDS
  artifacts=$findings
  findings=$scratch  # its crash is what is wanted
  if fuzz decode_fuzz_planted decode; then
    echo "fuzz decode_fuzz_planted: the planted error was NOT found" >&2
    failed=1
  elif grep -q "AddressSanitizer: heap-buffer-overflow" "$scratch/decode_fuzz_planted.log"; then
    echo "fuzz decode_fuzz_planted: the planted error was found in $((SECONDS - begin)) s"
  else
    echo "fuzz decode_fuzz_planted: it ended for another reason" >&2
    tail -40 "$scratch/decode_fuzz_planted.log" >&2
    failed=1
  fi
  findings=$artifacts
fi
exit "$failed"
