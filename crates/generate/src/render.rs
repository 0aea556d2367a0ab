//! Ticket in, JSON bytes out: one line of the contract's JSON, without a temporary string.

use ticket_schema::{Ticket, Timestamp};

/// No line is longer than this, so a buffer that has as much room left takes the next ticket without growing.
pub const MAX_LINE_BYTES: usize = 512;

/// Appends a ticket and a newline.
pub fn render(ticket: &Ticket, out: &mut Vec<u8>) {
    out.reserve(MAX_LINE_BYTES);
    out.extend_from_slice(b"{\"ticket_id\":\"");
    let mut uuid = [0; 36];
    out.extend_from_slice(ticket.ticket_id.as_hyphenated().encode_lower(&mut uuid).as_bytes());
    out.extend_from_slice(b"\",\"created_at\":");
    time(ticket.created_at, out);
    out.extend_from_slice(b",\"updated_at\":");
    time(ticket.updated_at, out);
    out.extend_from_slice(b",\"resolved_at\":");
    match ticket.resolved_at {
        Some(resolved_at) => time(resolved_at, out),
        None => out.extend_from_slice(b"null"),
    }
    text(b",\"severity\":\"", ticket.severity.as_str(), out);
    text(b"\",\"status\":\"", ticket.status.as_str(), out);
    text(b"\",\"category\":\"", ticket.category.as_str(), out);
    text(b"\",\"channel\":\"", ticket.channel.as_str(), out);
    text(b"\",\"market\":\"", ticket.market.as_str(), out);
    text(b"\",\"dealer_id\":\"DLR-", ticket.dealer_id.market.as_str(), out);
    out.push(b'-');
    out.extend_from_slice(&digits::<3>(u32::from(ticket.dealer_id.number)));
    out.extend_from_slice(b"\",\"customer_id\":\"CUST-");
    out.extend_from_slice(&upper_hex(ticket.customer_id.bits()));
    out.extend_from_slice(b"\",\"vin_last6\":\"");
    out.extend_from_slice(ticket.vin_last6.as_bytes());
    text(b"\",\"model_series\":\"", ticket.model_series.as_str(), out);
    out.extend_from_slice(b"\",\"model_year\":");
    out.extend_from_slice(&digits::<4>(ticket.model_year.unsigned_abs()));
    out.extend_from_slice(b",\"sla_breached\":");
    out.extend_from_slice(if ticket.sla_breached { b"true}\n" } else { b"false}\n" });
}

/// None of the contract's texts holds a character that JSON escapes.
fn text(before: &[u8], text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(before);
    out.extend_from_slice(text.as_bytes());
}

/// The lowest `N` decimal digits.
fn digits<const N: usize>(mut n: u32) -> [u8; N] {
    let mut text = [b'0'; N];
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (n % 10) as u8;
        n /= 10;
    }
    text
}

/// The lowest 40 bits.
fn upper_hex(bits: u64) -> [u8; 10] {
    std::array::from_fn(|i| b"0123456789ABCDEF"[(bits >> (36 - 4 * i)) as usize & 15])
}

/// `"2026-11-22T08:30:00Z"`, with the quotes.
fn time(moment: Timestamp, out: &mut Vec<u8>) {
    let (days, seconds) = (moment.seconds().div_euclid(86_400), moment.seconds().rem_euclid(86_400) as u32);
    let (year, month, day) = civil_date(days);
    let mut text = *b"\"0000-00-00T00:00:00Z\"";
    text[1..5].copy_from_slice(&digits::<4>(year));
    text[6..8].copy_from_slice(&digits::<2>(month));
    text[9..11].copy_from_slice(&digits::<2>(day));
    text[12..14].copy_from_slice(&digits::<2>(seconds / 3600));
    text[15..17].copy_from_slice(&digits::<2>(seconds / 60 % 60));
    text[18..20].copy_from_slice(&digits::<2>(seconds % 60));
    out.extend_from_slice(&text);
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar; from the year 0 on.
///
/// Counts from 1 March of the year 0, so that the leap day is a year's last (Howard Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms").
fn civil_date(days_since_1970: i64) -> (u32, u32, u32) {
    let days = (days_since_1970 + 719_468) as u32;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u32::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::civil_date;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn every_day_of_four_centuries_agrees_with_chrono() {
        let mut date = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
        let epoch = NaiveDate::default();
        for _ in 0..146_097 {
            let days = date.signed_duration_since(epoch).num_days();
            assert_eq!(civil_date(days), (date.year().unsigned_abs(), date.month(), date.day()));
            date = date.succ_opt().unwrap();
        }
    }
}
