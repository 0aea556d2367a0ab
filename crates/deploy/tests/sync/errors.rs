//! Messages after failed requests: each names the operation, the reason given by AWS, and a next step.

use std::thread;

use super::{CURATED, RAW, deploy, must};
use crate::lake::Lake;
use crate::server::faults::{Fault, Rule};
use crate::server::{ACCOUNT, REGION, Seen, Server};

const EXPIRED: &str = "The provided token has expired.";
const DENIED: Fault = Fault::Refused(403, "AccessDenied", "Access Denied");

type Case = (&'static str, Rule);

fn cases() -> Vec<Case> {
    let refused = Fault::Refused;
    let sts = |fault| Rule::new("POST", " /?", fault);
    vec![
        (
            "expired, seen by STS",
            sts(refused(403, "ExpiredToken", "The security token included in the request is expired")),
        ),
        ("expired, seen by S3", Rule::new("PUT", "market=DE", refused(400, "ExpiredToken", EXPIRED))),
        ("expired, at a HEAD, which has no body", Rule::new("HEAD", CURATED, refused(400, "ExpiredToken", EXPIRED))),
        (
            "wrong secret",
            sts(refused(
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
                refused(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
            ),
        ),
        (
            "wrong clock",
            Rule::new("GET", "list-type=2", refused(403, "RequestTimeTooSkewed", "The difference is too large.")),
        ),
        ("somebody else's bucket", Rule::new("HEAD", RAW, DENIED)),
        ("settings not to be read", Rule::new("GET", "encryption", DENIED)),
        ("not to be written", Rule::new("PUT", "market=DE", DENIED)),
        (
            "not to be deleted",
            Rule::new(
                "POST",
                "delete",
                Fault::Answered(
                    "<DeleteResult><Error><Key>_manifest.pending.json</Key><Code>AccessDenied</Code>\
                     <Message>Access Denied</Message></Error></DeleteResult>",
                ),
            ),
        ),
        (
            "not ours to announce",
            Rule::new("PUT", "pending", refused(412, "PreconditionFailed", "A condition failed.")),
        ),
    ]
}

/// Returns the message from `error:` on, without the address of the server.
fn error(server: &Server, said: &str) -> String {
    let (_, error) = said.split_once("error: ").unwrap();
    format!("error: {}", error.replace(&server.url(), "URL"))
}

type Elsewhere<'a> = (&'a str, Server, &'a [&'a str], &'a [(&'a str, &'a str)]);

#[test]
fn each_refusal_has_its_message() {
    let lake = Lake::new(1, 6);
    let mut messages: Vec<(&str, String)> = thread::scope(|scope| {
        let one = |(name, rule): Case| {
            let lake = &lake;
            scope.spawn(move || {
                let server = Server::start();
                server.inject(rule);
                let (code, said) = deploy(&server, lake);
                assert_eq!(code, Some(1), "{name}: {said}");
                (name, error(&server, &said))
            })
        };
        let all: Vec<_> = cases().into_iter().map(one).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    messages.extend(setups(&lake));
    let shown: Vec<String> = messages.into_iter().map(|(name, said)| format!("{name}\n{said}")).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

/// Returns the messages of failures that depend on the set-up rather than on a request. None of them changes anything.
fn setups(lake: &Lake) -> Vec<(&'static str, String)> {
    let there = Server::start();
    let elsewhere = || {
        let server = Server::without_buckets(ACCOUNT, "us-east-1");
        for bucket in ["raw", "curated", "athena-results"] {
            server.put(&format!("bmw-aftersales-{bucket}-{ACCOUNT}"), "key", b"mine");
        }
        server
    };
    let moved = elsewhere();
    moved.inject(Rule::new("HEAD", "", Fault::Refused(301, "PermanentRedirect", "Use the specified endpoint.")));
    let cases: [Elsewhere; 7] = [
        ("another account", Server::without_buckets("999999999999", REGION), &[], &[]),
        ("another region, as a redirect", moved, &[], &[]),
        ("another region, by the way", elsewhere(), &[], &[]),
        ("no buckets", Server::without_buckets(ACCOUNT, REGION), &[], &[]),
        ("unknown key, seen by STS", there.copy(), &[], &[("AWS_ACCESS_KEY_ID", "AKIAI44QH8DHBEXAMPLE")]),
        ("no credentials", there.copy(), &[], &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")]),
        ("a profile that isn't there", there, &["--profile", "nobody"], &[]),
    ];
    let mut messages = Vec::new();
    for (name, server, arguments, variables) in cases {
        let (code, said) = server.deploy(lake.dir(), &[&["--only", "data"], arguments].concat(), variables);
        assert_eq!(code, Some(1), "{name}: {said}");
        assert!(!server.seen().iter().any(Seen::is_change), "{name}");
        messages.push((name, error(&server, &said)));
    }
    messages
}

#[test]
fn athena_is_asked_again_when_it_has_too_much_to_do() {
    let (server, lake) = (Server::start(), Lake::new(1, 6));
    must(&server, &lake);
    server.seen();
    server.inject(
        Rule::new("POST", " /?", Fault::Refused(400, "ThrottlingException", "Rate exceeded")).after(1).times(2),
    );
    let denied = Fault::Refused(400, "AccessDeniedException", "You are not authorized to perform: athena:GetWorkGroup");
    server.inject(Rule::new("POST", " /?", denied).after(1));
    let (code, said) = server.deploy(lake.dir(), &["--only", "catalog"], &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("athena:GetWorkGroup (AccessDeniedException)\n  next: give the user or role a policy"),
        "{said}"
    );
    assert_eq!(server.seen().iter().filter(|seen| seen.path == "/").count(), 4);
}
