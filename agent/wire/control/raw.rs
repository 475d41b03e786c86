//! A part of a message that is not parsed yet.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// JSON whose syntax was checked, but whose content is not parsed yet. The caller of [`Raw::read`] decides on the type.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Raw(Box<RawValue>);

impl Raw {
    /// Encodes a value as JSON.
    ///
    /// This cannot fail, because the types of this module have only strings as map keys, and only values that JSON can
    /// express.
    pub fn of(value: &impl Serialize) -> Self {
        serde_json::value::to_raw_value(value)
            .map(Self)
            .unwrap_or_default()
    }

    /// Parses the JSON as a value of the type `T`.
    ///
    /// # Errors
    ///
    /// The JSON does not fit the type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.0.get())
    }

    /// Whether the JSON is `null`, or was left out.
    pub fn is_null(&self) -> bool {
        self.0.get() == "null"
    }

    /// The JSON text as it was written.
    pub fn text(&self) -> &str {
        self.0.get()
    }
}

impl Default for Raw {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Raw {}
