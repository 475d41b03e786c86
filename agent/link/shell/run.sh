# Checks what has arrived, and runs it.
q=$p;
if [ -n "@GZIP@" ]; then q=$p.x; gzip -dc <"$p" >"$q" || { rm -f "$p" "$q"; say sum; exit 1; }; fi;
if has sha256sum; then
  x=$(sha256sum <"$q");
  [ "${x%% *}" = "$a" ] || { rm -f "$p" "$q"; say sum; exit 1; };
  chmod 700 "$q";
else
  chmod 700 "$q" && "$q" agent --is @SUM@ </dev/null >/dev/null || { x=$?; rm -f "$p" "$q"; [ $x = 1 ] && say sum || say unfit; exit 1; };
fi;
"$q" --version </dev/null >/dev/null || { rm -f "$p" "$q"; say unfit; exit 1; };
mv -f "$q" "$w/$a" || { say full; exit 1; };
rm -f "$p";
say run "$a" "$w";
exec "$w/$a" agent --automated;
