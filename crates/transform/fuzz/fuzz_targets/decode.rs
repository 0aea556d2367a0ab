//! Any line is judged alike by the decoder and by `serde_json`'s reading of the contract.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/oracle/compare.rs"]
mod compare;
#[path = "../../tests/oracle/mod.rs"]
mod oracle;

fuzz_target!(|line: &[u8]| compare::judged_alike(line));
