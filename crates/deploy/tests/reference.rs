//! The options of `deploy` in the documentation.

#[test]
fn cli_reference_is_current() {
    test_support::reference::assert_cli_current(
        "deploy",
        env!("CARGO_BIN_EXE_deploy"),
        &["plan", "status", "verify", "destroy", "policy"],
    );
}
