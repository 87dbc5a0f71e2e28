# shellcheck shell=bash
# Which distribution packages each command needs, and getting them. Sourced by ./dev after phase.sh.

# Boost is named by version: an installed one that is new enough, else the oldest one on offer.
boost_packages() {
  local version names
  names=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 'libboost1.*-dev' 2>/dev/null |
    sed -n 's/^libboost1\.\([0-9]*\)-dev installed$/\1/p' | awk '$1 >= 81')
  [[ -n $names ]] || names=$(apt-cache pkgnames libboost1. 2>/dev/null |
    sed -n 's/^libboost1\.\([0-9]*\)-dev$/\1/p' | sort -n | awk '$1 >= 81')
  version=${names%%$'\n'*}
  version=${version:-81}  # the lists of a fresh machine are empty until the first update
  printf 'libboost1.%s-dev libboost-json1.%s-dev' "$version" "$version"
}

# clang 14 is what the fuzz preset names; other releases have one clang of their own.
clang_packages() {
  if [[ $(. /etc/os-release && printf '%s%s' "$ID" "${VERSION_ID:-}") == debian12 ]]; then
    printf 'clang-14 libclang-rt-14-dev'
  else
    printf 'clang libclang-rt-dev'
  fi
}

# Node.js and npm may have come another way; Debian's npm brings several hundred packages with it.
node_packages() {
  command -v node >/dev/null || printf 'nodejs '
  command -v npm >/dev/null || printf 'npm'
}

packages_for() {
  case $1 in
    build) printf '%s ' g++ cmake ninja-build pkg-config lld "$(boost_packages)" libssl-dev libnghttp2-dev \
      libsqlite3-dev libxxhash-dev libtomlplusplus-dev libcli11-dev libspdlog-dev libjemalloc-dev \
      prometheus-cpp-dev ;;
    test) printf '%s ' wrk libgtest-dev python3 python3-yaml shellcheck curl openssl procps systemd man-db \
      sqlite3 nginx-light "$(node_packages)" ;;
    package) printf '%s ' dpkg-dev file gzip python3 ;;
    package-test) printf '%s ' debootstrap ;;
    demo) printf '%s ' python3 curl openssl procps ;;
    lint) printf '%s ' clang-tidy clang-format "$(clang_packages)" ;;
    fmt) printf '%s ' clang-format ;;
    fuzz) printf '%s ' "$(clang_packages)" ;;
    bench) printf '%s ' libbenchmark-dev wrk nginx-light python3-aiohttp python3-websockets nats-server ;;
    *) die "no package set called $1" ;;
  esac
}

missing_packages() {
  local package installed
  installed=$'\n'$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null)$'\n'
  for package in "$@"; do
    [[ $installed == *$'\n'"$package installed"$'\n'* ]] || printf '%s ' "$package"
  done
}

# need SET...: returns at once when everything is there, else installs what is missing.
need() {
  local set wanted="" missing
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "No apt here, so nothing is installed: a missing tool or library will show in the next step."
    return 0
  fi
  for set in "$@"; do wanted+=$(packages_for "$set"); done
  # shellcheck disable=SC2086  # a list of words
  missing=$(missing_packages $wanted)
  [[ -n $missing ]] || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "these packages are missing and need root: $missing"
    echo "Installing packages needs root: $missing"
    sudo -v || die "sudo was refused; as root: apt-get install $missing"
  fi
  # shellcheck disable=SC2034  # phase reads it
  PHASE_HINT="Is the network up? As root you may try: apt-get update && apt-get install $missing"
  phase packages install_packages "$@" || exit 1
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi
}

install_packages() {
  local set missing wanted="" code=0 guard="" boost
  as_root apt-get update || return 1
  for set in "$@"; do wanted+=$(packages_for "$set"); done  # again: the lists are filled now
  # shellcheck disable=SC2086
  missing=$(missing_packages $wanted)
  boost=$(boost_packages)
  if [[ $missing == *libboost* && -z $(apt-cache show "${boost%% *}" 2>/dev/null) ]]; then
    echo "This release has no Boost of 1.81 or later: Debian 12 or Ubuntu 24.04, or newer, is needed."
    return 1
  fi
  # The benchmark starts its own nginx and nats-server; the packages must not start them as system services.
  if [[ $missing == *@(nginx|nats-server)* && ! -e /usr/sbin/policy-rc.d ]]; then
    guard=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$guard" >/dev/null
    as_root chmod 755 "$guard"
  fi
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing || code=$?
  if [[ -n $guard ]]; then as_root rm -f "$guard"; fi
  if ((code == 0)); then echo "== $(wc -w <<<"$missing") installed"; fi
  return "$code"
}
