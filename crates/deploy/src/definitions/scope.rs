//! The parts of the lake that a command looks at.

/// Which parts of the whole are looked at.
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
    /// All of them.
    pub const ALL: Self = Self { buckets: true, data: true, catalog: true };
}
