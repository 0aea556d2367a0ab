//! Fake HTTP server for tests, which responds to a fixed sequence of requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use serde_json::Value;

use crate::session::Session;

/// Secret access key of the sessions.
pub(crate) const SECRET: &str = "the-secret-of-the-test";
const ACCOUNT: &str = "123456789012";

/// Expected request and its response: method and path below the account; HTTP status, or 0 to close the connection; JSON
/// body, or error code.
pub(crate) type Exchange = (&'static str, u16, &'static str);

/// Recorded request.
pub(crate) struct Request {
    /// Path and query.
    pub(crate) path: String,
    /// All headers in lower case.
    pub(crate) head: String,
    /// JSON body; null if there is none.
    pub(crate) body: Value,
}

/// Server with a script of exchanges. Dropping it fails the test unless all of them took place.
pub(crate) struct FakeServer {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    /// Server thread, which ends after the last response.
    thread: Option<thread::JoinHandle<()>>,
}

impl FakeServer {
    /// Starts a server that expects exactly these requests, in this order.
    pub(crate) fn new(script: &[Exchange]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (script, recorded) = (script.to_vec(), Arc::clone(&requests));
        let thread = thread::Builder::new().spawn(move || {
            for (expected, status, response) in script {
                let (mut stream, _) = listener.accept().unwrap();
                let (line, request) = read(&stream);
                let (method, path) = expected.split_once(' ').unwrap();
                assert_eq!(line, format!("{method} /accounts/{ACCOUNT}{path} HTTP/1.1"));
                recorded.lock().unwrap().push(request);
                if status > 0 {
                    respond(&mut stream, status, response);
                }
            }
        });
        Self { url, requests, thread: Some(thread.unwrap()) }
    }

    /// Opens a session with this server as its endpoint.
    pub(crate) fn session(&self) -> Session {
        Session::for_test(ACCOUNT, |loader| {
            let credentials = Credentials::new("key", SECRET, None, None, "test");
            loader
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("eu-central-1"))
                .credentials_provider(credentials)
                .endpoint_url(&self.url)
        })
    }

    /// Removes the recorded requests and returns them.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take()
            && !thread::panicking()
        {
            thread.join().unwrap();
        }
    }
}

/// Reads a request; returns its request line, too.
fn read(stream: &TcpStream) -> (String, Request) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let line = line.trim_end().to_owned();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && head != "\r\n" {
        reader.read_line(&mut head).unwrap();
    }
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let path = line.split(' ').nth(1).unwrap().to_owned();
    (line, Request { path, head, body: serde_json::from_slice(&body).unwrap_or_default() })
}

fn respond(stream: &mut TcpStream, status: u16, response: &str) {
    let is_error_code = !response.contains(['{', '<']);
    let (error, body) = if is_error_code {
        let message = format!(r#"{{"Message": "message of {response}"}}"#);
        (format!("x-amzn-errortype: {response}:http://internal/\r\n"), message)
    } else {
        (String::new(), response.to_owned())
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Status\r\n{error}content-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all((head + &body).as_bytes()).unwrap();
}
