//! A fake HTTP server for tests, which answers a fixed sequence of requests.

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

/// An expected request and its response: method and path below the account; a status, or 0 for a closed connection; a body, or
/// the name of an error.
pub(crate) type Step = (&'static str, u16, &'static str);

/// A request.
pub(crate) struct Request {
    pub(crate) path: String,
    /// All headers in lower case.
    pub(crate) head: String,
    pub(crate) body: Value,
}

pub(crate) struct FakeServer {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    /// Thread that ends after the last response.
    played: Option<thread::JoinHandle<()>>,
}

impl FakeServer {
    pub(crate) fn new(script: &[Step]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (script, seen) = (script.to_vec(), Arc::clone(&requests));
        let played = thread::Builder::new().spawn(move || {
            for (expected, status, answer) in script {
                let (mut stream, _) = listener.accept().unwrap();
                let (line, request) = read(&stream);
                let (method, path) = expected.split_once(' ').unwrap();
                assert_eq!(line, format!("{method} /accounts/{ACCOUNT}{path} HTTP/1.1"));
                seen.lock().unwrap().push(request);
                if status > 0 {
                    answer_with(&mut stream, status, answer);
                }
            }
        });
        Self { url, requests, played: Some(played.unwrap()) }
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

    /// Takes the requests received so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        if let Some(played) = self.played.take()
            && !thread::panicking()
        {
            played.join().unwrap();
        }
    }
}

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

fn answer_with(stream: &mut TcpStream, status: u16, answer: &str) {
    let is_name = !answer.contains(['{', '<']);
    let (error, body) = if is_name {
        (format!("x-amzn-errortype: {answer}:http://internal/\r\n"), format!(r#"{{"Message": "{answer} it is"}}"#))
    } else {
        (String::new(), answer.to_owned())
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} It\r\n{error}content-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all((head + &body).as_bytes()).unwrap();
}
