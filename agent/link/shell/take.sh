# Gets ready to take an agent, and says how much of it is here already.
a=@SUM@;
p=$w/$a.@KEY@.@FORM@.part;
s=0;
[ -f "$p" ] && s=$(wc -c <"$p" 2>/dev/null);
s=$((${s:-0} + 0));
if [ "$s" -gt @SIZE@ ]; then s=0; fi;
[ "$s" -gt 0 ] || (: >"$p") 2>/dev/null || { say full; exit 1; };
# What is left in the pipe after a failure is no script, so nothing reads it.
kept() { if [ "$1" = 0 ]; then say kept; else say full; exit 1; fi; };
take() {
  case $k in
  dd) dd bs="$1" count=1 iflag=fullblock 2>/dev/null >>"$p";;
  *) head -c "$1" >>"$p";;
  esac;
  kept $?;
};
say have "$s";
