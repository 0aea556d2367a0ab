//! Fixtures that the tests of several crates share.
//!
//! * `lake` (with the feature `lake`): a small data lake in a temporary directory.
//! * [`mod@reference`]: generated pages of `docs/reference`, and the check that they are current.
//!
//! The folder `python` holds the checks by other engines and the AWS emulator; its README describes them.
//!
//! ```
//! use test_support::reference;
//!
//! assert!(reference::page("schema.md").ends_with("docs/reference/schema.md"));
//! ```

#[cfg(feature = "lake")]
pub mod lake;
pub mod reference;
