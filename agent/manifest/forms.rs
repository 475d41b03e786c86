//! The forms of the texts in a manifest, as regular expressions for editors. Before one is used, each word in "<>" is
//! replaced by its own expression in [`WORDS`].

pub(super) const VIP: &str = r"^(?!127\.(0\.0\.[01]|255\.255\.255)$)127(\.<octet>){3}$";
pub(super) const BLOCK: &str = r"^127(\.<octet>){3}/0*([89]|[12][0-9]|3[0-2])$";
pub(super) const PORT: &str = "^<port>$";
pub(super) const PORT_RANGE: &str = r"^\s*<port>\s*(-\s*<port>\s*)?$";
/// A CONNECTHOST that is a name must not end in a part that is a number.
pub(super) const FORWARD: &str = r"^<port>:(\[<v6>\]|<v4>|([A-Za-z0-9_-]+\.)*[0-9]*[A-Za-z_-][A-Za-z0-9_-]*\.?):<port>(/tcp|/udp)?$";
pub(super) const LISTEN_ADDRESS: &str = r"^((|<localhost>|<v4>|\[<v6>\]):<port>)?$";
pub(super) const NAME: &str = r"^<name>$";
pub(super) const NAME_OR_OWN_KEY: &str = r"^x-|^<name>$";
/// A block or a glob, but not an address without a prefix length.
pub(super) const TARGET: &str = r"^(?!<v4>$)([A-Za-z0-9_.*-]{1,253}|<v4>/0*([12]?[0-9]|3[0-2])|<v6>/0*([1-9]?[0-9]|1[01][0-9]|12[0-8]))$";
pub(super) const FOLDER: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";

/// The words in "<>" that forms may contain, and the regular expressions that replace them. They are replaced from top
/// to bottom, so an expression may itself contain only words that come later in this table.
const WORDS: [(&str, &str); 8] = [
    // Programs would take a name of only numbers for an address, and `localhost` for the machine itself.
    (
        "<name>",
        r"(?!<number>(\.<number>)*$)(?!(.*\.)?<localhost>$)<label>(\.<label>)*",
    ),
    ("<number>", "([0-9]+|0[Xx][0-9A-Fa-f]*)"),
    ("<label>", "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"),
    ("<localhost>", "[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]"),
    (
        "<port>",
        "0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])",
    ),
    ("<v4>", r"<octet>(\.<octet>){3}"),
    ("<octet>", "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"),
    ("<v6>", "[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*"),
];

/// The regular expression of a form.
pub(super) fn regex(form: &str) -> String {
    let words = WORDS.iter();
    words.fold(form.to_owned(), |form, (word, regex)| {
        form.replace(word, regex)
    })
}
