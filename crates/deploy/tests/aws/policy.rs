//! The IAM policy in `infra/iam`: it allows everything that `deploy` does, and each of its statements is necessary.
use std::path::Path;

use serde_json::{Value, json};

use crate::BINARY;
use crate::emulator::{ACCOUNT, Emulator, Keys};
use test_support::lake::Lake;

fn policy() -> Value {
    serde_json::from_str(&deploy::definitions::iam_policy(ACCOUNT, "eu-central-1")).unwrap()
}

/// Runs all operations of `deploy`. Returns the messages of the first run that fails.
fn run_all_operations(emulator: &Emulator, lake: &Lake, keys: &Keys) -> Result<(), String> {
    let run = |arguments: &[&str]| {
        let output = emulator.run_tool(Path::new(BINARY), lake.dir(), keys, arguments);
        let messages = String::from_utf8(output.stderr).unwrap();
        if output.status.success() { Ok(()) } else { Err(format!("deploy {arguments:?}: {messages}")) }
    };
    let with_dashboard = ["--quiet", "--quicksight", "--quicksight-user", "ada"];
    lake.replace(42, 300);
    run(&with_dashboard)?;
    run(&["status"])?;
    // Fewer markets, so that there are stale objects and partitions.
    lake.replace(7, 5);
    run(&with_dashboard)?;
    run(&["destroy", "--yes", "--quicksight"])
}

#[test]
fn policy_allows_all_operations_and_each_statement_is_necessary() {
    let emulator = Emulator::start_with_auth();
    let lake = Lake::new(42, 300);
    let policy = policy();
    assert_eq!(run_all_operations(&emulator, &lake, &emulator.create_user("deployer", &policy)), Ok(()));

    let statements = policy["Statement"].as_array().unwrap();
    for removed in 0..statements.len() {
        let mut remaining = statements.clone();
        let sid = remaining.remove(removed)["Sid"].as_str().unwrap().to_owned();
        let keys = emulator.create_user("deployer", &json!({ "Version": "2012-10-17", "Statement": remaining }));
        let message = run_all_operations(&emulator, &lake, &keys).expect_err(&format!("{sid} is not necessary"));
        assert!(message.contains("deploy policy"), "{sid}: {message}");
        assert!(!message.contains(&keys.secret), "the secret access key was printed");
        let arguments = ["destroy", "--yes", "--quicksight"];
        let destroyed = emulator.run_tool(Path::new(BINARY), lake.dir(), &Keys::root(), &arguments);
        assert!(destroyed.status.success(), "{sid}");
    }
}
