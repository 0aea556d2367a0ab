//! Validation: each line and ticket against the rules of the contract.
//!
//! * [`rules`]: the rules, those of single tickets, and the count of violations.
//! * [`field_validation`]: the values of one line, and the rules of single fields.
//! * [`cross_row_rules`]: the rules that involve several tickets.

pub mod cross_row_rules;
pub mod field_validation;
pub mod rules;
