//! Fixtures that the tests of several crates share.
//!
//! * [`mod@reference`]: generated pages of `docs/reference`, and the check that they are current.
//!
//! The folder `python` holds the checks by other engines and the AWS emulator; its README describes them.
//!
//! ```
//! use test_support::reference;
//!
//! assert!(reference::page("schema.md").ends_with("docs/reference/schema.md"));
//! ```

pub mod reference;
