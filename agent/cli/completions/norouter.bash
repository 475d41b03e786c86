# Completes norouter in bash. The program itself knows what can stand at the cursor.
_norouter() {
    local program=${1/#\~\//$HOME/} rest=${COMP_LINE:0:COMP_POINT} words=() gap word i
    type -P -- "$program" >/dev/null || program=norouter
    # Bash splits words at colons and equal signs, too; the program gets them as they were typed.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        gap=${rest%%[![:space:]]*}
        rest=${rest#"$gap"}
        word=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then word=$rest; fi
        rest=${rest#"$word"}
        if ((i == 0)) || [[ -n $gap ]]; then
            words+=("${word#[\"\']}")
        else
            words[${#words[@]} - 1]+=$word
        fi
    done
    local current=${words[${#words[@]} - 1]} breaks=${COMP_WORDBREAKS//[!:=]/} cut= value help
    if [[ -n $breaks ]]; then cut=${current%"${current##*["$breaks"]}"}; fi
    COMPREPLY=()
    while IFS=$'\t' read -r value help; do
        case $value in
            :files | :commands)
                compopt -o filenames 2>/dev/null
                [[ $value == :files ]] && help=-f || help=-c
                while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen "$help" -- "$2")
                ;;
            "$cut"*) COMPREPLY+=("${value#"$cut"}") ;;
        esac
    done < <("$program" complete -- "${words[@]}" 2>/dev/null)
}
complete -F _norouter norouter
