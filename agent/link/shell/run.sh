# Checks the agent that has arrived, and runs it. A wrong agent is removed. If the disk is full, only the part that was
# sent is kept.
q=$p;
wrong() { rm -f "$p" "$q"; say "$@"; exit 1; };
spoilt() { [ "$q" = "$p" ] || rm -f "$q"; say full; exit 1; };
if [ @FORM@ = gzip ]; then
  gzip -t <"$p" 2>/dev/null || wrong sum;
  q=$p.x;
  gzip -dc <"$p" >"$q" || spoilt;
fi;
chmod 600 "$q" || spoilt;
if has sha256sum; then
  x=$(sha256sum <"$q");
  [ "${x%% *}" = "$a" ] || wrong sum;
fi;
chmod 700 "$q" || spoilt;
if ! has sha256sum; then
  "$q" agent --is @SUM@ </dev/null >/dev/null;
  x=$?;
  case $x in 0) ;; 1) wrong sum;; *) wrong unfit "$x";; esac;
fi;
works "$q" || { "$q" --version </dev/null >/dev/null; wrong unfit "$?"; };
mv -f "$q" "$w/$a" || spoilt;
rm -f "$p";
run "$w/$a";
