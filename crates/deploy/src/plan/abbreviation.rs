//! Abbreviated lists of names for messages.

use cli_support::human;

/// Maximum number of keys in a list.
const MAX_KEYS: usize = 4;

/// Joins up to 4 keys, and adds the number of the others.
pub(crate) fn abbreviate_keys(keys: &[impl AsRef<str>]) -> String {
    abbreviate(keys, MAX_KEYS)
}

/// Joins up to `max` names, and adds the number of the others.
pub(crate) fn abbreviate(names: &[impl AsRef<str>], max: usize) -> String {
    let joined = names.iter().take(max).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if names.len() > max { format!("{joined} and {} more", human::count((names.len() - max) as u64)) } else { joined }
}
