//! Ticket in, JSON line out.
//!
//! Most of a line is constant, and most of the rest is one of a few known texts. Lines are therefore assembled from
//! prepared texts instead of being formatted, in two ways:
//!
//! * Runs of fixed-width fields: a template is copied, then the fields are written at offsets known at compile time.
//! * Texts of varying width: padded to a common width and copied with the padding, which the next text overwrites.
//!
//! Every copy has a constant size and compiles to a few 16-byte moves, without loops, calls, or branches that depend on
//! the ticket. Copying the padding costs less than computing the exact length.

use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::{Category, Channel, Severity, Status};
use ticket_schema::{Ticket, Timestamp};

mod date_text;
mod digits;
mod template;

use date_text::DateTexts;
use digits::{decimal, hex};
use template::{after, put};

/// Upper bound of a line's length, including the padding of its last text.
pub const MAX_LINE_BYTES: usize = 512;

/// Template of the start of a line.
const HEAD: &[u8; 86] = br#"{"ticket_id":"00000000-0000-0000-0000-000000000000","created_at":"0000-00-00T00:00:00Z"#;
const TICKET_ID: usize = after(HEAD, br#""ticket_id":""#);
const CREATED_AT: usize = after(HEAD, br#""created_at":""#);

/// Template of the next fields, for a resolved ticket.
const TIMES: &[u8; 74] = br#"","updated_at":"0000-00-00T00:00:00Z","resolved_at":"0000-00-00T00:00:00Z""#;
const UPDATED_AT: usize = after(TIMES, br#""updated_at":""#);
const RESOLVED_AT: usize = after(TIMES, br#""resolved_at":""#);

/// Replacement for `resolved_at` and its quotes in tickets that are not resolved.
const NULL: &[u8; 4] = b"null";

/// Template from `market` to the start of `model_series`: all fields have a fixed width.
const MIDDLE: &[u8; 110] = br#"","market":"DE","dealer_id":"DLR-DE-000","customer_id":"CUST-0000000000","vin_last6":"A00000","model_series":""#;
const MARKET: usize = after(MIDDLE, br#""market":""#);
const DEALER_MARKET: usize = after(MIDDLE, br#""dealer_id":"DLR-"#);
const DEALER_NUMBER: usize = after(MIDDLE, br#""dealer_id":"DLR-DE-"#);
const CUSTOMER: usize = after(MIDDLE, br#""customer_id":"CUST-"#);
const VIN: usize = after(MIDDLE, br#""vin_last6":""#);

/// Template of the end of a line, without the final Boolean.
const TAIL: &[u8; 35] = br#"","model_year":0000,"sla_breached":"#;
const MODEL_YEAR: usize = after(TAIL, br#""model_year":"#);

/// Renderer of tickets as JSON lines.
///
/// ```
/// use generate::{World, render::{MAX_LINE_BYTES, Renderer}};
/// use manifest::WorldParameters;
///
/// let parameters = WorldParameters::new(1, "2026-11-22".parse()?, 30, 100);
/// let renderer = Renderer::new(parameters.world_start, parameters.as_of);
/// let mut buffer = [0; MAX_LINE_BYTES];
/// for ticket in World::new(parameters)?.tickets(0..100) {
///     let n_bytes = renderer.render(&ticket, &mut buffer);
///     assert!(buffer[..n_bytes].ends_with(b"}\n"));
/// }
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug)]
pub struct Renderer {
    dates: DateTexts,
    severity_and_status: [[Padded; Status::ALL.len()]; Severity::ALL.len()],
    category_and_channel: [[Padded; Channel::ALL.len()]; Category::ALL.len()],
    series: [Padded; ModelSeries::ALL.len()],
    /// `sla_breached` and the end of the line.
    ends: [Padded; 2],
}

impl Renderer {
    /// Creates a renderer for any ticket, fastest for timestamps from `first` to `last`.
    pub fn new(first: Timestamp, last: Timestamp) -> Self {
        Self {
            dates: DateTexts::new(first.day(), last.day()),
            severity_and_status: each(Severity::ALL, |severity| {
                each(Status::ALL, |status| Padded::new(&format!(r#","severity":"{severity}","status":"{status}"#)))
            }),
            category_and_channel: each(Category::ALL, |category| {
                each(Channel::ALL, |channel| Padded::new(&format!(r#"","category":"{category}","channel":"{channel}"#)))
            }),
            series: each(ModelSeries::ALL, |series| Padded::new(series.as_str())),
            ends: ["false}\n", "true}\n"].map(Padded::new),
        }
    }

    /// Writes a ticket and a newline to the start of `out` and returns their length in bytes. Some bytes beyond that
    /// length are overwritten too.
    ///
    /// # Panics
    ///
    /// Panics if `out` is shorter than [`MAX_LINE_BYTES`].
    #[inline]
    pub fn render(&self, ticket: &Ticket, out: &mut [u8]) -> usize {
        // The only bounds check that the compiler keeps: all constant offsets lie within this slice.
        let line = &mut out[..MAX_LINE_BYTES];

        put(line, 0, HEAD);
        put_uuid(line, TICKET_ID, *ticket.ticket_id.as_bytes());
        self.dates.put(line, CREATED_AT, ticket.created_at);
        let mut end = HEAD.len();

        let times = &mut line[end..end + TIMES.len()];
        put(times, 0, TIMES);
        self.dates.put(times, UPDATED_AT, ticket.updated_at);
        end += if let Some(resolved_at) = ticket.resolved_at {
            self.dates.put(times, RESOLVED_AT, resolved_at);
            TIMES.len()
        } else {
            put(times, RESOLVED_AT - 1, NULL);
            RESOLVED_AT - 1 + NULL.len()
        };

        end += self.severity_and_status[ticket.severity as usize][ticket.status as usize].put(line, end);
        end += self.category_and_channel[ticket.category as usize][ticket.channel as usize].put(line, end);

        let middle = &mut line[end..end + MIDDLE.len()];
        put(middle, 0, MIDDLE);
        put(middle, MARKET, &two_letters(ticket.market.as_str()));
        put(middle, DEALER_MARKET, &two_letters(ticket.dealer_id.market.as_str()));
        put(middle, DEALER_NUMBER, &dealer_number(ticket.dealer_id.number));
        put(middle, CUSTOMER, &customer(ticket.customer_id.bits()));
        put(middle, VIN, ticket.vin_last6.as_bytes());
        end += MIDDLE.len();

        end += self.series[ticket.model_series as usize].put(line, end);

        let tail = &mut line[end..end + TAIL.len()];
        put(tail, 0, TAIL);
        put(tail, MODEL_YEAR, &decimal(ticket.model_year.unsigned_abs()));
        end += TAIL.len();

        end + self.ends[usize::from(ticket.sla_breached)].put(line, end)
    }

    /// Returns a ticket's line, including the newline, as a new vector.
    pub fn line(&self, ticket: &Ticket) -> Vec<u8> {
        let mut line = vec![0; MAX_LINE_BYTES];
        let n_bytes = self.render(ticket, &mut line);
        line.truncate(n_bytes);
        line
    }
}

/// A text that is copied together with its padding.
///
/// None of the texts contains a character that JSON escapes, and none is longer than `WIDTH`.
#[derive(Clone, Copy, Debug)]
struct Padded {
    text: [u8; Self::WIDTH],
    len: u8,
}

impl Padded {
    const WIDTH: usize = 63;

    fn new(text: &str) -> Self {
        let mut padded = [b' '; Self::WIDTH];
        padded[..text.len()].copy_from_slice(text.as_bytes());
        Self { text: padded, len: text.len() as u8 }
    }

    /// Writes the padded text and returns its length without the padding.
    fn put(&self, line: &mut [u8], at: usize) -> usize {
        put(line, at, &self.text);
        usize::from(self.len)
    }
}

/// Builds a table with one entry per enum variant, in the order of `all`.
fn each<T: Copy, E, const N: usize>(all: &[T], entry: impl Fn(T) -> E) -> [E; N] {
    std::array::from_fn(|i| entry(all[i]))
}

/// Writes `67e55044-10b1-426f-9247-bb680e5fe0c8` into a template that contains the hyphens.
#[inline]
fn put_uuid(line: &mut [u8], at: usize, bytes: [u8; 16]) {
    let bits = u128::from_be_bytes(bytes);
    let [a, b, c, d] = [96, 64, 32, 0].map(|shift| hex((bits >> shift) as u32, b'a'));
    put(line, at, &a);
    put_halves(line, [at + 9, at + 14], b);
    put_halves(line, [at + 19, at + 24], c);
    put(line, at + 28, &d);
}

#[inline]
fn put_halves(line: &mut [u8], [first, second]: [usize; 2], text: [u8; 8]) {
    line[first..first + 4].copy_from_slice(&text[..4]);
    line[second..second + 4].copy_from_slice(&text[4..]);
}

#[inline]
fn dealer_number(number: u16) -> [u8; 3] {
    let [_, digits @ ..] = decimal(u32::from(number));
    digits
}

/// Formats the lowest 40 bits as ten hexadecimal digits.
#[inline]
fn customer(bits: u64) -> [u8; 10] {
    let (high, low) = (hex((bits >> 32) as u32, b'A'), hex(bits as u32, b'A'));
    std::array::from_fn(|i| if i < 2 { high[i + 6] } else { low[i - 2] })
}

#[inline]
fn two_letters(text: &str) -> [u8; 2] {
    let bytes = text.as_bytes();
    [bytes[0], bytes[1]]
}
