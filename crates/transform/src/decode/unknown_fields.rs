//! Counts of fields that the contract does not define. They are ignored and reported.

use std::collections::BTreeMap;

use cli_support::human::counted;

use crate::decode::excerpt;

/// Occurrences of unknown fields by name.
///
/// The kept names depend only on the set of names, not on their order: lines can be counted in any order and partition, and
/// the counts [merged](Self::merge).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownFields {
    /// The occurrences of the first [`UnknownFields::MAX_NAMES`] names in byte order.
    pub by_name: BTreeMap<String, u64>,
    /// The occurrences of all other names, including very long ones.
    pub others: u64,
}

impl UnknownFields {
    /// The maximum number of kept names. It bounds the memory use for any input, as does the maximum length of a name in
    /// bytes.
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

    /// Moves names above the maximum to the others. A dropped name never returns, because the names before it are kept; so
    /// every kept name has been counted since its first occurrence.
    fn drop_last_names(&mut self) {
        while self.by_name.len() > Self::MAX_NAMES {
            self.others += self.by_name.pop_last().map_or(0, |(_, n)| n);
        }
    }

    /// Adds the counts of other lines.
    pub fn merge(&mut self, other: &Self) {
        for (name, n) in &other.by_name {
            *self.by_name.entry(name.clone()).or_default() += n;
        }
        self.others += other.others;
        self.drop_last_names();
    }

    /// Returns a list of the names with their counts, or `None` if there are none.
    pub fn summary(&self) -> Option<String> {
        let named = self.by_name.iter().map(|(name, n)| format!("`{}` ({})", excerpt(name), counted(*n, "line")));
        let others = (self.others > 0).then(|| format!("others ({})", counted(self.others, "time")));
        let all: Vec<String> = named.chain(others).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}
