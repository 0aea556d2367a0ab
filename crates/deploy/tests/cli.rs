//! Tests of the binary without a server: help, usage errors, missing data, credentials, IAM policy.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::{TempDir, tempdir};
use test_support::lake::Lake;

const BINARY: &str = env!("CARGO_BIN_EXE_deploy");
const COMMANDS: [&[&str]; 6] = [&[], &["plan"], &["status"], &["verify"], &["destroy"], &["policy"]];
const ACCOUNT: (&str, &str) = ("AWS_ACCOUNT_ID", "123456789012");
/// Account and dummy access key; no server gets them.
const KEYS: [(&str, &str); 3] = [ACCOUNT, ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")];
/// URL without a server.
const UNREACHABLE_URL: &str = "http://127.0.0.1:1";

/// Returns a command that runs `deploy` in `home`, isolated from the configuration of this machine.
fn command(home: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().copied())
        .current_dir(home)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn deploy(home: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    command(home, environment, arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Checks exit code and empty standard output of a failed run, and returns its standard error.
fn failed(output: &Output, code: i32) -> String {
    assert_eq!((output.status.code(), stdout(output).as_str()), (Some(code), ""), "{}", stderr(output));
    stderr(output)
}

/// Creates a home directory with the configuration file of AWS.
fn home_with_config(config: &str) -> TempDir {
    let home = tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    fs::write(home.path().join(".aws/config"), config).unwrap();
    home
}

#[test]
fn help_texts_match_their_snapshots() {
    let home = tempdir().unwrap();
    for command in COMMANDS {
        let output = deploy(home.path(), &[], &[command, &["--help"]].concat());
        assert!(output.status.success());
        insta::assert_snapshot!(["help", command.first().unwrap_or(&"")].join("_"), stdout(&output));
    }
}

#[test]
fn usage_errors_exit_with_2() {
    let home = tempdir().unwrap();
    for (arguments, expected) in [
        (&["--nonsense"][..], "--nonsense"),
        (&["plam"], "plan"),
        (&["--only", "tables"], "buckets, data, catalog"),
        (&["--format", "xml"], "text, json"),
        (&["--curate", "me"], "local, athena"),
        (&["--region"], "--region"),
        (&["--detailed-exitcode"], "--detailed-exitcode"),
        (&["verify", "--detailed-exitcode"], "--detailed-exitcode"),
        (&["plan", "--yes"], "--yes"),
        (&["destroy", "--yes", "--dry-run"], "--dry-run"),
        (&["destroy", "--only", "data", "--yes"], "--only applies to deploy, plan and status"),
        (&["--only", "data", "verify"], "--only applies to"),
        (&["policy", "--only", "data"], "--only applies to"),
        (&["--quicksight"], "the owner of the dashboard is missing"),
        (&["status", "--quicksight"], "aws quicksight list-users --aws-account-id 123456789012"),
        (&["--quicksight", "--quicksight-user", ""], "`` is not a QuickSight user"),
        (&["plan", "--quicksight", "--quicksight-user", "Ada L"], "`Ada L` is not a QuickSight user"),
        (&["plan", "--quicksight-user", "ada"], "--quicksight-user requires --quicksight"),
        (&["verify", "--quicksight"], "--quicksight applies to deploy, plan, status and destroy"),
        (&["--only", "data", "--quicksight", "--quicksight-user", "ada"], "can't be combined with --quicksight"),
        (&["plan", "--account-id", "12"], "`12` is not an AWS account number: expected 12 digits"),
        (&["status", "--region", "Europe"], "`Europe` is not an AWS region"),
        (&["verify", "--endpoint-url", "localhost"], "`localhost` is not an endpoint"),
        (&["destroy", "--profile", ""], "--profile needs the name of a profile"),
    ] {
        let message = failed(&deploy(home.path(), &[ACCOUNT], arguments), 2);
        assert!(message.starts_with("error: ") && message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn every_command_requires_the_account_number() {
    let home = tempdir().unwrap();
    for command in COMMANDS {
        let message = failed(&deploy(home.path(), &KEYS[1..], command), 2);
        for part in [
            "the AWS account number is missing",
            ".env.example",
            "AWS_ACCOUNT_ID",
            "--account-id",
            "get-caller-identity",
        ] {
            assert!(message.contains(part), "{command:?}: `{part}` is not in {message}");
        }
    }
}

#[test]
fn missing_and_incomplete_data_sets_are_errors_with_a_next_step() {
    let home = tempdir().unwrap();
    for command in [&[][..], &["plan"], &["plan", "--detailed-exitcode"], &["status"], &["verify"]] {
        let message = failed(&deploy(home.path(), &KEYS, command), 1);
        let expected = "there is no data set in data/raw; run `cargo run --release` (or `generate` and `transform`) first, \
                        or set the directory with --raw";
        assert!(message.contains(expected), "{command:?}: {message}");
    }
    let lake = Lake::new(42, 50);
    let part = format!("data/curated/tickets/market={}/part-0.parquet", lake.markets()[0]);
    fs::remove_file(lake.dir().join(&part)).unwrap();
    for (arguments, expected) in [
        (&["--raw", "none"][..], "there is no data set in none;"),
        (&["--curated", "none"], "there is no data set in none;"),
        (&["--curated", "none"], "or set the directory with --curated"),
        (&["--raw", "data/curated"], "data/curated/_manifest.json is not the manifest of raw tickets"),
        (&["--curated", "data/raw"], "data/raw/_manifest.json is not the manifest of curated tickets"),
        (&[], &format!("cannot read the footer of {part}; run `transform` again")),
    ] {
        let message = failed(&deploy(lake.dir(), &KEYS, &[&["plan"], arguments].concat()), 1);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn missing_credentials_are_errors_with_a_next_step() {
    let next = "next: run `aws configure sso` or `aws configure` for the profile, or select another with --profile or \
                AWS_PROFILE";
    let empty_home = tempdir().unwrap();
    let home_with_profiles = home_with_config(
        "[profile other]\nregion = eu-central-1\n[profile sso]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n\
         [sso-session s]\nsso_region = eu-central-1\nsso_start_url = https://x.awsapps.com/start\n",
    );
    let invalid_home = home_with_config("[default\n");
    for (home, environment, arguments, expected) in [
        (&empty_home, &[][..], &[][..], "(from the environment, else profile default): no credentials were found\n"),
        (&empty_home, &[("AWS_ACCESS_KEY_ID", "nobody")], &[], "no credentials were found\n"),
        (
            &empty_home,
            &[],
            &["--profile", "mine"],
            "cannot get the caller identity from AWS (profile mine): no credentials",
        ),
        (&home_with_profiles, &[], &["--profile", "mine"], "profile `mine` was not defined"),
        (&home_with_profiles, &KEYS[1..], &["--profile", "mine"], "profile `mine` was not defined"),
        (
            &home_with_profiles,
            &[("AWS_PROFILE", "mine")],
            &[],
            "no credentials were found: profile `mine` was not defined",
        ),
        (&home_with_profiles, &[], &["--profile", "other"], "(profile other): no credentials were found"),
        (&invalid_home, &[], &[], "could not parse profile file"),
    ] {
        let environment = [&[ACCOUNT], environment].concat();
        let message = failed(&deploy(home.path(), &environment, &[&["destroy", "--dry-run"], arguments].concat()), 1);
        assert!(message.contains(expected) && message.contains(next), "{environment:?} {arguments:?}: {message}");
        assert!(message.lines().count() <= 3, "{message}");
    }
    let message = failed(&deploy(home_with_profiles.path(), &[ACCOUNT], &["destroy", "--profile", "sso"]), 1);
    assert!(message.contains("SSO token") && message.contains("next: log in again (`aws sso login`"), "{message}");
}

#[test]
fn unreachable_endpoint_is_an_error_with_a_next_step() {
    let lake = Lake::new(42, 50);
    let by_variable = [&KEYS[..], &[("AWS_ENDPOINT_URL", UNREACHABLE_URL)]].concat();
    for (environment, arguments) in [
        (&KEYS[..], &["plan", "--detailed-exitcode", "--endpoint-url", UNREACHABLE_URL][..]),
        (&by_variable, &["destroy", "--yes"]),
    ] {
        let message = failed(&deploy(lake.dir(), environment, arguments), 1);
        assert!(message.contains(&format!("cannot get the caller identity from {UNREACHABLE_URL}")), "{message}");
        assert!(message.contains("next: check the network, the proxy, the region and --endpoint-url"), "{message}");
    }
}

#[test]
fn access_keys_in_dotenv_are_rejected_first() {
    let home = tempdir().unwrap();
    fs::write(home.path().join(".env"), "AWS_ACCOUNT_ID=123456789012\nAWS_SECRET_ACCESS_KEY=s3cret\n").unwrap();
    for command in COMMANDS {
        let message = failed(&deploy(home.path(), &KEYS, command), 2);
        assert!(message.contains(".env contains an access key (AWS_SECRET_ACCESS_KEY)"), "{message}");
        assert!(!message.contains("s3cret"), "{message}");
    }
    fs::write(home.path().join(".env"), "AWS_ACCOUNT_ID=123456789012\n# comment\ns3cret\n").unwrap();
    let message = failed(&deploy(home.path(), &[], &["policy"]), 2);
    assert!(message.contains(".env: line 3 can't be parsed") && !message.contains("s3cret"), "{message}");
}

#[test]
fn options_override_the_environment_which_overrides_dotenv() {
    let home = tempdir().unwrap();
    fs::write(home.path().join(".env"), "AWS_ACCOUNT_ID=333333333333 # mine\nAWS_REGION='us-east-1'\n").unwrap();
    let policy = |environment: &[(&str, &str)], arguments: &[&str]| {
        let output = deploy(home.path(), environment, &[&["policy"], arguments].concat());
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
        stdout(&output)
    };
    let environment = [("AWS_ACCOUNT_ID", "222222222222"), ("AWS_REGION", "us-east-2")];
    assert!(policy(&[], &[]).contains("glue:us-east-1:333333333333:"));
    assert!(policy(&environment, &[]).contains("glue:us-east-2:222222222222:"));
    let options = ["--account-id", "111111111111", "--region", "us-west-1"];
    assert!(policy(&environment, &options).contains("glue:us-west-1:111111111111:"));
}

#[test]
fn policy_is_restricted_to_the_account_in_each_aws_partition() {
    let home = tempdir().unwrap();
    let mut actions = BTreeSet::new();
    for (region, partition) in [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")] {
        let output = deploy(home.path(), &[ACCOUNT], &["policy", "--quiet", "--region", region]);
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
        let text = stdout(&output);
        assert!(!text.contains(['<', '>']) && text.ends_with("}\n"), "{text}");
        let policy: Value = serde_json::from_str(&text).unwrap();
        let texts = |value: &Value| match value {
            Value::Array(list) => list.iter().map(|text| text.as_str().unwrap().to_owned()).collect(),
            text => vec![text.as_str().unwrap().to_owned()],
        };
        let statements = policy["Statement"].as_array().unwrap();
        for statement in statements {
            assert_eq!(statement["Effect"], "Allow");
            for resource in texts(&statement["Resource"]) {
                if resource == "*" {
                    let tag = &statement["Condition"]["StringEquals"]["aws:RequestTag/project"];
                    assert_eq!(tag, "bmw-aftersales", "a wildcard resource requires the tag");
                    continue;
                }
                let parts: Vec<&str> = resource.splitn(6, ':').collect();
                assert_eq!(parts[..2], ["arn", partition], "{resource}");
                let is_in_account =
                    if parts[2] == "s3" { parts[5].contains(ACCOUNT.1) } else { parts[3..5] == [region, ACCOUNT.1] };
                assert!(is_in_account, "{resource}");
            }
        }
        actions.insert(statements.iter().flat_map(|statement| texts(&statement["Action"])).collect::<Vec<_>>());
    }
    assert_eq!(actions.len(), 1, "the actions are the same in all partitions");
}

#[test]
fn closed_stdout_is_not_an_error() {
    let home = tempdir().unwrap();
    let mut child =
        command(home.path(), &[ACCOUNT], &["policy"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}
