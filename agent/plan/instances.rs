//! The instances of a host that has several: the pods of a deployment, or the containers of a service. Reads the output
//! of the commands that list them.

use super::commands;

/// The word of [`Chosen::list`] that the selector replaces.
pub(super) const SELECTOR: &str = "--selector=SELECTOR";

/// The greatest length of a name that Kubernetes accepts.
const NAME_MAX: usize = 253;

/// The commands that choose an instance of a host at each start, and enter it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The name of these instances in sentences for people.
    pub of: String,
    /// The command that prints the selector that is missing in `list`; `None` if nothing is missing there.
    pub selector: Option<Vec<String>>,
    /// The command that prints a line for each instance.
    pub list: Vec<String>,
    /// The kind of the instances.
    pub kind: Kind,
    /// The command that enters an instance, and starts the loop in its shell. The name of the instance takes the place
    /// of one word.
    pub enter: Vec<String>,
}

/// A kind of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Pods. The command that lists them does not end, and prints every change.
    Pod,
    /// Containers. The command that lists them ends.
    Container,
}

/// An instance, as a line of the list describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// An id that no other instance has, or has had.
    pub id: String,
    /// The name with which the instance is entered.
    pub name: String,
    /// The time at which the instance was made, as a text that can be compared.
    pub made: String,
    /// The state of the instance.
    pub state: InstanceState,
}

/// The state of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// The instance can be entered, and does its work.
    Ready,
    /// The instance does not do its work at the moment, or not yet.
    Unready,
    /// The instance is being removed.
    Going,
    /// The instance does not exist any more.
    Gone,
}

impl Kind {
    /// The word for one instance.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Container => "container",
        }
    }

    /// Whether the command that lists the instances keeps running and reports changes.
    pub fn is_followed(self) -> bool {
        self == Self::Pod
    }

    /// The word of [`Chosen::enter`] that the name of the instance replaces.
    pub(super) fn place(self) -> &'static str {
        match self {
            Self::Pod => "POD",
            Self::Container => "CONTAINER",
        }
    }

    /// Reads a line of the command that lists instances; `None` if it is not one.
    pub fn read(self, line: &str) -> Option<Instance> {
        let mut parts = line.trim_end().split('|');
        let mut part = || parts.next();
        let instance = match self {
            Self::Pod => {
                let (change, id, name) = (part()?, part()?, part()?);
                let (ready, made, deleted) = (part()?, part()?, part()?);
                let state = match change {
                    "DELETED" => InstanceState::Gone,
                    "ADDED" | "MODIFIED" if !deleted.is_empty() => InstanceState::Going,
                    "ADDED" | "MODIFIED" if ready == "True" => InstanceState::Ready,
                    "ADDED" | "MODIFIED" => InstanceState::Unready,
                    _ => return None,
                };
                Instance {
                    id: id.to_owned(),
                    name: name.to_owned(),
                    made: made.to_owned(),
                    state,
                }
            }
            Self::Container => {
                let (id, made, status) = (part()?, part()?, part()?);
                // The status of a container with a health check has the result of the check in parentheses.
                let is_well = !status.contains('(') || status.contains("(healthy)");
                Instance {
                    id: id.to_owned(),
                    name: id.to_owned(),
                    made: made.to_owned(),
                    state: if status.starts_with("Up ") && is_well {
                        InstanceState::Ready
                    } else {
                        InstanceState::Unready
                    },
                }
            }
        };
        (part().is_none() && is_name(&instance.name)).then_some(instance)
    }
}

/// Whether every program takes this text for a name, even if an attacker has chosen it.
fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= NAME_MAX
        && name.bytes().next().is_some_and(is_part)
        && name
            .bytes()
            .all(|byte| is_part(byte) || b"-.".contains(&byte))
}

impl Chosen {
    /// The words that enter the instance with this name, which [`Kind::read`] has checked.
    pub fn enter(&self, name: &str) -> Vec<String> {
        let place = self.kind.place();
        let words = self.enter.iter();
        words
            .map(|word| if word == place { name } else { word }.to_owned())
            .collect()
    }

    /// The words with which a person enters an instance: `kubectl` itself can choose a pod of a deployment.
    pub(super) fn by_hand(&self) -> Vec<String> {
        match &self.selector {
            Some(_) => self.enter(&self.of),
            None => self.enter.clone(),
        }
    }

    /// The words that list the instances. `selector` is the output of the command [`Chosen::selector`]; the error says
    /// why that is not a selector.
    pub fn list(&self, selector: &str) -> Result<Vec<String>, String> {
        if self.selector.is_none() {
            return Ok(self.list.clone());
        }
        let labels = selector.trim().trim_end_matches(',');
        let is_label = |label: &str| {
            let is_part = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            label.split_once('=').is_some_and(|(key, value)| {
                !key.is_empty() && key.chars().all(is_part) && value.chars().all(is_part)
            })
        };
        if !labels.split(',').all(is_label) {
            return Err(format!(
                "the labels of {} do not tell which pods it has; write them as selector instead",
                self.of
            ));
        }
        let words = self.list.iter();
        Ok(words
            .map(|word| match word.as_str() {
                SELECTOR => format!("--selector={labels}"),
                other => other.to_owned(),
            })
            .collect())
    }

    /// The commands that choose the instance, in the order in which they run.
    pub fn lookups(&self) -> impl Iterator<Item = &Vec<String>> {
        self.selector.iter().chain([&self.list])
    }

    /// Completes the words that lead to the shell of an instance.
    pub(super) fn new(
        of: String,
        selector: Option<Vec<String>>,
        list: Vec<String>,
        kind: Kind,
        way: Vec<String>,
    ) -> Self {
        let mut enter = way;
        enter.extend(commands::shell_loop(false));
        Self {
            of,
            selector,
            list,
            kind,
            enter,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(kind: Kind, line: &str) -> Option<InstanceState> {
        kind.read(line).map(|instance| instance.state)
    }

    #[test]
    fn a_line_says_whether_a_pod_is_ready_or_going() {
        use InstanceState::{Going, Gone, Ready, Unready};
        for (line, expected) in [
            ("ADDED|u|api-1|True|2026-01-01T00:00:00Z|", Some(Ready)),
            (
                "MODIFIED|u|api-1|False|2026-01-01T00:00:00Z|",
                Some(Unready),
            ),
            ("ADDED|u|api-1|||", Some(Unready)),
            ("MODIFIED|u|api-1|True|t|2026-01-01T00:01:00Z", Some(Going)),
            ("DELETED|u|api-1|True|t|", Some(Gone)),
            ("BOOKMARK|||||", None),
            ("ADDED|u|-oProxyCommand=x|True|t|", None),
            ("ADDED|u|api 1|True|t|", None),
            ("ADDED|u|api-1|True|t||more", None),
            ("ADDED|u||True|t|", None),
            ("error: the server is gone", None),
        ] {
            assert_eq!(state(Kind::Pod, line), expected, "{line}");
        }
        let long = format!("ADDED|u|{}|True|t|", "a".repeat(NAME_MAX + 1));
        assert_eq!(state(Kind::Pod, &long), None);
    }

    #[test]
    fn a_container_with_a_health_check_is_ready_when_it_is_healthy() {
        use InstanceState::{Ready, Unready};
        for (status, expected) in [
            ("Up 2 minutes", Ready),
            ("Up 2 minutes ago", Ready),
            ("Up 2 minutes (healthy)", Ready),
            ("Up 2 seconds (health: starting)", Unready),
            ("Up 2 seconds ago (starting)", Unready),
            ("Up 2 hours (unhealthy)", Unready),
            ("Up 2 hours (Paused)", Unready),
            ("Created", Unready),
            ("Stopping", Unready),
            ("Exited (0) 3 seconds ago", Unready),
        ] {
            let line = format!("0123456789ab|2026-01-01 00:00:00 +0000 UTC|{status}");
            assert_eq!(state(Kind::Container, &line), Some(expected), "{status}");
        }
    }
}
