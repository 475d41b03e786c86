# Runs the agent that is there, or says what this machine has. Every line ends so that all of them can be joined to one.
# A terminal that sends this line back does not send the nonce back, because here it is in two parts.
n=@NONCE@;
n=nr-$n;
say() { printf '\n%s %s\n' "$n" "$*"; };
has() { command -v "$1" >/dev/null 2>&1; };
u=$(id -u 2>/dev/null);
u=${u:-$UID};
h=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}};
# A folder that somebody else could have made, could lead elsewhere, or could put another one in place of, is not used.
mine() {
  [ -d "$1" ] && [ -O "$1" ] && [ ! -h "$1" ] && { [ -O "${1%/*}" ] || [ -k "${1%/*}" ]; };
};
# An empty or foreign file may pass for a script that does nothing, so the version has to be printed.
works() { [ -n "$("$1" --version </dev/null 2>/dev/null)" ]; };
each() {
  for d in "${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/norouter}" "${h:+$h/norouter}"
    "/dev/shm/.norouter-$u" "/var/tmp/.norouter-$u" "/tmp/.norouter-$u" ./.norouter;
  do [ -z "$d" ] || "$@" || return 0; done;
};
start() {
  for a in @SUMS@;
  do if mine "$d" && [ -x "$d/$a" ] && works "$d/$a"; then
    say run "$a" "$d";
    exec "$d/$a" agent --automated;
  fi; done;
};
can() {
  (umask 077; mkdir -p "$d") 2>/dev/null && mine "$d" || return 0;
  t=$d/try.$$;
  { printf '#!/bin/sh\nexit 0\n' >"$t" && chmod 700 "$t"; } 2>/dev/null && "$t" 2>/dev/null && w=$d;
  rm -f "$t" 2>/dev/null;
  [ -z "$w" ];
};
each start;
w=;
each can;
# A program that takes more from the pipe than it was told to would swallow what follows.
exact() { [ "$(printf 'ab\n' | { "$@" >/dev/null 2>&1; read -r x && printf %s "$x"; })" = b ]; };
k=printf;
if has head && [ "$(printf ab | head -c 1 2>/dev/null)" = a ]; then k=head; fi;
if has dd && exact dd bs=1 count=1 iflag=fullblock; then k=dd;
elif [ $k = head ] && exact head -c 1; then k=exact; fi;
z=; has gzip && z=gzip;
s=; has sha256sum && s=sha256sum;
say has "$k" "$z" "$s" at "$w";
say system "$(uname -s -m 2>/dev/null)";
printf '%s elf ' "$n";
{ head -c 20 /bin/sh || dd if=/bin/sh bs=20 count=1; } 2>/dev/null;
say end;
