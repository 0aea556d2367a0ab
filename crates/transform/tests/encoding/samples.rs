//! Generated rows of many shapes.

use parquet_encode::{NULL_TIMESTAMP, PAGE_ROWS};
use proptest::prelude::*;
use ticket_schema::enums::{Category, Channel, Severity, Status};
use transform::rows::columns::Rows;

/// One day in milliseconds.
pub(crate) const DAY: i64 = 86_400_000;

/// A pseudo-random number generator (SplitMix64).
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Times {
    InOrder,
    Same,
    Unsorted,
    Extreme,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Words {
    /// A number of distinct strings `CUST-0000000001` and so on.
    Of(u64),
    /// A number of distinct strings with a common prefix, suffix and length.
    Alike(u64),
    /// Strings of 1 to 255 bytes with characters of 1 to 4 bytes.
    Any,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) n_rows: usize,
    pub(crate) times: Times,
    pub(crate) words: Words,
    /// The percentage of rows without `resolved_at`.
    pub(crate) nulls: u64,
    /// The number of distinct model years.
    pub(crate) years: u64,
    /// The maximum number of distinct values of each enum.
    pub(crate) codes: u64,
}

pub(crate) fn rows(shape: Shape, seed: u64) -> Rows {
    let mut numbers = SplitMix64(seed);
    let mut rows = Rows::default();
    for row in 0..shape.n_rows as i64 {
        let (high, low) = (numbers.next(), numbers.next());
        rows.ticket_id.push((u128::from(high) << 64 | u128::from(low)).to_be_bytes());
        let created_at = match shape.times {
            Times::InOrder => 1_795_000_000_000 + 15_000 * row,
            Times::Same => 1_795_000_000_000,
            Times::Unsorted => 1_795_000_000_000 + numbers.below(90 * DAY as u64) as i64,
            Times::Extreme => [i64::MIN + 1, -1, 0, 1, i64::MAX, numbers.next() as i64 | 1][numbers.below(6) as usize],
        };
        rows.created_at.push(created_at);
        rows.updated_at.push(created_at.saturating_add(numbers.below(40 * DAY as u64) as i64));
        rows.resolved_at.push(if numbers.below(100) < shape.nulls {
            NULL_TIMESTAMP
        } else {
            created_at.saturating_add(1)
        });
        let mut code = |n: usize| numbers.below(shape.codes.min(n as u64)) as u8;
        rows.severity.push(code(Severity::ALL.len()));
        rows.status.push(code(Status::ALL.len()));
        rows.category.push(code(Category::ALL.len()));
        rows.channel.push(code(Channel::ALL.len()));
        for column in [&mut rows.dealer_id, &mut rows.customer_id, &mut rows.vin_last6, &mut rows.model_series] {
            column.push(word(shape.words, &mut numbers).as_bytes());
        }
        let step = if shape.years > 300 { i64::from(u32::MAX) / shape.years as i64 } else { 1 };
        rows.model_year.push((i64::from(i32::MIN) + step * numbers.below(shape.years) as i64) as i32);
        rows.sla_breached.push(numbers.below(3) == 0);
    }
    rows
}

pub(crate) fn word(words: Words, numbers: &mut SplitMix64) -> String {
    const LETTERS: [char; 8] = ['a', 'Z', '0', '\0', '"', 'é', '車', '🚗'];
    match words {
        Words::Of(n) => format!("CUST-{:010}", numbers.below(n)),
        Words::Alike(n) => format!("DLR-EVERYWHERE-{:06}-EVERYWHERE", numbers.below(n)),
        Words::Any => {
            let n_bytes = 1 + numbers.below(255) as usize;
            let mut text = String::new();
            while text.len() < n_bytes {
                text.push(LETTERS[numbers.below(8) as usize]);
            }
            while text.len() > 255 {
                text.pop();
            }
            text
        }
    }
}

pub(crate) const TYPICAL: Shape =
    Shape { n_rows: 20_000, times: Times::InOrder, words: Words::Of(50), nulls: 5, years: 9, codes: 10 };

pub(crate) fn shapes() -> impl Strategy<Value = Shape> {
    let n_rows = prop_oneof![
        6 => 0..200_usize,
        1 => PAGE_ROWS - 1..=PAGE_ROWS + 1,
        1 => 2 * PAGE_ROWS - 1..=2 * PAGE_ROWS + 1,
    ];
    let times = prop_oneof![Just(Times::InOrder), Just(Times::Same), Just(Times::Unsorted), Just(Times::Extreme)];
    let words = prop_oneof![
        3 => prop_oneof![Just(1_u64), Just(2), Just(20), Just(256), Just(257), Just(1 << 40)].prop_map(Words::Of),
        1 => prop_oneof![Just(3_u64), Just(300)].prop_map(Words::Alike),
        1 => Just(Words::Any),
    ];
    let nulls = prop_oneof![Just(0_u64), Just(3), Just(50), Just(100)];
    let years = prop_oneof![Just(1_u64), Just(9), Just(256), Just(257), Just(100_000)];
    (n_rows, times, words, nulls, years, 1..11_u64).prop_map(|(n_rows, times, words, nulls, years, codes)| Shape {
        n_rows,
        times,
        words,
        nulls,
        years,
        codes,
    })
}

/// Rows that [`sorted`] copies at once, because the time to append a row grows with its position.
const BLOCK: usize = 256;

/// Returns the rows sorted by `created_at`, independently of the encoder: one row at a time.
pub(crate) fn sorted(rows: &Rows) -> Rows {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|row| (rows.created_at[*row], *row));
    let block = |start: usize| {
        let mut block = Rows::default();
        block.append(rows, start..rows.len().min(start + BLOCK));
        block
    };
    let blocks: Vec<Rows> = (0..rows.len()).step_by(BLOCK).map(block).collect();
    let mut sorted = Rows::default();
    for row in order {
        sorted.append(&blocks[row / BLOCK], row % BLOCK..row % BLOCK + 1);
    }
    sorted
}

pub(crate) fn append(to: &mut Rows, from: &Rows) {
    to.append(from, 0..from.len());
}
