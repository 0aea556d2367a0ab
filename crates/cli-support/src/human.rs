//! Human-readable counts, sizes and durations.
//!
//! Sizes and durations are formatted here, since indicatif's `DecimalBytes` and `HumanDuration` print `2.10 MB` and
//! `2 minutes`, and parsed here, since that takes fewer lines than a dependency.

use std::time::Duration;

use indicatif::HumanCount;

/// Formats a count with thousands separators: `5,000`.
///
/// ```
/// assert_eq!(cli_support::human::count(1_234_567), "1,234,567");
/// ```
pub fn count(n: u64) -> String {
    HumanCount(n).to_string()
}

/// Formats a count with its noun: `1 file`, `5,000 files`.
pub fn counted(n: u64, noun: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(n))
}

/// Formats a size in decimal units: `2.1 MB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut size = n as f64 / 1000.0;
    let mut unit = 0;
    while size >= 999.95 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// Parses a size in bytes, with an optional decimal or binary unit: `1000000`, `64MB`, `128MiB`.
///
/// # Errors
///
/// A message for the user if the text is not a positive whole number with a known unit, or exceeds `u64`.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: Option<u64> = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        _ => None,
    };
    let size = number.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
    size.filter(|size| *size > 0).ok_or_else(|| format!("`{text}` is not a size such as 64MB or 128MiB"))
}

/// Formats a duration: `12 ms`, `3.4 s`, `2 min 05 s`.
pub fn duration(d: Duration) -> String {
    match d.as_secs() {
        0 => format!("{} ms", d.as_millis()),
        1..60 => format!("{:.1} s", d.as_secs_f64()),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn numbers_are_formatted_and_parsed_at_unit_boundaries() {
        let counts = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        assert!(counts.iter().all(|(n, text)| super::count(*n) == *text));
        assert_eq!([super::counted(1, "file"), super::counted(2, "file")], ["1 file", "2 files"]);
        let sizes = [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_951, "1.0 MB")];
        assert!(sizes.iter().all(|(n, text)| super::bytes(*n) == *text));
        let parsed = [("1", 1), ("64 MB", 64_000_000), ("128MiB", 128 << 20), ("2gb", 2_000_000_000)];
        assert!(parsed.iter().all(|(text, n)| super::parse_bytes(text) == Ok(*n)));
        assert!(
            ["", "MB", "0", "-1", "1.5GB", "1 furlong", "99999999999GB"]
                .iter()
                .all(|text| super::parse_bytes(text).is_err())
        );
        let durations = [(12, "12 ms"), (3400, "3.4 s"), (125_000, "2 min 05 s")];
        assert!(durations.iter().all(|(ms, text)| super::duration(Duration::from_millis(*ms)) == *text));
    }
}
