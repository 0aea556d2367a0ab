//! The options of `dashboard` in the documentation.

#[test]
fn cli_reference_is_current() {
    test_support::reference::assert_cli_current("dashboard", env!("CARGO_BIN_EXE_dashboard"), &["serve", "quicksight"]);
}
