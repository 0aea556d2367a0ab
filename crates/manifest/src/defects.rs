//! The kinds of defects that `generate --dirty` plants, by the names that truth files and manifests give them.

use ticket_schema::string_enum;

string_enum! {
    /// What is wrong with a line.
    DefectKind("kind") {
        /// Its end is missing, or its beginning.
        CutLine = "cut_line",
        /// A field's value is of another JSON type.
        WrongType = "wrong_type",
        /// A text that the contract doesn't know stands where one of its fixed texts is due.
        UnknownText = "unknown_text",
        /// A time that does not exist, or that comes before what it follows from.
        ImpossibleTime = "impossible_time",
        /// Its bytes are not UTF-8.
        BadUtf8 = "bad_utf8",
        /// The same line as an earlier one.
        Duplicate = "duplicate",
        /// An earlier state of a ticket, after a line that shows it further along: `updated_at` tells them apart.
        LateCopy = "late_copy",
    }
}

impl DefectKind {
    /// Whether a strict reader refuses the line. The others are tickets in good order, of which each is there twice.
    pub const fn is_refused(self) -> bool {
        !matches!(self, Self::Duplicate | Self::LateCopy)
    }
}
