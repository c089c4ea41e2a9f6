#!/bin/sh
# Installs Squall as a service, from files that are here already: no network.
#
#   install.sh              says what it would do, asks, does it
#   install.sh auto         does it without asking
#   install.sh uninstall    takes it away again; the logs stay (`auto uninstall` does not ask)
#
#   --dry-run               only says what it would do
#   --binary FILE           the program (default: `squall` here or one directory up, else ../target/release)
#   --take-over FILE        a Thunderstorm configuration (default: /etc/thunderstorm/thunderstorm.yml if there)
#   --no-take-over          begin with the default configuration
#   --delete-data           with `uninstall`: the configuration, the queue and the results too
#
# Doing it twice changes nothing the second time. What is there already and is
# the operator's (the configuration, the data, the logs) is never overwritten.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
readonly here
readonly original=/etc/thunderstorm/thunderstorm.yml
readonly config=/etc/squall/squall.yml
readonly program=/usr/local/bin/squall
readonly unit=/etc/systemd/system/squall.service
readonly dropins=/etc/systemd/system/squall.service.d
PATH=/usr/local/sbin:/usr/local/bin:$PATH:/usr/sbin:/sbin
umask 022

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

# ---- arguments

action=install
ask=1
dry_run=0
binary=
take_over=
take_over_wanted=1
delete_data=0

usage() {
  sed -n '2,15s/^# \{0,1\}//p' "$0"
  exit "$1"
}

while [ $# -gt 0 ]; do
  case $1 in
  auto) ask=0 ;;
  uninstall) action=uninstall ;;
  --dry-run) dry_run=1 ;;
  --binary) [ $# -gt 1 ] || usage 2 && shift && binary=$1 ;;
  --take-over) [ $# -gt 1 ] || usage 2 && shift && take_over=$1 ;;
  --no-take-over) take_over_wanted=0 ;;
  --delete-data) delete_data=1 ;;
  -h | --help) usage 0 ;;
  *) usage 2 ;;
  esac
  shift
done

# ---- what is there

# Whether systemd runs here; not so in a chroot or while an image is built.
systemd_runs() { [ -d /run/systemd/system ]; }
have() { command -v "$1" >/dev/null 2>&1; }
user_exists() { id squall >/dev/null 2>&1; }
active() { systemd_runs && systemctl is-active --quiet "$1"; }

# The value a setting has in the configuration file, as the program reads it.
setting() {
  env -i PATH="$PATH" "$binary" check-config -t "$1" 2>/dev/null |
    sed -n "s/^$2: \(.*[^ ]\)  *# .*/\1/p"
}

# ---- steps: in the planning pass each says what it would do, in the other it
# does it. `changes` counts what is or would be done.

changes=0
planning=1

# step WORDS: tells whether to act now, having said or counted it.
step() {
  changes=$((changes + 1))
  if [ $planning = 1 ]; then
    say "  - $*"
    return 1
  fi
  say "$*"
}

# put FROM TO MODE GROUP: installs a file, replacing it at once and whole: a
# running program keeps the one it has.
put() {
  if cmp -s "$1" "$2" && [ "$(stat -c '%a %U %G' "$2")" = "$3 root $4" ]; then return 0; fi
  step "$([ -e "$2" ] && echo replace || echo create) $2" || return 0
  install -D -m "$3" -o root -g "$4" "$1" "$2.new"
  mv -f "$2.new" "$2"
}

# folder DIR MODE OWNER GROUP
folder() {
  if [ -d "$1" ] && [ "$(stat -c '%a %U %G' "$1")" = "$2 $3 $4" ]; then return 0; fi
  step "create the directory $1 for $3" || return 0
  install -d -m "$2" -o "$3" -g "$4" "$1"
}

account() {
  if user_exists; then return 0; fi
  step "create the system user squall, which cannot log in" || return 0
  if getent group squall >/dev/null; then group='--gid squall'; else group=--user-group; fi
  # shellcheck disable=SC2086 # two words
  useradd --system $group --home-dir /var/lib/squall --no-create-home --shell /usr/sbin/nologin \
    --comment 'Squall scanning service' squall
}

configuration() {
  if [ -e $config ]; then
    [ $planning = 0 ] || say "  - leave $config as it is"
    return 0
  fi
  if [ -n "$take_over" ]; then
    step "create $config from $take_over, which stays as it is" || {
      sed 's/^/      /' "$work/remarks"
      return 0
    }
    while IFS=$(printf '\t') read -r from to; do
      install -D -m 640 -o root -g squall "$from" "$to"
    done <"$work/copies"
  else
    step "create $config with the defaults: it listens on this machine only" || return 0
  fi
  install -D -m 640 -o root -g squall "$work/squall.yml" $config
}

# Whether a setting names a port below 1024, alone or behind an address.
is_low() {
  port=$(setting "$in_force" "$1" | sed 's/.*://; s/"$//')
  case $port in '' | *[!0-9]*) return 1 ;; esac
  [ "$port" -gt 0 ] && [ "$port" -lt 1024 ]
}

# Such a port needs a right that the unit does not have.
low_port() {
  if is_low server-port || is_low admin-listen; then
    put "$here/low-port.conf" $dropins/low-port.conf 644 root
  elif [ -e $dropins/low-port.conf ]; then
    step "remove $dropins/low-port.conf, as no port is below 1024" || return 0
    rm -f $dropins/low-port.conf
    rmdir $dropins 2>/dev/null || true
  fi
}

# Begins, or begins again when anything changed.
begin() {
  have systemctl || {
    say "  - there is no systemd here: start it with \`$program serve -t $config\` as user squall"
    return 0
  }
  if [ "$(systemctl is-enabled squall.service 2>/dev/null || true)" != enabled ]; then
    if step "enable the service, so that it starts with the machine"; then systemctl enable --quiet squall.service; fi
  fi
  if ! systemd_runs; then
    [ $planning = 0 ] || say "  - systemd is not running here, so the service starts with the machine"
    return 0
  fi
  if [ "$in_the_way" = 1 ]; then
    say "$([ $planning = 1 ] && echo '  - ')not started: thor-thunderstorm runs and has the port. Then:"
    say "      systemctl disable --now thor-thunderstorm && systemctl start squall"
    return 0
  fi
  if active squall.service && [ $changes = 0 ]; then return 0; fi
  step "$(active squall.service && echo restart || echo start) the service and wait until it is ready" || return 0
  systemctl daemon-reload
  # It comes back when the program is ready, and fails when the program ends before: why, is told by what comes next.
  systemctl restart squall.service 2>/dev/null || true
  /usr/local/sbin/squall-update wait
}

# ---- install

everything() {
  account
  folder /etc/squall 750 root squall
  folder /var/lib/squall 750 squall squall
  folder /var/log/squall 750 squall squall
  put "$binary" $program 755 root
  put "$here/squall-update" /usr/local/sbin/squall-update 755 root
  put "$here/configure" /usr/local/lib/squall/configure 755 root
  put "$source_config" /usr/local/lib/squall/squall.yml 644 root
  configuration
  if have logrotate || [ -d /etc/logrotate.d ]; then put "$here/squall.logrotate" /etc/logrotate.d/squall 644 root; fi
  put "$here/squall.service" $unit 644 root
  low_port
  begin
}

find_binary() {
  if [ -z "$binary" ]; then
    for candidate in "$here/squall" "$here/../squall" "$here/../target/release/squall"; do
      if [ -f "$candidate" ]; then binary=$candidate && break; fi
    done
  fi
  [ -n "$binary" ] || fail "no program here; build it, or name it with --binary"
  [ -f "$binary" ] || fail "there is no file \`$binary\`"
  "$binary" --version >/dev/null 2>&1 || fail "\`$binary\` does not run on this machine"
  for candidate in "$here/squall.yml" "$here/../config/squall.yml"; do
    if [ -f "$candidate" ]; then source_config=$candidate && return 0; fi
  done
  fail "no squall.yml beside this script or in ../config"
}

# Makes the new configuration, or checks the present one with the new program,
# before anything is changed.
prepare_configuration() {
  if [ -e $config ]; then
    [ -r $config ] || fail "run this as root"
    in_force=$config
    env -i PATH="$PATH" "$binary" check-config -t $config >/dev/null ||
      fail "$config is not valid for the new program; nothing was changed"
    return 0
  fi
  in_force=$work/squall.yml
  if [ $take_over_wanted = 0 ]; then
    take_over=
  elif [ -z "$take_over" ] && [ -f $original ]; then
    take_over=$original
  fi
  : >"$work/copies"
  set -- --squall "$binary"
  if [ -n "$take_over" ]; then set -- "$@" --from "$take_over" --copies "$work/copies"; fi
  if ! "$here/configure" "$@" "$source_config" >"$work/squall.yml" 2>"$work/remarks"; then
    cat "$work/remarks" >&2
    fail "nothing was changed; mend that file, or begin without it: --no-take-over"
  fi
}

# The original on the same port, which could not be shared.
check_original() {
  in_the_way=0
  active thor-thunderstorm.service || return 0
  in_the_way=1
}

confirm() {
  [ $ask = 1 ] || return 0
  printf '%s (y/N) ' "$1"
  read -r reply || reply=
  case $reply in [yY] | [yY][eE][sS]) ;; *)
    say "Nothing was changed."
    exit 0
    ;;
  esac
}

require_root() { [ "$(id -u)" -eq 0 ] || fail "run this as root"; }

install_all() {
  for tool in install sed awk cmp stat mktemp getent useradd setpriv; do
    have $tool || fail "this needs \`$tool\`"
  done
  if have dpkg-query && dpkg-query -W -f '${Status}' squall 2>/dev/null | grep -q ' installed$'; then
    fail "the Debian package squall is installed; update that instead"
  fi
  find_binary
  prepare_configuration
  check_original
  say "Squall, from $("$binary" --version): this will"
  everything
  if [ $changes = 0 ]; then
    say "  - do nothing: all is as it should be"
    return 0
  fi
  [ $dry_run = 0 ] || return 0
  require_root
  confirm "Go on?"
  changes=0
  planning=0
  everything
  say
  say "Installed. Configuration: $config; findings: /var/log/squall; messages: journalctl -u squall"
  say "Update: squall-update. Removal: $0 uninstall"
}

# ---- uninstall

# remove PATH: a file or a directory and what is in it.
remove() {
  [ -e "$1" ] || return 0
  step "remove $1" || return 0
  rm -rf "$1"
}

# What the operator wrote there stays: where the data is, for instance.
remove_dropins() {
  remove $dropins/low-port.conf
  for file in "$dropins"/*; do
    if [ $planning = 1 ] && [ -e "$file" ] && [ "$file" != $dropins/low-port.conf ]; then say "  - leave $file"; fi
  done
  [ $planning = 1 ] || rmdir $dropins 2>/dev/null || true
}

take_away() {
  if have systemctl && [ -e $unit ]; then
    if step "stop and disable the service"; then
      if systemd_runs; then systemctl disable --quiet --now squall.service; else systemctl disable --quiet squall.service; fi
    fi
  fi
  remove $unit
  remove_dropins
  remove /etc/logrotate.d/squall
  remove /usr/local/sbin/squall-update
  remove /usr/local/lib/squall
  remove $program
  if [ $delete_data = 1 ]; then
    remove /etc/squall
    remove /var/lib/squall
  fi
  if [ $planning = 0 ] && systemd_runs; then systemctl daemon-reload; fi
}

uninstall_all() {
  say "Squall: this will"
  take_away
  if [ $changes = 0 ]; then
    say "  - do nothing: it is not installed"
    return 0
  fi
  if [ $delete_data = 0 ]; then
    say "  - leave the configuration in /etc/squall and the queue and the results in /var/lib/squall (--delete-data)"
  fi
  say "  - leave the logs in /var/log/squall and the user squall"
  [ $dry_run = 0 ] || return 0
  require_root
  confirm "Go on?"
  planning=0
  take_away
  say "Removed."
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $action in
install) install_all ;;
uninstall) uninstall_all ;;
esac
