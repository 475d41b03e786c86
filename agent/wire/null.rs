//! Reads `null`, which upstream writes for empty values.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

/// Reads `null` as an empty value, because upstream writes `null` for an empty list.
pub(super) fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + DeserializeOwned,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
