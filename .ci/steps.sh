# What .ci/run is written in: steps that are timed and counted, and programs that are started and stopped.
set -uo pipefail
export CI=true npm_config_fund=false npm_config_audit=false npm_config_update_notifier=false

work=$(mktemp -d)
export PATH="$work/bin:$PATH"
passed=0
failed=0
failures=()
times=()
checks=()
program=

clean_up() {
  stop >/dev/null 2>&1
  rm -rf "$work"
}
trap clean_up EXIT

step() { # step NAME COMMAND...: one check, counted by its exit status
  begin "$@"
  result "$name" "$((SECONDS - began))" "$((status == 0))" "$((status != 0))" "$work/step.log"
  return "$status"
}

counted() { # counted NAME COMMAND...: many checks; the command prints lines that end with "N passed, N failed"
  begin "$@"
  count_result "$name" "$((SECONDS - began))" "$status" "$work/step.log"
}

begin() { # begin NAME COMMAND...: runs it, with its output also in step.log; sets name, began, and status
  local tee
  name=$1 began=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  exec 9> >(tee "$work/step.log")
  tee=$!
  # Closed in the command: what it leaves running must not keep tee waiting.
  "$@" </dev/null >&9 2>&1 9>&-
  status=$?
  exec 9>&-
  wait "$tee"
}

# check NAME COMMAND... and check_counted NAME COMMAND...: as step and counted, of what disturbs no other. Three run at once, as
# some wait for the network; `checked` counts them.
check() {
  check_as step_result "$@"
}

check_counted() {
  check_as count_result "$@"
}

check_as() {
  local kind=$1 name=$2 place="$work/check-${#checks[@]}"
  shift 2
  while [ "$(jobs -rp | wc -l)" -ge 3 ]; do wait -n; done
  checks+=("$kind $name")
  (
    began=$SECONDS
    "$@" </dev/null >"$place.log" 2>&1
    status=$?
    echo "$((SECONDS - began)) $status" >"$place.status"
  ) &
}

checked() { # waits for all checks
  local index kind name duration status
  wait
  for index in "${!checks[@]}"; do
    read -r kind name <<<"${checks[index]}"
    printf '\n== %s\n' "$name"
    cat "$work/check-$index.log"
    read -r duration status <"$work/check-$index.status"
    "$kind" "$name" "$duration" "$status" "$work/check-$index.log"
  done
  checks=()
}

step_result() { # step_result NAME SECONDS STATUS LOG
  result "$1" "$2" "$(($3 == 0))" "$(($3 != 0))" "$4"
}

count_result() { # count_result NAME SECONDS STATUS LOG
  local ok bad
  read -r ok bad < <(sed -nE 's/^[a-z ]+: ([0-9]+) passed, ([0-9]+) failed(, [0-9]+ skipped)?$/\1 \2/p' "$4" |
    awk '{ ok += $1; bad += $2 } END { print ok + 0, bad + 0 }')
  # A command may fail without a failed check (a crash, a failed teardown), or check nothing.
  [ "$bad" -gt 0 ] || { [ "$3" -eq 0 ] && [ "$ok" -gt 0 ]; } || bad=1
  result "$1" "$2" "$ok" "$bad" "$4"
}

result() { # result NAME SECONDS PASSED FAILED LOG
  local lines
  passed=$((passed + $3))
  failed=$((failed + $4))
  times+=("$(printf '%5d s  %s' "$2" "$1")")
  printf '%d s\n' "$2"
  [ "$4" -eq 0 ] && return
  # The names of what failed; of a command that names nothing, the end of what it printed.
  lines=$(grep -a '^failed: ' "$5" || grep -a '^FAIL ' "$5" || tail -n 20 "$5")
  lines=$(cut -c -400 <<<"$lines" | head -n 30)
  failures+=("$(printf '%s: %s of %s\n%s' "$1" "$4" "$(($3 + $4))" "$(sed 's/^/  /' <<<"$lines")")")
  printf 'FAILED: %s\n' "$1"
}

finish() {
  printf '\n== times\n'
  printf '%s\n' "${times[@]}" "$(printf '%5d s  all' "$SECONDS")"
  for failure in "${failures[@]+"${failures[@]}"}"; do printf 'failed: %s\n' "$failure"; done
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit $?
}

start() { # start IS_READY COMMAND...: runs a program in a process group of its own until the command IS_READY succeeds
  local is_ready=$1
  shift
  set -m
  "$@" </dev/null >"$work/program.log" 2>&1 &
  program=$!
  set +m
  for _ in $(seq 1 600); do
    "$is_ready" && cat "$work/program.log" && return
    is_running "$program" || break
    sleep 0.5
  done
  echo 'it is not ready:'
  cat "$work/program.log"
  stop
  return 1
}

stop() { # as Ctrl-C does it: the whole group gets the signal, and all that was started must end within 60 s
  [ -n "$program" ] || return 0
  local all pid
  all=$(processes_from "$program")
  kill -INT -- "-$program" 2>/dev/null
  program=
  for _ in $(seq 1 120); do
    any_running $all || return 0
    sleep 0.5
  done
  for pid in $all; do
    is_running "$pid" || continue
    echo "process $pid has not ended: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
    kill -KILL "$pid"
  done
  tail -n 20 "$work/program.log"
  return 1
}

processes_from() { # processes_from PID: it and all below it, also those in other process groups
  cat /proc/[0-9]*/stat 2>/dev/null | awk -v root="$1" '
    { pid = $1; sub(/^.*\) /, ""); parent[pid] = $2 }
    END { for (pid in parent) { for (at = pid; at != root && at in parent;) at = parent[at]; if (at == root) print pid } }'
}

any_running() { # any_running PID...
  local pid
  for pid; do is_running "$pid" && return; done
  return 1
}

is_running() { # is_running PID: one that has ended and was not collected yet (Z) does not run
  local state
  state=$(sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null) && [ "${state:0:1}" != Z ]
}

# Runs as root in a bare container, as a user with sudo elsewhere.
install_packages() {
  local root=
  [ "$(id -u)" -eq 0 ] || root=sudo
  $root apt-get -q update && $root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$@"
}
