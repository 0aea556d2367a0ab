//! The kinds of defects that `generate --dirty` injects, by their names in truth files and manifests.

use ticket_schema::string_enum;

string_enum! {
    /// The kind of an injected defect.
    DefectKind("kind") {
        /// A line whose end or beginning is missing.
        CutLine = "cut_line",
        /// A field with a value of another JSON type.
        WrongType = "wrong_type",
        /// An enum field with a text outside the contract's set.
        UnknownText = "unknown_text",
        /// A timestamp that does not exist or violates the order of the ticket's timestamps.
        ImpossibleTime = "impossible_time",
        /// A line that is not valid UTF-8.
        BadUtf8 = "bad_utf8",
        /// A copy of an earlier line.
        Duplicate = "duplicate",
        /// An earlier state of a ticket after a line with a later state; `updated_at` orders them.
        LateCopy = "late_copy",
    }
}

impl DefectKind {
    /// Returns whether a strict reader rejects the line. The other kinds are valid tickets that occur twice.
    pub const fn is_rejected(self) -> bool {
        !matches!(self, Self::Duplicate | Self::LateCopy)
    }
}
