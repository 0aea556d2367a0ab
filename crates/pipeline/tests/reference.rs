//! The options of `pipeline` in the documentation.

#[test]
fn cli_reference_is_current() {
    test_support::reference::assert_cli_current("pipeline", env!("CARGO_BIN_EXE_pipeline"), &[]);
}
