//! UUIDs as text.

use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// The length of a UUID's text: 32 digits and 4 hyphens.
pub(crate) const UUID_TEXT_BYTES: usize = Hyphenated::LENGTH;

/// Formats a UUID in lower case with hyphens (RFC 9562).
pub(crate) fn uuid_text(uuid: &[u8; 16]) -> [u8; UUID_TEXT_BYTES] {
    let mut text = [0; UUID_TEXT_BYTES];
    Uuid::from_bytes_ref(uuid).hyphenated().encode_lower(&mut text);
    text
}
