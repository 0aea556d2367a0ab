//! The options of `query` in the documentation.

#[test]
fn cli_reference_is_current() {
    test_support::reference::assert_cli_current("query", env!("CARGO_BIN_EXE_query"), &[]);
}
