//! The decoder and the `serde_json` oracle agree on any line.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/oracle/compare.rs"]
mod compare;
#[path = "../../tests/oracle/mod.rs"]
mod oracle;

fuzz_target!(|line: &[u8]| compare::assert_agreement(line));
