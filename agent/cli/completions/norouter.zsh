#compdef norouter
# Completes norouter in zsh. The program itself knows what can stand at the cursor.
_norouter() {
    local program=${words[1]/#\~\//$HOME/} line value
    local -a typed values
    whence -p -- $program >/dev/null || program=norouter
    typed=("${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}")
    for line in "${(@f)$($program complete -- "${(@)typed}" 2>/dev/null)}"; do
        value=${line%%$'\t'*}
        case $value in
            :files)
                compset -P '--*='
                _files
                ;;
            :commands) _command_names -e ;;
            ?*) values+=("${value//:/\\:}:${line#*$'\t'}") ;;
        esac
    done
    (( $#values )) && _describe -V norouter values
}
if [[ $funcstack[1] == _norouter ]]; then
    _norouter "$@"
else
    compdef _norouter norouter
fi
