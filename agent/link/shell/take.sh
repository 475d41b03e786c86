# Prepares to take an agent, and reports how much of it this machine already has.
a=@SUM@;
p=$w/$a.@KEY@.@FORM@.part;
s=0;
[ -f "$p" ] && s=$(wc -c <"$p" 2>/dev/null);
s=$((${s:-0} + 0));
if [ "$s" -gt @SIZE@ ]; then s=0; fi;
# Writes to the disk again, so that the reason for a failure is printed.
full() {
  { if has head; then head -c 65536 /dev/zero; else dd if=/dev/zero bs=65536 count=1 status=none; fi; } >"$p.y";
  rm -f "$p.y";
  say full;
  exit 1;
};
[ "$s" -gt 0 ] || (: >"$p") 2>/dev/null || full;
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
