//! The options of `realism` in the documentation.

#[test]
fn cli_reference_is_current() {
    test_support::reference::assert_cli_current("realism", env!("CARGO_BIN_EXE_realism"), &[]);
}
