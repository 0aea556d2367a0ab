//! The real binary as far as it gets without a server: help, wrong usage, missing data, credentials, and the policy.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

mod lake;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use lake::Lake;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

const BINARY: &str = env!("CARGO_BIN_EXE_deploy");
const COMMANDS: [&[&str]; 6] = [&[], &["plan"], &["status"], &["verify"], &["destroy"], &["policy"]];
const ACCOUNT: (&str, &str) = ("AWS_ACCOUNT_ID", "123456789012");
/// Keys that no server will ever see.
const KEYS: [(&str, &str); 3] = [ACCOUNT, ("AWS_ACCESS_KEY_ID", "nobody"), ("AWS_SECRET_ACCESS_KEY", "nothing")];
/// An address without a listener.
const NOWHERE: &str = "http://127.0.0.1:1";

/// The tool in `home`, where nothing of this machine's own configuration is in sight.
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

/// A home with AWS's own configuration file.
fn home_with_config(config: &str) -> TempDir {
    let home = tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    fs::write(home.path().join(".aws/config"), config).unwrap();
    home
}

#[test]
fn help_says_everything() {
    let home = tempdir().unwrap();
    for command in COMMANDS {
        let output = deploy(home.path(), &[], &[command, &["--help"]].concat());
        assert!(output.status.success());
        insta::assert_snapshot!(["help", command.first().unwrap_or(&"")].join("_"), stdout(&output));
    }
}

#[test]
fn wrong_usage_ends_with_2() {
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
        (&["destroy", "--only", "data", "--yes"], "--only is for deploy, plan and status"),
        (&["--only", "data", "verify"], "--only is for"),
        (&["policy", "--only", "data"], "--only is for"),
        (&["--quicksight"], "whom does the dashboard belong to?"),
        (&["status", "--quicksight"], "aws quicksight list-users --aws-account-id 123456789012"),
        (&["--quicksight", "--quicksight-user", ""], "`` is no user of QuickSight"),
        (&["plan", "--quicksight", "--quicksight-user", "Ada L"], "`Ada L` is no user of QuickSight"),
        (&["plan", "--quicksight-user", "ada"], "--quicksight-user goes with --quicksight"),
        (&["verify", "--quicksight"], "--quicksight is for deploy, plan, status and destroy"),
        (&["--only", "data", "--quicksight", "--quicksight-user", "ada"], "can't be combined with --quicksight"),
        (&["plan", "--account-id", "12"], "`12` is no AWS account number: expected 12 digits"),
        (&["status", "--region", "Europe"], "`Europe` is no AWS region"),
        (&["verify", "--endpoint-url", "localhost"], "`localhost` is no endpoint"),
        (&["destroy", "--profile", ""], "--profile needs the name of a profile"),
    ] {
        let said = failed(&deploy(home.path(), &[ACCOUNT], arguments), 2);
        assert!(said.starts_with("error: ") && said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn no_command_guesses_the_account() {
    let home = tempdir().unwrap();
    for command in COMMANDS {
        let said = failed(&deploy(home.path(), &KEYS[1..], command), 2);
        for part in ["which AWS account?", ".env.example", "AWS_ACCOUNT_ID", "--account-id", "get-caller-identity"] {
            assert!(said.contains(part), "{command:?}: `{part}` is not in {said}");
        }
    }
}

#[test]
fn a_missing_or_damaged_data_set_is_named_with_what_makes_it() {
    let home = tempdir().unwrap();
    for command in [&[][..], &["plan"], &["plan", "--detailed-exitcode"], &["status"], &["verify"]] {
        let said = failed(&deploy(home.path(), &KEYS, command), 1);
        let expected = "there is no data set in data/raw; run `cargo run --release` (or `generate` and `transform`) first, \
                        or name it with --raw";
        assert!(said.contains(expected), "{command:?}: {said}");
    }
    let lake = Lake::new(42, 50);
    let part = format!("data/curated/tickets/market={}/part-0.parquet", lake.markets()[0]);
    fs::remove_file(lake.dir().join(&part)).unwrap();
    for (arguments, expected) in [
        (&["--raw", "none"][..], "there is no data set in none;"),
        (&["--curated", "none"], "there is no data set in none;"),
        (&["--curated", "none"], "or name it with --curated"),
        (&["--raw", "data/curated"], "data/curated/_manifest.json is not the manifest of raw tickets"),
        (&["--curated", "data/raw"], "data/raw/_manifest.json is not the manifest of curated tickets"),
        (&[], &format!("cannot read the footer of {part}; run `transform` again")),
    ] {
        let said = failed(&deploy(lake.dir(), &KEYS, &[&["plan"], arguments].concat()), 1);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn who_has_no_credentials_learns_where_they_come_from() {
    let next = "next: run `aws configure sso` or `aws configure` for the profile, or name another with --profile or AWS_PROFILE";
    let bare = tempdir().unwrap();
    let others = home_with_config(
        "[profile other]\nregion = eu-central-1\n[profile sso]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n\
         [sso-session s]\nsso_region = eu-central-1\nsso_start_url = https://x.awsapps.com/start\n",
    );
    let broken = home_with_config("[default\n");
    for (home, environment, arguments, expected) in [
        (&bare, &[][..], &[][..], "(from the environment, else profile default): no credentials were found\n"),
        (&bare, &[("AWS_ACCESS_KEY_ID", "nobody")], &[], "no credentials were found\n"),
        (
            &bare,
            &[],
            &["--profile", "mine"],
            "cannot ask AWS whose credentials these are (profile mine): no credentials",
        ),
        (&others, &[], &["--profile", "mine"], "profile `mine` was not defined"),
        (&others, &KEYS[1..], &["--profile", "mine"], "profile `mine` was not defined"),
        (&others, &[("AWS_PROFILE", "mine")], &[], "no credentials were found: profile `mine` was not defined"),
        (&others, &[], &["--profile", "other"], "(profile other): no credentials were found"),
        (&broken, &[], &[], "could not parse profile file"),
    ] {
        let environment = [&[ACCOUNT], environment].concat();
        let said = failed(&deploy(home.path(), &environment, &[&["destroy", "--dry-run"], arguments].concat()), 1);
        assert!(said.contains(expected) && said.contains(next), "{environment:?} {arguments:?}: {said}");
        assert!(said.lines().count() <= 3, "{said}");
    }
    let said = failed(&deploy(others.path(), &[ACCOUNT], &["destroy", "--profile", "sso"]), 1);
    assert!(said.contains("SSO token") && said.contains("next: log in again (`aws sso login`"), "{said}");
}

#[test]
fn a_server_that_is_not_there_is_named_with_what_to_check() {
    let lake = Lake::new(42, 50);
    let by_variable = [&KEYS[..], &[("AWS_ENDPOINT_URL", NOWHERE)]].concat();
    for (environment, arguments) in [
        (&KEYS[..], &["plan", "--detailed-exitcode", "--endpoint-url", NOWHERE][..]),
        (&by_variable, &["destroy", "--yes"]),
    ] {
        let said = failed(&deploy(lake.dir(), environment, arguments), 1);
        assert!(said.contains(&format!("cannot ask {NOWHERE} whose credentials these are")), "{said}");
        assert!(said.contains("next: check the network, a proxy, the region's name and --endpoint-url"), "{said}");
    }
}

#[test]
fn keys_in_the_project_are_refused_before_anything_else() {
    let home = tempdir().unwrap();
    fs::write(home.path().join(".env"), "AWS_ACCOUNT_ID=123456789012\nAWS_SECRET_ACCESS_KEY=s3cret\n").unwrap();
    for command in COMMANDS {
        let said = failed(&deploy(home.path(), &KEYS, command), 2);
        assert!(said.contains(".env holds an access key (AWS_SECRET_ACCESS_KEY)"), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
    fs::write(home.path().join(".env"), "AWS_ACCOUNT_ID=123456789012\n# fine\ns3cret\n").unwrap();
    let said = failed(&deploy(home.path(), &[], &["policy"]), 2);
    assert!(said.contains(".env: line 3 can't be read") && !said.contains("s3cret"), "{said}");
}

#[test]
fn the_settings_come_from_flags_then_the_environment_then_the_file() {
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
    let flags = ["--account-id", "111111111111", "--region", "us-west-1"];
    assert!(policy(&environment, &flags).contains("glue:us-west-1:111111111111:"));
}

#[test]
fn the_policy_is_complete_for_each_part_of_aws() {
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
                    assert_eq!(tag, "bmw-aftersales", "what has no name before it is made is known by its tag");
                    continue;
                }
                let parts: Vec<&str> = resource.splitn(6, ':').collect();
                assert_eq!(parts[..2], ["arn", partition], "{resource}");
                let is_ours =
                    if parts[2] == "s3" { parts[5].contains(ACCOUNT.1) } else { parts[3..5] == [region, ACCOUNT.1] };
                assert!(is_ours, "{resource}");
            }
        }
        actions.insert(statements.iter().flat_map(|statement| texts(&statement["Action"])).collect::<Vec<_>>());
    }
    assert_eq!(actions.len(), 1, "the same everywhere");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let home = tempdir().unwrap();
    let mut child =
        command(home.path(), &[ACCOUNT], &["policy"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}
