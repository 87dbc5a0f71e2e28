#!/bin/sh
# Runs a rockdove agent in the background where there is no systemd: starts it again when it ends, and keeps
# its log. Called by the name rockdove-server.sh it does the same for a server. Needs no root.
#
#   rockdove-agent.sh start|stop|restart|reload|status     what it says; status: exit code 0 if it runs, 3 if not
#   rockdove-agent.sh log [-f]                             the end of the log; -f goes on
#   rockdove-agent.sh run                                  in the foreground, for a supervisor or WSL
#
# With the machine: crontab -e, and the line  @reboot /path/to/rockdove-agent.sh start
#
# From the environment:
#   ROCKDOVE_PROGRAM   the program; else ../bin/rockdove beside this script, or rockdove of the PATH
#   ROCKDOVE_CONFIG    its configuration; else where the program looks for it
#   ROCKDOVE_STATE     log, lock and process ids, and the directory it runs in: ~/.local/state/rockdove
#
# The log is rotated by the program, as [log] of its configuration says; a "file" there takes this one's place.
set -u
umask 077

role=$(basename "$0" .sh)
role=${role#rockdove-}
case $role in agent | server) ;; *) role=agent ;; esac

here=$(dirname "$(readlink -f "$0")")
program=${ROCKDOVE_PROGRAM:-}
if [ -z "$program" ] && [ -x "$here/../bin/rockdove" ]; then program=$here/../bin/rockdove; fi
if [ -z "$program" ]; then program=$(command -v rockdove || true); fi

state=${ROCKDOVE_STATE:-${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/rockdove}
log=$state/$role.log
words=$state/$role.err        # what the program says outside of its log: why it could not start, or crashed
lock=$state/$role.lock        # held by the supervisor and by the program, while either is there
pid_file=$state/$role.pid     # two lines: the supervisor, the program

patience=60         # s: longer than "drain" of the configuration, which lets requests under way end
pause_longest=60    # s between two starts; doubled from 1 s on, and 1 s again once it has run for a minute
log_longest=20971520  # bytes, should the program never get as far as rotating it

die() {
  echo "$role: $*" >&2
  exit 1
}

note() {
  if [ -f "$log" ] && [ "$(wc -c <"$log")" -gt "$log_longest" ]; then mv -f "$log" "$log.old"; fi
  echo "$(date '+%Y-%m-%d %H:%M:%S') $(basename "$0"): $*" >>"$log"
}

prepare() {
  for tool in flock setsid; do
    command -v "$tool" >/dev/null || die "$tool is not there; it belongs to util-linux"
  done
  [ -x "$program" ] || die "there is no rockdove${program:+ at $program}; ROCKDOVE_PROGRAM says where it is"
  mkdir -p "$state" || die "cannot make $state; ROCKDOVE_STATE may name another directory"
}

# Whether process $1 is one of ours: a process id is given to another process one day, our lock is not.
is_ours() {
  [ -n "$1" ] && [ "$(readlink "/proc/$1/fd/9" 2>/dev/null)" = "$(readlink -f "$lock")" ]
}

# Prints the process ids of the supervisor and the program, as far as they are there; fails if neither is.
running() {
  found=""
  [ -r "$pid_file" ] || return 1
  while read -r pid; do
    if is_ours "$pid"; then found="$found $pid"; fi
  done <"$pid_file"
  [ -n "$found" ] && echo "$found"
}

# Whether $1 has both.
is_pair() {
  case $1 in *" "*" "*) ;; *) return 1 ;; esac
}

# The supervisor: one program at a time until SIGTERM, which the program gets too.
run() {
  prepare
  exec 9>"$lock"
  flock -n 9 || die "is running already"
  cd "$state" || exit 1
  child="" sleeper="" is_ending=""
  trap 'is_ending=1; kill -TERM $child $sleeper 2>/dev/null' TERM INT
  trap '[ -z "$child" ] || kill -HUP "$child"' HUP
  trap 'rm -f "$pid_file"' EXIT
  pause=1
  while [ -z "$is_ending" ]; do
    began=$(date +%s)
    ROCKDOVE_LOG_FILE=$log "$program" "$role" </dev/null >"$words" 2>&1 &
    child=$!
    printf '%s\n' "$$" "$child" >"$pid_file.new" && mv -f "$pid_file.new" "$pid_file"  # never half written
    if [ -n "$is_ending" ]; then kill -TERM "$child"; fi
    while :; do  # a signal ends a wait before its process has ended
      wait "$child"
      code=$?
      kill -0 "$child" 2>/dev/null || break
    done
    child=""
    if [ -s "$words" ]; then tail -c 4000 "$words" >>"$log"; fi
    [ -z "$is_ending" ] || break
    if [ $(($(date +%s) - began)) -ge 60 ]; then pause=1; fi
    note "the $role ended with code $code; starting it again in $pause s"
    sleep "$pause" 9>&- &
    sleeper=$!
    [ -n "$is_ending" ] || wait "$sleeper"
    kill "$sleeper" 2>/dev/null
    sleeper=""
    pause=$((pause * 2))
    if [ "$pause" -gt "$pause_longest" ]; then pause=$pause_longest; fi
  done
  note "stopped"
}

start() {
  prepare
  if pids=$(running); then die "is running already, as process$pids"; fi
  setsid sh "$0" run </dev/null >/dev/null 2>>"$log" &
  tries=0 steady=0 seen=""
  while [ "$tries" -lt 40 ]; do  # a program that cannot start ends at once, and the next one is another
    sleep 0.1
    tries=$((tries + 1)) steady=$((steady + 1))
    pids=$(running)
    if [ "$pids" != "$seen" ] || ! is_pair "$pids"; then steady=0; fi
    seen=$pids
    if [ "$steady" -ge 10 ]; then
      echo "$role: started, as process$pids; log: $log"
      return
    fi
  done
  tail -n 5 "$log" >&2
  stop >/dev/null
  die "does not stay up; above is why"
}

stop() {
  pids=$(running) || {
    echo "$role: is not running"
    return
  }
  # The supervisor tells the program; a program whose supervisor was killed is told by us.
  # shellcheck disable=SC2086  # a list of words
  set -- $pids
  kill -TERM "$1"
  tries=0
  while pids=$(running); do
    sleep 0.1
    tries=$((tries + 1))
    if [ "$tries" -ge $((patience * 10)) ]; then
      echo "$role: did not end within $patience s and is killed" >&2
      # shellcheck disable=SC2086  # a list of words
      kill -KILL $pids
    fi
  done
  rm -f "$pid_file"
  echo "$role: stopped"
}

status() {
  if ! pids=$(running); then
    echo "$role: not running"
    exit 3
  fi
  echo "$role: running, as process$pids; log: $log"
  if ! is_pair "$pids"; then echo "$role: one of the two, supervisor and program, is missing: starting, or $0 restart"; fi
}

reload() {
  pids=$(running) || die "is not running"
  # shellcheck disable=SC2086  # a list of words
  set -- $pids
  kill -HUP "$1"
}

show_log() {
  [ -r "$log" ] || die "there is no $log"
  if [ "${1:-}" = -f ]; then exec tail -n 50 -F "$log"; fi
  tail -n 50 "$log"
}

case ${1:-} in
  start | stop | status | reload | run) "$1" ;;
  restart)
    stop
    start
    ;;
  log) show_log "${2:-}" ;;
  *)
    sed -n '2,/^[^#]/ s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
