# shellcheck shell=bash
# Runs one step of work with its output in a log: a line that lives while it runs, one line when it
# is done, the log's end and what to do when it fails. Sourced by ./dev.

LOG_DIR=build/log
PHASES=()        # "name|result|seconds|detail" for phase_table
PHASE_CHILD=""   # process group of the running step
PHASE_HINT=""    # what to do when the next step fails; cleared by it

if [[ -t 1 ]]; then
  BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' DIM=$'\e[2m' PLAIN=$'\e[0m'
else
  BOLD="" RED="" GREEN="" DIM="" PLAIN=""
fi

die() {
  printf '%s./dev: %s%s\n' "$RED" "$*" "$PLAIN" >&2
  exit 1
}

# phase NAME COMMAND...: the command may be a function; it runs in a subshell and a process group of
# its own, so that Ctrl-C ends compilers and test processes with it. Its last line of the form
# "== text" becomes the step's detail. Returns the command's exit code.
phase() {
  local name=$1 started=$SECONDS log code=0 detail hint=$PHASE_HINT
  shift
  PHASE_HINT=""
  log=$LOG_DIR/${name//[^A-Za-z0-9_.-]/-}.log
  mkdir -p "$LOG_DIR"
  [[ -t 1 ]] || printf '%s ...\n' "$name"
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  PHASE_CHILD=$!
  set +m
  phase_watch "$name" "$log" "$started"
  wait "$PHASE_CHILD" || code=$?
  PHASE_CHILD=""
  detail=$(sed -n 's/^== //p' "$log" | tail -n 1)
  if ((code == 0)); then
    PHASES+=("$name|ok|$((SECONDS - started))|$detail")
    phase_line "$GREEN" ok "$name" "$((SECONDS - started))" "$detail"
  else
    PHASES+=("$name|FAILED|$((SECONDS - started))|$detail")
    phase_line "$RED" FAILED "$name" "$((SECONDS - started))" "$detail"
    printf '%s\n' "--- the last lines of $log"
    tail -n 30 "$log"
    printf '%s\n' "---"
    [[ -z $hint ]] || printf '%s\n' "$hint"
  fi
  return "$code"
}

# One line that is rewritten on a terminal; elsewhere a sign of life every 30 seconds.
phase_watch() {
  local name=$1 log=$2 started=$3 last_sign=$SECONDS line
  while kill -0 "$PHASE_CHILD" 2>/dev/null; do
    sleep 0.2
    if [[ -t 1 ]]; then
      line=$(phase_tail "$log")
      line="  $name $((SECONDS - started)) s  $line"
      printf '\r\e[K%s%s%s' "$DIM" "${line:0:$((${COLUMNS:-$(phase_columns)} - 1))}" "$PLAIN"
    elif ((SECONDS - last_sign >= 30)); then
      last_sign=$SECONDS
      printf '  %s %s s  %.90s\n' "$name" "$((SECONDS - started))" "$(phase_tail "$log")"
    fi
  done
  if [[ -t 1 ]]; then printf '\r\e[K'; fi
}

phase_tail() {
  tail -c 400 "$1" | tr '\r' '\n' | grep -v '^ *$' | tail -n 1 | tr -cd '[:print:]' || true
}

phase_columns() {
  local size
  size=$(stty size 2>/dev/null </dev/tty) || size="24 80"
  printf '%s' "${size#* }"
}

phase_line() {  # colour result name seconds detail
  printf '%s%-6s%s %-24s %4s s  %s\n' "$1" "$2" "$PLAIN" "$3" "$4" "$5"
}

# Prints every phase so far; returns 1 if one of them failed.
phase_table() {
  local entry name result seconds detail colour failed=0 total=0
  printf '\n%s%-6s %-24s %6s  %s%s\n' "$BOLD" result phase time what "$PLAIN"
  for entry in "${PHASES[@]}"; do
    IFS='|' read -r name result seconds detail <<<"$entry"
    colour=$GREEN
    if [[ $result != ok ]]; then colour=$RED failed=1; fi
    total=$((total + seconds))
    phase_line "$colour" "$result" "$name" "$seconds" "$detail"
  done
  printf '%s%d min %02d s%s\n' "$BOLD" "$((total / 60))" "$((total % 60))" "$PLAIN"
  return "$failed"
}

phase_interrupted() {
  trap - INT TERM EXIT
  if [[ -n $PHASE_CHILD ]]; then
    kill -TERM -- "-$PHASE_CHILD" 2>/dev/null || true
    wait "$PHASE_CHILD" 2>/dev/null || true
  fi
  printf '\n%s\n' "./dev: interrupted"
  exit 130
}
trap phase_interrupted INT TERM
