//! Scope of a command.

/// Parts of the lake that a command manages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Buckets and their settings.
    pub buckets: bool,
    /// Objects.
    pub data: bool,
    /// Workgroup, database, tables, view and partitions.
    pub catalog: bool,
}

impl Scope {
    /// All parts.
    pub const ALL: Self = Self { buckets: true, data: true, catalog: true };
}
