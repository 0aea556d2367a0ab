//! Decodes a value of each kind of column.

use ticket_schema::enums;

use crate::decode::RejectReason;
use crate::decode::enum_table::HasEnumTable;
use crate::decode::fast_path::Cursor;
use crate::decode::uuid_text;
use crate::decode::values::Values;
use crate::rows::kinds::{
    Boolean, Integer, Kind, NullableText, NullableTimestamp, PartitionKey, StringEnum, Text, Timestamp, Uuid,
};
use crate::rows::row::Market;

type Result<T> = std::result::Result<T, RejectReason>;

/// Decoding of a kind.
pub(crate) trait Decode: Kind {
    /// Reads the value that comes next in a line, if it has the common form and is valid.
    fn decode_fast<'a, const N_SPACES: usize>(cursor: &mut Cursor<'a, N_SPACES>) -> Option<Self::Value<'a>>;

    /// Validates the value of a line in any form.
    fn decode<'a>(values: &Values<'a>, position: usize) -> Result<Self::Value<'a>>;
}

impl Decode for Uuid {
    #[inline(always)]
    fn decode_fast<'a, const N_SPACES: usize>(cursor: &mut Cursor<'a, N_SPACES>) -> Option<Self::Value<'a>> {
        uuid_text::parse(cursor.quoted()?)
    }

    fn decode<'a>(values: &Values<'a>, position: usize) -> Result<Self::Value<'a>> {
        values.uuid(position)
    }
}

impl Decode for Timestamp {
    #[inline(always)]
    fn decode_fast<'a, const N_SPACES: usize>(cursor: &mut Cursor<'a, N_SPACES>) -> Option<Self::Value<'a>> {
        cursor.timestamp()
    }

    fn decode<'a>(values: &Values<'a>, position: usize) -> Result<Self::Value<'a>> {
        values.timestamp(position)
    }
}

impl Decode for NullableTimestamp {
    #[inline(always)]
    fn decode_fast<'a, const N_SPACES: usize>(cursor: &mut Cursor<'a, N_SPACES>) -> Option<Self::Value<'a>> {
        Some(if cursor.word(b"null") { None } else { Some(cursor.timestamp()?) })
    }

    fn decode<'a>(values: &Values<'a>, position: usize) -> Result<Self::Value<'a>> {
        if values.is_null(position) { Ok(None) } else { values.timestamp(position).map(Some) }
    }
}

impl<T: enums::StringEnum + Eq> Decode for StringEnum<T> {
    #[inline(always)]
    fn decode_fast<'a, const N_SPACES: usize>(cursor: &mut Cursor<'a, N_SPACES>) -> Option<Self::Value<'a>> {
        cursor.string_enum(&T::TABLE)
    }

    fn decode<'a>(values: &Values<'a>, position: usize) -> Result<Self::Value<'a>> {
        values.string_enum(position)
    }
}

impl Decode for PartitionKey {
    #[inline(always)]
    fn decode_fast<'a, const N_SPACES: usize>(cursor: &mut Cursor<'a, N_SPACES>) -> Option<Self::Value<'a>> {
        Market::parse(*cursor.quoted()?)
    }

    fn decode<'a>(values: &Values<'a>, position: usize) -> Result<Self::Value<'a>> {
        values.partition_key(position)
    }
}

impl Decode for Text {
    #[inline(always)]
    fn decode_fast<'a, const N_SPACES: usize>(cursor: &mut Cursor<'a, N_SPACES>) -> Option<Self::Value<'a>> {
        cursor.text()
    }

    fn decode<'a>(values: &Values<'a>, position: usize) -> Result<Self::Value<'a>> {
        values.text(position)
    }
}

impl Decode for NullableText {
    #[inline(always)]
    fn decode_fast<'a, const N_SPACES: usize>(cursor: &mut Cursor<'a, N_SPACES>) -> Option<Self::Value<'a>> {
        Some(if cursor.word(b"null") { None } else { Some(cursor.text()?) })
    }

    fn decode<'a>(values: &Values<'a>, position: usize) -> Result<Self::Value<'a>> {
        if values.is_null(position) { Ok(None) } else { values.text(position).map(Some) }
    }
}

impl Decode for Integer {
    #[inline(always)]
    fn decode_fast<'a, const N_SPACES: usize>(cursor: &mut Cursor<'a, N_SPACES>) -> Option<Self::Value<'a>> {
        cursor.year()
    }

    fn decode<'a>(values: &Values<'a>, position: usize) -> Result<Self::Value<'a>> {
        values.integer(position)
    }
}

impl Decode for Boolean {
    #[inline(always)]
    fn decode_fast<'a, const N_SPACES: usize>(cursor: &mut Cursor<'a, N_SPACES>) -> Option<Self::Value<'a>> {
        cursor.boolean()
    }

    fn decode<'a>(values: &Values<'a>, position: usize) -> Result<Self::Value<'a>> {
        values.boolean(position)
    }
}
