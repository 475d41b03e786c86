//! The reasons why an edit is not made.

use std::fmt;

use crate::{manifest::SIZE_MAX_BYTES, text::quote};

/// The reason why an edit was not made. The text stays as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The text is not a manifest at all, or breaks the rules of YAML.
    Unreadable,
    /// The text has something that the editor does not follow.
    Unusual,
    /// The part of the manifest with this name, which the edit is about, does not exist.
    Missing(String),
    /// Another host has this name.
    Taken(String),
    /// The field does not exist, or cannot have such a value. The text is the message.
    Field(String),
    /// Other parts of the manifest take the value from the same place, and the edit does not say whether their value
    /// changes, too.
    Shared {
        /// The field.
        field: String,
        /// The parts that would change as well, or the place where the value is written.
        with: Vec<String>,
    },
    /// The value cannot be changed for one part of the manifest alone.
    Entangled {
        /// The parts that take the value from this one.
        with: Vec<String>,
    },
    /// The field comes from `hostTemplate`.
    FromTemplate {
        /// The field.
        field: String,
        /// The other hosts that take the value from there.
        with: Vec<String>,
    },
    /// A field from elsewhere cannot be removed from one part of the manifest alone.
    Inherited {
        /// The name of the field, for people.
        field: String,
        /// Where it comes from: `hostTemplate` or `a merge key`.
        from: &'static str,
    },
    /// The place is written in a style that the editor cannot write in.
    Style,
    /// The new text would not mean what was asked for.
    Differs,
    /// The new text would not be a valid manifest, for this reason.
    Invalid(String),
    /// The text would be longer than a manifest can be.
    TooLong,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("the file has errors, so it cannot be edited"),
            Self::Unusual => {
                f.write_str("the file is written in a way that cannot be edited safely")
            }
            Self::Missing(what) => write!(f, "{what} does not exist"),
            Self::Taken(name) => write!(f, "the name {} is taken", quote(name)),
            Self::Field(why) => f.write_str(why),
            Self::Shared { field, with } => {
                write!(f, "{field} is shared with {}", with.join(", "))
            }
            Self::Entangled { with } => {
                write!(f, "this value is also used by {}", with.join(", "))
            }
            Self::FromTemplate { field, with } if with.is_empty() => {
                write!(f, "{field} comes from hostTemplate")
            }
            Self::FromTemplate { field, with } => {
                write!(
                    f,
                    "{field} comes from hostTemplate, as that of {} does",
                    with.join(", ")
                )
            }
            Self::Inherited { field, from } => write!(f, "{field} comes from {from}"),
            Self::Style => {
                f.write_str("this place is written in a style that cannot be edited safely")
            }
            Self::Differs => {
                f.write_str("the changed file would not mean exactly what was asked for")
            }
            Self::Invalid(why) => write!(f, "the changed file would be invalid: {why}"),
            Self::TooLong => write!(
                f,
                "the changed file would have more than {SIZE_MAX_BYTES} bytes"
            ),
        }
    }
}

impl Refusal {
    /// The next step for a person.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable => "\"norouter check\" lists the errors: correct them first",
            Self::Unusual => {
                "write keys with \"?\" and maps like [a: b] in the usual way, or edit the file by hand"
            }
            Self::Missing(_) => {
                "look at the file as it is now: \"norouter host ls\" and \"norouter route ls\" list its hosts and routes"
            }
            Self::Taken(_) => "choose another name",
            Self::Field(_) => "docs/MANIFEST.md has all fields and their values",
            Self::Shared { .. } | Self::FromTemplate { .. } => {
                "say whether the value changes for all of them or only here"
            }
            Self::Entangled { .. } => {
                "change the value for all of them, or first give each of them its own value"
            }
            Self::Inherited { .. } => {
                "set another value here, or change it for all where it is written"
            }
            Self::Style | Self::Differs => "edit this part of the file by hand",
            Self::Invalid(_) => "make another edit, or edit the file by hand",
            Self::TooLong => "split the manifest into several networks",
        }
    }

    /// The other parts that take the value from the same place.
    pub fn with(&self) -> &[String] {
        match self {
            Self::Shared { with, .. }
            | Self::FromTemplate { with, .. }
            | Self::Entangled { with } => with,
            Self::Unreadable
            | Self::Unusual
            | Self::Missing(_)
            | Self::Taken(_)
            | Self::Field(_)
            | Self::Inherited { .. }
            | Self::Style
            | Self::Differs
            | Self::Invalid(_)
            | Self::TooLong => &[],
        }
    }
}
