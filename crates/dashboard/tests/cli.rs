//! The binary: output files, the server, error messages and exit codes.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and makes the files it needs")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::tempdir;
use test_support::lake::Lake;

const BINARY: &str = env!("CARGO_BIN_EXE_dashboard");

fn dashboard(home: &Path, arguments: &[&str]) -> Output {
    Command::new(BINARY).current_dir(home).args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn page_is_written_atomically_and_replaced() {
    let lake = Lake::new(42, 500);
    let home = tempdir().unwrap();
    let curated = lake.curated();
    let arguments = ["--data", curated.to_str().unwrap(), "--output", "pages/one.html"];
    let output = dashboard(home.path(), &arguments);
    assert!(stderr(&output).starts_with("dashboard: 10 visuals of 500 tickets, "), "{}", stderr(&output));
    assert!(stderr(&output).ends_with(" -> pages/one.html\n"));
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b""[..]));
    let page = home.path().join("pages/one.html");
    assert!(fs::read_to_string(&page).unwrap().starts_with("<!doctype html>"));

    fs::write(&page, "an earlier page").unwrap();
    let quiet = dashboard(home.path(), &[&arguments[..], &["--quiet"]].concat());
    assert_eq!(stderr(&quiet), "");
    assert!(fs::read_to_string(&page).unwrap().ends_with("</html>\n"));
    let mut names: Vec<_> =
        fs::read_dir(home.path().join("pages")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".one.html.lock", "one.html"]);
}

#[test]
fn failures_have_a_message_and_keep_the_old_page() {
    let lake = Lake::new(42, 50);
    let curated = lake.curated();
    let data = curated.to_str().unwrap();
    let home = tempdir().unwrap();
    fs::write(home.path().join("page.html"), "an earlier page").unwrap();
    for (arguments, code, message) in [
        (&["--data", "nowhere", "--output", "page.html"][..], 1, "no tickets in nowhere"),
        (&["--data", data, "--output", "."], 1, ". is a directory; the output must be a file"),
        (&["--data", data, "--output", "page.html/x.html"], 1, "cannot create page.html"),
        (&["--data", data, "--as-of", "yesterday"], 2, "is not a time"),
        (&["--output", "page.html", "serve"], 2, "`serve` and `quicksight` write no page"),
        (&["--output", "page.html", "quicksight"], 2, "`serve` and `quicksight` write no page"),
        (&["serve", "--data", data, "--port", "70000"], 2, "70000"),
    ] {
        let output = dashboard(home.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(message), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(fs::read_to_string(home.path().join("page.html")).unwrap(), "an earlier page");
}

#[test]
fn help() {
    let home = tempdir().unwrap();
    let help = |arguments: &[&str]| String::from_utf8(dashboard(home.path(), arguments).stdout).unwrap();
    insta::assert_snapshot!(help(&["--help"]) + "\n" + &help(&["serve", "--help"]));
}

/// A server process that is killed at the end of the test.
struct ServerProcess {
    process: Child,
    address: String,
}

impl ServerProcess {
    fn start(data: &Path, more: &[&str]) -> Self {
        let mut process = Command::new(BINARY)
            .args(["serve", "--port", "0", "--data"])
            .arg(data)
            .args(more)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        Self { process, address }
    }

    fn send(&self, request: &str) -> String {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        // The server may close before it has read all of a request that is too long.
        let _ = connection.read_to_string(&mut response);
        response
    }

    fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address))
    }

    fn version(&self) -> String {
        self.get("/version").split("\r\n\r\n").nth(1).unwrap().to_owned()
    }

    fn wait_for_version_after(&self, version: &str) {
        let waiting = Instant::now();
        while self.version() == version {
            assert!(waiting.elapsed() < Duration::from_mins(1));
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn server_accepts_only_local_hosts_and_known_resources() {
    let lake = Lake::new(42, 50);
    let served = ServerProcess::start(&lake.curated(), &[]);
    assert!(served.address.starts_with("127.0.0.1:"));
    let page = served.get("/");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("</html>\n"));
    assert!(page.contains("Cache-Control: no-store") && page.contains("<html lang=\"en\" data-live>"));
    let port = served.address.split(':').nth(1).unwrap();
    let long = "x".repeat(9000);
    for (request, status) in [
        (format!("HEAD / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), "200"),
        (format!("GET /version?x HTTP/1.1\r\nhost:127.0.0.1:{port}\r\n\r\n"), "200"),
        (format!("GET /../Cargo.toml HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), "404"),
        (format!("POST / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), "405"),
        (format!("GET / HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n"), "421"),
        (format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\nHost: evil.example\r\n\r\n"), "421"),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "421"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
        (format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\nX: {long}\r\n\r\n"), ""),
    ] {
        let response = served.send(&request);
        assert!(response.strip_prefix("HTTP/1.1 ").unwrap_or_default().starts_with(status), "{request}: {response}");
        assert!(!status.is_empty() || response.is_empty(), "{response}");
    }
    assert_eq!(
        served.send(&format!("HEAD / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n")).split("\r\n\r\n").nth(1),
        Some("")
    );
}

#[test]
fn server_rebuilds_the_page_for_new_data() {
    let lake = Lake::new(42, 50);
    let served = ServerProcess::start(&lake.curated(), &[]);
    let before = served.version();
    let other = Lake::new(43, 70);
    fs::rename(lake.curated(), lake.raw().join("old")).unwrap();
    fs::rename(other.curated(), lake.curated()).unwrap();
    served.wait_for_version_after(&before);
    assert!(served.get("/").contains("data-live"));
}

#[test]
fn server_detects_changed_files_without_a_manifest() {
    let (lake, other) = (Lake::new(42, 50), Lake::new(43, 70));
    fs::remove_file(lake.curated().join("_manifest.json")).unwrap();
    let served = ServerProcess::start(&lake.curated(), &["--as-of", "2026-11-22"]);
    let (before, page) = (served.version(), served.get("/"));
    let file = "tickets/market=DE/part-0.parquet";
    fs::rename(other.curated().join(file), lake.curated().join(file)).unwrap();
    served.wait_for_version_after(&before);
    assert!(served.get("/") != page);
}
