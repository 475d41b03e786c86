# Prepares to take an agent, and reports how much of it this machine already has.
a=@SUM@;
p=$w/$a.@KEY@.@FORM@.part;
s=0;
if @RESUMES@; then
  [ -f "$p" ] && s=$(wc -c <"$p" 2>/dev/null);
  s=$((${s:-0} + 0));
  if [ "$s" -gt @SIZE@ ]; then s=0; fi;
fi;
# Writes to the disk again, so that the reason for a failure is printed.
full() {
  { if has head; then head -c 65536 /dev/zero; else dd if=/dev/zero bs=65536 count=1 status=none; fi; } >"$p.y";
  rm -f "$p.y";
  say full;
  exit 1;
};
new() { (set -C; : >"$p") 2>/dev/null; };
if @RESUMES@; then [ "$s" -gt 0 ] || (: >"$p") 2>/dev/null || full;
# The first bytes are on their way already. If a shell of an earlier connection has begun a part in the meantime, that
# part stays as it is, and this shell writes another file.
else new || { p=$p.$$; new; } || full; fi;
# After a failure, the rest of the pipe is not a script, so the shell must not read it.
kept() { if [ "$1" = 0 ]; then say kept; else full; fi; };
take() {
  case $k in
  dd) dd bs="$1" count=1 iflag=fullblock 2>/dev/null >>"$p";;
  *) head -c "$1" >>"$p";;
  esac;
  kept $?;
};
say have "$s";
