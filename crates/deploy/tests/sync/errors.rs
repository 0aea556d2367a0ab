//! Messages after failed requests: each names the operation, the reason given by AWS, and a next step.

use std::thread;

use super::{CURATED, RAW, deploy, deploy_ok};
use crate::server::faults::{Fault, Rule};
use crate::server::{ACCOUNT, REGION, RecordedRequest, Server};
use test_support::lake::Lake;

const EXPIRED: &str = "The provided token has expired.";
const DENIED: Fault = Fault::Error(403, "AccessDenied", "Access Denied");

type Case = (&'static str, Rule);

fn cases() -> Vec<Case> {
    let error = Fault::Error;
    let sts = |fault| Rule::new("POST", " /?", fault);
    vec![
        (
            "expired, reported by STS",
            sts(error(403, "ExpiredToken", "The security token included in the request is expired")),
        ),
        ("expired, reported by S3", Rule::new("PUT", "market=DE", error(400, "ExpiredToken", EXPIRED))),
        (
            "expired, in the response to a HEAD, which has no body",
            Rule::new("HEAD", CURATED, error(400, "ExpiredToken", EXPIRED)),
        ),
        (
            "wrong secret",
            sts(error(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature.",
            )),
        ),
        (
            "unknown key",
            Rule::new(
                "GET",
                "list-type=2",
                error(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
            ),
        ),
        (
            "wrong clock",
            Rule::new("GET", "list-type=2", error(403, "RequestTimeTooSkewed", "The difference is too large.")),
        ),
        ("bucket of another account", Rule::new("HEAD", RAW, DENIED)),
        ("no permission to read settings", Rule::new("GET", "encryption", DENIED)),
        ("no permission to write", Rule::new("PUT", "market=DE", DENIED)),
        (
            "no permission to delete",
            Rule::new(
                "POST",
                "delete",
                Fault::Response(
                    "<DeleteResult><Error><Key>_manifest.pending.json</Key><Code>AccessDenied</Code>\
                     <Message>Access Denied</Message></Error></DeleteResult>",
                ),
            ),
        ),
        (
            "rejected pending manifest",
            Rule::new("PUT", "pending", error(412, "PreconditionFailed", "A condition failed.")),
        ),
    ]
}

/// Returns the message from `error:` on, without the address of the server.
fn error_message(server: &Server, output: &str) -> String {
    let (_, error) = output.split_once("error: ").unwrap();
    format!("error: {}", error.replace(&server.url(), "URL"))
}

/// Name of the case, server, arguments, environment variables.
type Setup<'a> = (&'a str, Server, &'a [&'a str], &'a [(&'a str, &'a str)]);

#[test]
fn each_error_has_a_message_with_a_next_step() {
    let lake = Lake::new(1, 6);
    let mut messages: Vec<(&str, String)> = thread::scope(|scope| {
        let run = |(name, rule): Case| {
            let lake = &lake;
            scope.spawn(move || {
                let server = Server::start();
                server.inject_fault(rule);
                let (code, output) = deploy(&server, lake);
                assert_eq!(code, Some(1), "{name}: {output}");
                (name, error_message(&server, &output))
            })
        };
        let threads: Vec<_> = cases().into_iter().map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    messages.extend(setup_errors(&lake));
    let texts: Vec<String> = messages.into_iter().map(|(name, message)| format!("{name}\n{message}")).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

/// Returns the messages of errors that depend on the setup rather than on a request. None of the runs changes anything.
fn setup_errors(lake: &Lake) -> Vec<(&'static str, String)> {
    let existing = Server::start();
    let other_region = || {
        let server = Server::without_buckets(ACCOUNT, "us-east-1");
        for bucket in ["raw", "curated", "athena-results"] {
            server.put(&format!("bmw-aftersales-{bucket}-{ACCOUNT}"), "key", b"unmanaged");
        }
        server
    };
    let redirecting = other_region();
    redirecting.inject_fault(Rule::new(
        "HEAD",
        "",
        Fault::Error(301, "PermanentRedirect", "Use the specified endpoint."),
    ));
    let cases: [Setup; 7] = [
        ("another account", Server::without_buckets("999999999999", REGION), &[], &[]),
        ("another region, reported by a redirect", redirecting, &[], &[]),
        ("another region, reported by a header", other_region(), &[], &[]),
        ("no buckets", Server::without_buckets(ACCOUNT, REGION), &[], &[]),
        ("unknown key, reported by STS", existing.copy(), &[], &[("AWS_ACCESS_KEY_ID", "AKIAI44QH8DHBEXAMPLE")]),
        ("no credentials", existing.copy(), &[], &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")]),
        ("unknown profile", existing, &["--profile", "nobody"], &[]),
    ];
    let mut messages = Vec::new();
    for (name, server, arguments, variables) in cases {
        let (code, output) = server.deploy(lake.dir(), &[&["--only", "data"], arguments].concat(), variables);
        assert_eq!(code, Some(1), "{name}: {output}");
        assert!(!server.take_requests().iter().any(RecordedRequest::is_mutation), "{name}");
        messages.push((name, error_message(&server, &output)));
    }
    messages
}

#[test]
fn throttled_athena_requests_are_retried() {
    let (server, lake) = (Server::start(), Lake::new(1, 6));
    deploy_ok(&server, &lake);
    server.take_requests();
    server.inject_fault(
        Rule::new("POST", " /?", Fault::Error(400, "ThrottlingException", "Rate exceeded")).after(1).times(2),
    );
    let denied = Fault::Error(400, "AccessDeniedException", "You are not authorized to perform: athena:GetWorkGroup");
    server.inject_fault(Rule::new("POST", " /?", denied).after(1));
    let (code, output) = server.deploy(lake.dir(), &["--only", "catalog"], &[]);
    assert_eq!(code, Some(1), "{output}");
    assert!(
        output.contains("athena:GetWorkGroup (AccessDeniedException)\n  next: attach a policy that allows this"),
        "{output}"
    );
    assert_eq!(server.take_requests().iter().filter(|request| request.path == "/").count(), 4);
}
