# Checks what has arrived, and runs it. What is of no use is removed, and so is everything on a full disk but the part.
q=$p;
wrong() { rm -f "$p" "$q"; say "$1"; exit 1; };
full() { [ "$q" = "$p" ] || rm -f "$q"; say full; exit 1; };
if [ @FORM@ = gzip ]; then
  gzip -t <"$p" 2>/dev/null || wrong sum;
  q=$p.x;
  gzip -dc <"$p" >"$q" || full;
fi;
chmod 600 "$q" || full;
if has sha256sum; then
  x=$(sha256sum <"$q");
  [ "${x%% *}" = "$a" ] || wrong sum;
fi;
chmod 700 "$q" || full;
if ! has sha256sum; then
  "$q" agent --is @SUM@ </dev/null >/dev/null;
  case $? in 0) ;; 1) wrong sum;; *) wrong unfit;; esac;
fi;
works "$q" || { "$q" --version </dev/null >/dev/null; wrong unfit; };
mv -f "$q" "$w/$a" || full;
rm -f "$p";
say run "$a" "$w";
exec "$w/$a" agent --automated;
