//! The kinds of columns: for each kind of [`ticket_columns!`](ticket_schema::ticket_columns), the type of a value in a row
//! and of the buffer for a column.
//!
//! `decode`, `write` and `dedup` implement their part for each kind in `Decode`, `Encode` and `ReadBack`. A new column of
//! one of these kinds needs no change in this crate.

use std::fmt::Debug;
use std::marker::PhantomData;

use parquet_encode::{NULL_TIMESTAMP, StringColumn};

use crate::rows::columns::{ColumnBuffer, NotInFile};
use crate::rows::row::{Market, Text as TextValue};
use crate::rows::timestamp::DateTime;

/// A kind of column.
pub trait Kind {
    /// Value of a row.
    type Value<'a>: Copy + Debug + PartialEq + Eq;
    /// Buffer for the values of many rows.
    type Column: ColumnBuffer;
    /// True if the Parquet files have the column.
    const IN_FILE: bool = true;

    /// Appends a value to a column.
    fn push(column: &mut Self::Column, value: Self::Value<'_>);
}

/// Maps a kind of [`ticket_columns!`](ticket_schema::ticket_columns) and the type beside it to the type in this module.
macro_rules! kind {
    (uuid $type:ty) => {
        $crate::rows::kinds::Uuid
    };
    (timestamp $type:ty) => {
        $crate::rows::kinds::Timestamp
    };
    (nullable_timestamp $type:ty) => {
        $crate::rows::kinds::NullableTimestamp
    };
    (string_enum $type:ty) => {
        $crate::rows::kinds::StringEnum<$type>
    };
    (partition_key $type:ty) => {
        $crate::rows::kinds::PartitionKey
    };
    (text $type:ty) => {
        $crate::rows::kinds::Text
    };
    (nullable_text $type:ty) => {
        $crate::rows::kinds::NullableText
    };
    (integer $type:ty) => {
        $crate::rows::kinds::Integer
    };
    (boolean $type:ty) => {
        $crate::rows::kinds::Boolean
    };
}
pub(crate) use kind;

/// Maps a kind to the same type as [`Kind::Value`]. Written with it, a row is covariant in `'a`; with the associated type it
/// would be invariant.
macro_rules! value {
    (uuid $a:lifetime $type:ty) => {
        [u8; 16]
    };
    (timestamp $a:lifetime $type:ty) => {
        $crate::rows::timestamp::DateTime
    };
    (nullable_timestamp $a:lifetime $type:ty) => {
        Option<$crate::rows::timestamp::DateTime>
    };
    (string_enum $a:lifetime $type:ty) => {
        $type
    };
    (partition_key $a:lifetime $type:ty) => {
        $crate::rows::row::Market
    };
    (text $a:lifetime $type:ty) => {
        $crate::rows::row::Text<$a>
    };
    (nullable_text $a:lifetime $type:ty) => {
        Option<$crate::rows::row::Text<$a>>
    };
    (integer $a:lifetime $type:ty) => {
        i32
    };
    (boolean $a:lifetime $type:ty) => {
        bool
    };
}
pub(crate) use value;

/// The 16 bytes of a UUID.
#[derive(Debug)]
pub struct Uuid;
/// Point in time; milliseconds since 1970 in a column.
#[derive(Debug)]
pub struct Timestamp;
/// Point in time or null, which is [`NULL_TIMESTAMP`] in a column.
#[derive(Debug)]
pub struct NullableTimestamp;
/// Value of an enum; its position in the enum's values in a column.
#[derive(Debug)]
pub struct StringEnum<T>(PhantomData<T>);
/// Market, which names the partition and is not in its files.
#[derive(Debug)]
pub struct PartitionKey;
/// Text of 1 to 255 bytes.
#[derive(Debug)]
pub struct Text;
/// Text of 1 to 255 bytes or null, which is a text of no bytes in a column.
#[derive(Debug)]
pub struct NullableText;
/// 32-bit integer.
#[derive(Debug)]
pub struct Integer;
/// True or false.
#[derive(Debug)]
pub struct Boolean;

impl Kind for Uuid {
    type Value<'a> = [u8; 16];
    type Column = Vec<[u8; 16]>;

    fn push(column: &mut Self::Column, value: [u8; 16]) {
        column.push(value);
    }
}

impl Kind for Timestamp {
    type Value<'a> = DateTime;
    type Column = Vec<i64>;

    fn push(column: &mut Self::Column, value: DateTime) {
        column.push(value.milliseconds());
    }
}

impl Kind for NullableTimestamp {
    type Value<'a> = Option<DateTime>;
    type Column = Vec<i64>;

    fn push(column: &mut Self::Column, value: Option<DateTime>) {
        column.push(value.map_or(NULL_TIMESTAMP, DateTime::milliseconds));
    }
}

impl<T: ticket_schema::enums::StringEnum + Eq> Kind for StringEnum<T> {
    type Value<'a> = T;
    type Column = Vec<u8>;

    fn push(column: &mut Self::Column, value: T) {
        const { assert!(T::VALUES.len() <= 256, "a column holds an enum's positions as bytes") };
        column.push(value.index() as u8);
    }
}

impl Kind for PartitionKey {
    type Value<'a> = Market;
    type Column = NotInFile;
    const IN_FILE: bool = false;

    fn push(_column: &mut NotInFile, _value: Market) {}
}

impl Kind for Text {
    type Value<'a> = TextValue<'a>;
    type Column = StringColumn;

    fn push(column: &mut StringColumn, value: TextValue) {
        column.push(value.as_bytes());
    }
}

impl Kind for NullableText {
    type Value<'a> = Option<TextValue<'a>>;
    type Column = StringColumn;

    fn push(column: &mut StringColumn, value: Option<TextValue>) {
        column.push(value.map_or(&[], TextValue::as_bytes));
    }
}

impl Kind for Integer {
    type Value<'a> = i32;
    type Column = Vec<i32>;

    fn push(column: &mut Self::Column, value: i32) {
        column.push(value);
    }
}

impl Kind for Boolean {
    type Value<'a> = bool;
    type Column = Vec<bool>;

    fn push(column: &mut Self::Column, value: bool) {
        column.push(value);
    }
}
