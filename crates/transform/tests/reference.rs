//! The options of `transform` in the documentation.

#[test]
fn cli_reference_is_current() {
    test_support::reference::assert_cli_current("transform", env!("CARGO_BIN_EXE_transform"), &[]);
}
