# Runs the agent that is stored on this machine, or reports the machine's processor and tools. Each line of this script
# ends so that all lines can be joined into one. The manager may send that one line again, because a program that was
# started before the shell may have read it. The script still runs only once. A terminal that echoes the line does not
# echo the nonce, because the nonce is in two parts here.
if [ "$l" != @NONCE@ ]; then
l=@NONCE@;
n=nr-$l;
say() { printf '\n%s %s\n' "$n" "$*" 2>/dev/null || { echo; echo "$n $*"; }; };
@AGAIN@
# A plain shell that was started in place of the loop runs the lines as well, but may read several of them at once.
# Therefore, it is replaced by the loop.
if [ -z "$c" ]; then say bare; exec sh -c '@LOOP@'; fi;
has() { command -v "$1" >/dev/null 2>&1; };
u=$(id -u 2>/dev/null);
u=${u:-$UID};
h=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}};
# A folder is not used if somebody else could have made it, could replace it, or could make it lead elsewhere.
mine() {
  [ -d "$1" ] && [ -O "$1" ] && [ ! -h "$1" ] && { [ -O "${1%/*}" ] || [ -k "${1%/*}" ]; };
};
# A file is not tried if its header names another processor than this machine has: machines of several kinds may share a
# folder, and a shell would run a program for another processor as a script. The processor is the last byte of the
# header that is not zero.
first() { head -c 20 "$1" || dd if="$1" bs=20 count=1; };
elf() { { e=$(first "$1"); } 2>/dev/null; case $e in ?ELF*) e=${e#"${e%?}"};; *) e=;; esac; };
fits() { elf /bin/sh; o=$e; elf "$1"; [ -z "$o" ] || [ -z "$e" ] || [ "$e" = "$o" ]; };
# A shell may run an empty or foreign file as a script that does nothing, and report success. Therefore, the program has
# to print its name.
works() { case $("$1" --version </dev/null 2>/dev/null) in norouter*) ;; *) return 1;; esac; };
each() {
  for d in "${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/norouter}" "${h:+$h/norouter}"
    "/dev/shm/.norouter-$u" "/var/tmp/.norouter-$u" "/tmp/.norouter-$u" ./.norouter;
  do [ -z "$d" ] || "$@" || return 0; done;
};
# After the last line for the shell, the pipe belongs to the agent.
run() {
  say run "$1";
  while IFS= read -r x; do [ "$x" != "go $l" ] || exec "$1" agent --automated; done;
  exit 1;
};
start() {
  for a in @SUMS@;
  do if mine "$d" && [ -x "$d/$a" ] && fits "$d/$a" && works "$d/$a"; then run "$d/$a"; fi; done;
};
can() {
  t=$d/try.$$;
  v=;
  if ! (umask 077; mkdir -p "$d") 2>/dev/null; then v="cannot be made";
  elif ! mine "$d"; then v="is not only this user's";
  elif ! { { echo '#!/bin/sh'; echo 'exit 0'; } >"$t" && chmod 700 "$t"; } 2>/dev/null; then v="cannot be written";
  elif ! "$t" 2>/dev/null; then v="does not let programs run"; fi;
  rm -f "$t" 2>/dev/null;
  if [ -z "$v" ]; then w=$d; return 1; fi;
  rmdir "$d" 2>/dev/null;
  r="$r, $d $v";
};
each start;
w=;
r=;
each can;
# A program that takes more from the pipe than it was told to would swallow the next lines.
exact() { echo ab | { "$@" >/dev/null 2>&1; read -r x; [ "$x" = b ]; }; };
k=;
if has printf; then k=printf; fi;
if has head && [ "$(echo ab | head -c 1 2>/dev/null)" = a ]; then k=head; fi;
if has dd && exact dd bs=1 count=1 iflag=fullblock; then k=dd;
elif [ "$k" = head ] && exact head -c 1; then k=exact; fi;
z=; has gzip && z=gzip;
s=; has sha256sum && s=sha256sum;
say has "$k" "$z" "$s" at "$w";
[ -n "$w" ] || say tried "${r#, }";
# Without a part of an agent here, the manager can send one at once, from its first byte.
part() { for a in @SUMS@; do for x in gzip plain; do [ ! -e "$w/$a.@KEY@.$x.part" ] || return 0; done; done; return 1; };
part || say lacks parts;
say system "$(uname -s -m 2>/dev/null)";
if has printf; then printf '%s elf ' "$n"; { first /bin/sh || first /proc/self/exe; } 2>/dev/null; fi;
say end;
fi;
