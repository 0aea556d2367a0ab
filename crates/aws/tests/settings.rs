//! Settings: their sources, precedence and validation.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::fs;

use aws::settings::{AWS_ACCOUNT_ID, AWS_ENDPOINT_URL, AWS_PROFILE, AWS_REGION, Profile, QUICKSIGHT_USER};
use aws::{AwsArguments, Settings};
use cli_support::exit::UsageError;
use tempfile::tempdir;

const ACCOUNT: &str = "123456789012";
/// Well-formed access key id from the documentation of AWS.
const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Resolves the settings from options, an environment, and the bytes of `.env`.
fn resolve(
    options: &AwsArguments,
    environment: &[(&str, &str)],
    dotenv: Option<&[u8]>,
) -> Result<Settings, anyhow::Error> {
    let dir = tempdir().unwrap();
    let path = dir.path().join(".env");
    if let Some(text) = dotenv {
        fs::write(&path, text).unwrap();
    }
    let variable =
        |name: &str| environment.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
    Settings::resolve(options, variable, &path)
}

fn from_file(text: &str) -> Result<Settings, anyhow::Error> {
    resolve(&AwsArguments::default(), &[], Some(text.as_bytes()))
}

/// Returns the message of a usage error.
fn usage_error(result: Result<Settings, anyhow::Error>) -> String {
    let error = result.unwrap_err();
    assert!(error.is::<UsageError>(), "{error:?}");
    format!("{error:#}")
}

fn account() -> AwsArguments {
    AwsArguments { account_id: Some(ACCOUNT.to_owned()), ..AwsArguments::default() }
}

#[test]
fn options_override_the_environment_which_overrides_dotenv() {
    let options = AwsArguments {
        account_id: Some("111111111111".into()),
        region: Some("us-east-1".into()),
        profile: Some("flag".into()),
        endpoint_url: Some("http://flag".into()),
    };
    let environment = [
        (AWS_ACCOUNT_ID, "222222222222"),
        (AWS_REGION, "us-east-2"),
        (AWS_PROFILE, "environment"),
        (AWS_ENDPOINT_URL, "http://environment"),
    ];
    let file = "AWS_ACCOUNT_ID=333333333333\nAWS_REGION=us-west-1\nAWS_PROFILE=file\nAWS_ENDPOINT_URL=https://file\n";
    let settings = |account_id: &str, region: &str, profile: Profile, endpoint_url: Option<&str>| Settings {
        account_id: account_id.to_owned(),
        region: region.to_owned(),
        profile,
        endpoint_url: endpoint_url.map(str::to_owned),
        quicksight_user: None,
    };
    let environment_or = |name: &str| Profile::EnvironmentOr(name.to_owned());
    let of_options = settings("111111111111", "us-east-1", Profile::Only("flag".into()), Some("http://flag"));
    let of_environment =
        settings("222222222222", "us-east-2", environment_or("environment"), Some("http://environment"));
    let of_file = settings("333333333333", "us-west-1", environment_or("file"), Some("https://file"));
    let none = AwsArguments::default();
    let empty = [(AWS_ACCOUNT_ID, ""), (AWS_REGION, ""), (AWS_PROFILE, ""), (AWS_ENDPOINT_URL, "")];
    for (options, environment, file, expected) in [
        (&options, &environment[..], Some(file), &of_options),
        (&options, &[], None, &of_options),
        (&none, &environment, Some(file), &of_environment),
        (&none, &environment, None, &of_environment),
        (&none, &[], Some(file), &of_file),
        (&none, &empty, Some(file), &of_file),
        (&account(), &[], None, &settings(ACCOUNT, "eu-central-1", environment_or("default"), None)),
        (
            &account(),
            &empty,
            Some("AWS_REGION=\nAWS_PROFILE=''\n"),
            &settings(ACCOUNT, "eu-central-1", environment_or("default"), None),
        ),
    ] {
        assert_eq!(resolve(options, environment, file.map(str::as_bytes)).unwrap(), *expected);
    }
}

#[test]
fn settings_are_resolved_independently() {
    let options = AwsArguments { region: Some("eu-west-1".into()), ..AwsArguments::default() };
    let file = format!("AWS_ACCOUNT_ID={ACCOUNT}\nAWS_REGION=us-west-1\n");
    let environment = [(AWS_PROFILE, "mine"), (QUICKSIGHT_USER, "ada")];
    let settings = resolve(&options, &environment, Some(file.as_bytes())).unwrap();
    let expected = Settings {
        account_id: ACCOUNT.into(),
        region: "eu-west-1".into(),
        profile: Profile::EnvironmentOr("mine".to_owned()),
        endpoint_url: None,
        quicksight_user: Some("ada".to_owned()),
    };
    assert_eq!(settings, expected);
}

#[test]
fn missing_and_malformed_settings_are_usage_errors() {
    let none = AwsArguments::default();
    let missing = usage_error(resolve(&none, &[], None));
    for part in ["copy .env.example to .env", "AWS_ACCOUNT_ID", "--account-id", "aws sts get-caller-identity"] {
        assert!(missing.contains(part), "`{part}` is not in {missing}");
    }
    for (name, values, expected) in [
        (
            AWS_ACCOUNT_ID,
            &["12345678901", "1234567890123", "1234-5678-9012", "12345678901x", "１２３４", " 123456789012"][..],
            "expected 12 digits, as in 123456789012",
        ),
        (AWS_REGION, &["EU-CENTRAL-1", "eu central 1", "eu-central-1.evil.example/", "../eu"], "such as eu-central-1"),
        (
            AWS_ENDPOINT_URL,
            &["127.0.0.1:4566", "ftp://x", "http://", "https:///path", "http://a b", "file:///etc/passwd"],
            "such as http://127.0.0.1:4566",
        ),
    ] {
        for value in values {
            let mut environment = vec![(name, *value)];
            if name != AWS_ACCOUNT_ID {
                environment.push((AWS_ACCOUNT_ID, ACCOUNT));
            }
            let message = usage_error(resolve(&none, &environment, None));
            assert!(message.contains(&format!("`{value}` is not an ")), "{message}");
            assert!(message.contains(expected), "{message}");
        }
    }
    let empty = || Some(String::new());
    for options in [
        AwsArguments { account_id: empty(), ..account() },
        AwsArguments { region: empty(), ..account() },
        AwsArguments { profile: empty(), ..account() },
        AwsArguments { endpoint_url: empty(), ..account() },
    ] {
        usage_error(resolve(&options, &[], None));
    }
}

#[test]
fn access_key_in_dotenv_is_rejected_and_not_printed() {
    for (line, name) in [
        (format!("AWS_ACCESS_KEY_ID={KEY_ID}"), "AWS_ACCESS_KEY_ID"),
        (format!("AWS_SECRET_ACCESS_KEY={SECRET}"), "AWS_SECRET_ACCESS_KEY"),
        (format!("export AWS_SESSION_TOKEN='{SECRET}'"), "AWS_SESSION_TOKEN"),
        (format!("aws_secret_access_key = {SECRET}"), "aws_secret_access_key"),
        (format!("BACKUP={KEY_ID}"), "BACKUP"),
        (format!("AWS_PROFILE=\"{KEY_ID}:{SECRET}\""), "AWS_PROFILE"),
        (format!("URL=https://x/?key={}&x=1", KEY_ID.replace("AKIA", "ASIA")), "URL"),
    ] {
        // The key is reported even if later lines are malformed.
        for rest in ["AWS_REGION=eu-central-1", "malformed"] {
            let file = format!("AWS_ACCOUNT_ID={ACCOUNT}\n{line}\n{rest}\n");
            let message = usage_error(resolve(&account(), &[], Some(file.as_bytes())));
            assert!(message.contains(&format!(".env contains an access key ({name})")), "{message}");
            assert!(message.contains("aws configure --profile NAME"), "{message}");
            for secret in [&KEY_ID[4..], SECRET] {
                assert!(!message.contains(secret), "{message}");
            }
        }
    }
    for harmless in ["AWS_ACCESS_KEY_ID=", "NAME=AKIA", "NAME=AKIAIOSFODNN7EXAMPLES", "NAME=akiaiosfodnn7example"] {
        resolve(&account(), &[], Some(harmless.as_bytes())).unwrap();
    }
    resolve(&account(), &[("AWS_SECRET_ACCESS_KEY", SECRET)], None).unwrap();
}

#[test]
fn malformed_line_is_reported_by_number_and_not_printed() {
    for (file, line) in [
        ("s3cret\n", 1),
        ("# comment\n\nAWS_REGION=eu-west-1\nAWS_REGION=eu-west-2\r\ns3cret words\nAWS_PROFILE=x", 5),
        ("AWS_PROFILE=two s3cret words", 1),
        ("AWS_PROFILE=fine\nNAME='s3cret\nand no end\n", 2),
        ("A='two\nlines'\n\n=s3cret\n", 4),
        ("A=1\nB=\\q s3cret\nC=3\n", 2),
        ("A=1\nA=s3cret s3cret\nA=s3cret s3cret\n", 2),
    ] {
        let message = usage_error(from_file(file));
        assert!(
            message.contains(&format!(".env: line {line} can't be parsed: expected NAME=value")),
            "{file}: {message}"
        );
        assert!(!message.contains("s3cret"), "{message}");
    }
}

#[test]
fn unreadable_file_is_an_error_and_missing_file_is_not() {
    let error = resolve(&account(), &[], Some(b"AWS_REGION=\xFF\n")).unwrap_err();
    assert!(!error.is::<UsageError>());
    assert!(error.to_string().contains("cannot read ") && error.to_string().contains(".env"), "{error}");
    let dir = tempdir().unwrap();
    let error = Settings::resolve(&account(), |_| None, dir.path()).unwrap_err();
    assert!(error.to_string().contains("cannot read "), "{error}");
    Settings::resolve(&account(), |_| None, &dir.path().join("none")).unwrap();
}

#[test]
fn quotes_comments_and_spaces_are_parsed_as_in_dotenv_files() {
    for (file, expected) in [
        ("AWS_PROFILE=mine", "mine"),
        ("  AWS_PROFILE = mine  ", "mine"),
        ("export AWS_PROFILE=mine", "mine"),
        ("AWS_PROFILE=mine # my own", "mine"),
        ("AWS_PROFILE=mine#1", "mine#1"),
        ("AWS_PROFILE=\"my own\"", "my own"),
        ("AWS_PROFILE='my # own'", "my # own"),
        ("AWS_PROFILE='it costs $5'", "it costs $5"),
        ("NAME=mine\nAWS_PROFILE=${NAME}-2", "mine-2"),
        ("\u{feff}AWS_PROFILE=mine\r\n", "mine"),
        ("#AWS_PROFILE=other\nAWS_PROFILE=mine\n", "mine"),
        ("AWS_PROFILE=other\nAWS_PROFILE=mine\n", "mine"),
        ("", "default"),
    ] {
        let settings = resolve(&account(), &[], Some(file.as_bytes())).unwrap();
        assert_eq!(settings.profile, Profile::EnvironmentOr(expected.to_owned()), "{file}");
    }
}

#[test]
fn example_file_resolves() {
    let example = include_str!("../../../.env.example");
    let settings = from_file(example).unwrap();
    let profile = Profile::EnvironmentOr("default".to_owned());
    let expected = Settings {
        account_id: ACCOUNT.into(),
        region: "eu-central-1".into(),
        profile,
        endpoint_url: None,
        quicksight_user: None,
    };
    assert_eq!(settings, expected);
}
