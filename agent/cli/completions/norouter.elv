# Completes norouter in elvish. The program itself knows what can stand at the cursor.
use str
set edit:completion:arg-completer[norouter] = {|@typed|
    (external $typed[0]) complete -- $@typed 2>/dev/null | from-lines | each {|line|
        var value @help = (str:split "\t" $line)
        if (==s $value ':files') {
            edit:complete-filename $typed[-1]
        } elif (!=s $value ':commands') {
            put $value
        }
    }
}
