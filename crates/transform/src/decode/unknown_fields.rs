//! Fields that the contract doesn't know: passed over, but not in silence.

use std::collections::BTreeMap;

use cli_support::human::counted;

use crate::decode::shown;

/// Names of fields that the contract doesn't know, each with how often it occurred.
///
/// Which names are kept depends only on which there are, not on the order in which they came or on who counted them: lines
/// may be counted in any order and in any parts, and the parts [merged](Self::merge).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownFields {
    /// The first [`UnknownFields::MAX_NAMES`] names of the alphabet (by their bytes).
    pub by_name: BTreeMap<String, u64>,
    /// How often any other name, or a very long one, occurred.
    pub others: u64,
}

impl UnknownFields {
    /// How many names are kept, and how long they may be in bytes. Input must not decide how much memory we use.
    pub const MAX_NAMES: usize = 20;
    const MAX_NAME_BYTES: usize = 200;

    pub(crate) fn count(&mut self, name: &str) {
        if let Some(n) = self.by_name.get_mut(name) {
            *n += 1;
        } else if name.len() <= Self::MAX_NAME_BYTES && self.would_keep(name) {
            self.by_name.insert(name.to_owned(), 1);
            self.drop_last_names();
        } else {
            self.others += 1;
        }
    }

    fn would_keep(&self, name: &str) -> bool {
        self.by_name.len() < Self::MAX_NAMES
            || self.by_name.last_key_value().is_some_and(|(last, _)| name < last.as_str())
    }

    /// A name that is dropped never comes back, since the names before it stay. So every name that is there in the end has
    /// been counted from its first occurrence on.
    fn drop_last_names(&mut self) {
        while self.by_name.len() > Self::MAX_NAMES {
            self.others += self.by_name.pop_last().map_or(0, |(_, n)| n);
        }
    }

    /// Adds what was counted over other lines.
    pub fn merge(&mut self, other: &Self) {
        for (name, n) in &other.by_name {
            *self.by_name.entry(name.clone()).or_default() += n;
        }
        self.others += other.others;
        self.drop_last_names();
    }

    /// Each name with its count, or `None` if there was none.
    pub fn summary(&self) -> Option<String> {
        let named = self.by_name.iter().map(|(name, n)| format!("`{}` ({})", shown(name), counted(*n, "line")));
        let others = (self.others > 0).then(|| format!("others ({})", counted(self.others, "time")));
        let all: Vec<String> = named.chain(others).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}
