//! The parts of manifests: tools, files, inputs and row counts.

use serde::{Deserialize, Serialize};

/// The program that wrote a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A file of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path below the data set's directory, with `/` as separator.
    pub name: String,
    /// Number of lines or rows.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// CRC-64/NVME of its content in S3's form: eight big-endian bytes in base64.
    pub crc64nvme: String,
}

/// Row counts of an input by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Lines read, without blank ones.
    pub read: u64,
    /// Tickets written to Parquet.
    pub written: u64,
    /// Lines in quarantine.
    pub quarantined: u64,
    /// Tickets dropped because a later state of the same ticket was kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub duplicates: u64,
}

impl RowCounts {
    /// Returns whether every row that was read has an outcome.
    pub const fn balance(&self) -> bool {
        self.read == self.written + self.quarantined + self.duplicates
    }
}

impl std::ops::AddAssign for RowCounts {
    fn add_assign(&mut self, more: Self) {
        self.read += more.read;
        self.written += more.written;
        self.quarantined += more.quarantined;
        self.duplicates += more.duplicates;
    }
}

impl std::iter::Sum for RowCounts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, rows| {
            sum += rows;
            sum
        })
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde requires")]
pub(crate) const fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// An input file and its row counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputEntry {
    /// Name within the input directory, or path as given; `-` is standard input.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// CRC-64/NVME of its content, as in [`FileEntry`].
    pub crc64nvme: String,
    /// Its row counts.
    #[serde(flatten)]
    pub rows: RowCounts,
    /// Number of quarantined lines that it replaced. They were counted as read before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub taken_back: u64,
}
