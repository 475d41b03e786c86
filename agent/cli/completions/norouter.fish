# Completes norouter in fish. The program itself knows what can stand at the cursor.
function __norouter_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~/' "$HOME/" -- $typed[1])
    command -q -- $program; or set program norouter
    for line in (command $program complete -- $typed "$current" 2>/dev/null)
        switch $line
            case ':files*'
                __fish_complete_path "$current"
            case ':commands*'
                __fish_complete_command
            case '*'
                printf '%s\n' $line
        end
    end
end
complete -c norouter -f -k -a '(__norouter_complete)'
