//! The options of `generate` in the documentation.

#[test]
fn cli_reference_is_current() {
    test_support::reference::assert_cli_current("generate", env!("CARGO_BIN_EXE_generate"), &[]);
}
