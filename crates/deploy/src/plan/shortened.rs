//! Shortened lists of names for messages.

use cli_support::human;

/// Number of keys shown of a long list.
const KEYS_SHOWN: usize = 4;

/// Returns the first few keys of a list and the number of the others.
pub(crate) fn some_of(keys: &[impl AsRef<str>]) -> String {
    first_of(keys, KEYS_SHOWN)
}

pub(crate) fn first_of(names: &[impl AsRef<str>], n_shown: usize) -> String {
    let shown = names.iter().take(n_shown).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if names.len() > n_shown {
        format!("{shown} and {} more", human::count((names.len() - n_shown) as u64))
    } else {
        shown
    }
}
