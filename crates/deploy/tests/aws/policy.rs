//! The IAM policy in `infra/iam`: with it everything works, and without any one of its statements something fails.
use std::path::Path;

use serde_json::{Value, json};

use crate::BINARY;
use crate::emulator::{ACCOUNT, Emulator, Keys};
use crate::lake::Lake;

fn policy() -> Value {
    serde_json::from_str(&deploy::definitions::iam_policy(ACCOUNT, "eu-central-1")).unwrap()
}

/// Everything that deploy does, one run after another; the first message of failure, if there is one.
fn whole_life(emulator: &Emulator, lake: &Lake, keys: &Keys) -> Result<(), String> {
    let run = |arguments: &[&str]| {
        let output = emulator.tool(Path::new(BINARY), lake.dir(), keys, arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        if output.status.success() { Ok(()) } else { Err(format!("deploy {arguments:?}: {said}")) }
    };
    let with_dashboard = ["--quiet", "--quicksight", "--quicksight-user", "ada"];
    lake.replace(42, 300);
    run(&with_dashboard)?;
    run(&["status"])?;
    // Fewer markets: stale objects and partitions.
    lake.replace(7, 5);
    run(&with_dashboard)?;
    run(&["destroy", "--yes", "--quicksight"])
}

#[test]
fn it_allows_everything_that_deploy_does_and_each_statement_is_needed() {
    let emulator = Emulator::start_with_auth();
    let lake = Lake::new(42, 300);
    let whole = policy();
    assert_eq!(whole_life(&emulator, &lake, &emulator.user("deployer", &whole)), Ok(()));

    let statements = whole["Statement"].as_array().unwrap();
    for left_out in 0..statements.len() {
        let mut fewer = statements.clone();
        let sid = fewer.remove(left_out)["Sid"].as_str().unwrap().to_owned();
        let keys = emulator.user("deployer", &json!({ "Version": "2012-10-17", "Statement": fewer }));
        let message = whole_life(&emulator, &lake, &keys).expect_err(&format!("{sid} is not needed"));
        assert!(message.contains("deploy policy"), "{sid}: {message}");
        assert!(!message.contains(&keys.secret), "a secret in a message");
        // The account's own keys clear what is left.
        let cleared =
            emulator.tool(Path::new(BINARY), lake.dir(), &Keys::root(), &["destroy", "--yes", "--quicksight"]);
        assert!(cleared.status.success(), "{sid}");
    }
}
