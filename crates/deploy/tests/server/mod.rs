//! S3 server in this process for tests of the binary: s3s over a temporary directory, behind a layer that records all
//! requests, injects faults ([`faults`]) and emulates operations that s3s-fs doesn't support ([`service`]).

pub(crate) mod faults;
mod faulty_stream;
mod multipart;
mod service;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use faults::{Fault, Rule};
use faulty_stream::{FaultyStream, WriteLimit};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use publish::Checksum;
use s3s::Body;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::{TempDir, tempdir};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use service::{EmulatedState, error_response, xml_response};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const RAW: &str = "bmw-aftersales-raw-123456789012";
pub(crate) const CURATED: &str = "bmw-aftersales-curated-123456789012";
pub(crate) const RESULTS: &str = "bmw-aftersales-athena-results-123456789012";
const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Maximum size in bytes of the body of a request.
const MAX_BODY_BYTES: usize = 64 << 20;

/// Server and its files.
pub(crate) struct Server {
    state: Arc<State>,
    address: SocketAddr,
    files: TempDir,
    _runtime: Runtime,
}

/// Recorded request.
#[derive(Clone, Debug)]
pub(crate) struct RecordedRequest {
    pub(crate) method: String,
    /// Bucket and key, decoded, with a slash before each.
    pub(crate) path: String,
    /// Query, decoded.
    pub(crate) query: String,
    /// Value of `x-amz-expected-bucket-owner`.
    pub(crate) owner: Option<String>,
    /// Value of `x-amz-checksum-crc64nvme`.
    pub(crate) crc64nvme: Option<String>,
    /// Body of a POST request, if it is text.
    pub(crate) body: String,
    /// Logical time of receipt. The clock counts received requests and changes of their records.
    pub(crate) received: usize,
    /// Logical time of the response, if there was one.
    pub(crate) answered: Option<usize>,
}

impl RecordedRequest {
    /// Returns true if the request changes the state of S3.
    pub(crate) fn is_mutation(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD") && self.path != "/"
    }

    pub(crate) fn bucket(&self) -> &str {
        self.path[1..].split('/').next().unwrap()
    }

    /// Returns the key; empty for a request about a bucket.
    pub(crate) fn key(&self) -> &str {
        self.path[1..].split_once('/').map_or("", |(_, key)| key)
    }
}

struct State {
    /// Directory of the buckets.
    root: PathBuf,
    s3: S3Service,
    /// Owner of credentials and buckets.
    account: String,
    region: String,
    rules: Mutex<Vec<Rule>>,
    /// Logical clock, and recorded requests.
    requests: Mutex<(usize, Vec<RecordedRequest>)>,
    emulated: Mutex<EmulatedState>,
    /// Id of the client process.
    client: AtomicU32,
    /// Number of killed clients; pending requests of a killed client are dropped.
    n_killed: AtomicUsize,
}

impl Server {
    /// Starts a server with the three buckets, which are empty.
    pub(crate) fn start() -> Self {
        let server = Self::without_buckets(ACCOUNT, REGION);
        for bucket in [RAW, CURATED, RESULTS] {
            fs::create_dir(server.files.path().join(bucket)).unwrap();
        }
        server
    }

    /// Starts a server without buckets.
    pub(crate) fn without_buckets(account: &str, region: &str) -> Self {
        let files = tempdir().unwrap();
        let mut s3 = S3ServiceBuilder::new(FileSystem::new(files.path()).unwrap());
        // With this, s3s verifies every signature.
        s3.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let state = Arc::new(State {
            root: files.path().to_owned(),
            s3: s3.build(),
            account: account.to_owned(),
            region: region.to_owned(),
            rules: Mutex::default(),
            requests: Mutex::default(),
            emulated: Mutex::default(),
            client: AtomicU32::new(0),
            n_killed: AtomicUsize::new(0),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&state);
        runtime.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(Arc::clone(&shared), stream));
            }
        });
        Self { state, address, files, _runtime: runtime }
    }

    /// Starts another server with the same objects.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::without_buckets(&self.state.account, &self.state.region);
        copy_files(self.files.path(), copy.files.path());
        copy
    }

    /// Injects a fault into the requests that the rule matches.
    pub(crate) fn inject_fault(&self, rule: Rule) {
        self.state.rules.lock().unwrap().push(rule);
    }

    /// Removes all faults.
    pub(crate) fn clear_faults(&self) {
        self.state.rules.lock().unwrap().clear();
    }

    /// Removes the recorded requests and returns them.
    pub(crate) fn take_requests(&self) -> Vec<RecordedRequest> {
        std::mem::take(&mut self.state.requests.lock().unwrap().1)
    }

    /// Returns the objects in a bucket, by key.
    pub(crate) fn objects(&self, bucket: &str) -> BTreeMap<String, Vec<u8>> {
        let mut objects = BTreeMap::new();
        read_files(&self.files.path().join(bucket), "", &mut objects);
        objects
    }

    /// Writes an object, bypassing the API.
    pub(crate) fn put(&self, bucket: &str, key: &str, content: &[u8]) {
        let path = self.files.path().join(bucket).join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        let mut checksum = Checksum::default();
        checksum.update(content);
        self.state.emulated.lock().unwrap().checksums.insert(format!("/{bucket}/{key}"), Some(checksum.to_base64()));
    }

    /// Deletes an object, bypassing the API.
    pub(crate) fn delete(&self, bucket: &str, key: &str) {
        fs::remove_file(self.files.path().join(bucket).join(key)).unwrap();
    }

    /// Removes the checksum of an object. S3 has none of objects from before it stored checksums.
    pub(crate) fn remove_checksum(&self, bucket: &str, key: &str) {
        self.state.emulated.lock().unwrap().checksums.insert(format!("/{bucket}/{key}"), None);
    }

    /// Returns the number of incomplete multipart uploads.
    pub(crate) fn n_incomplete_uploads(&self) -> usize {
        self.state.emulated.lock().unwrap().uploads.n_incomplete()
    }

    /// Returns the URL of the server.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Runs `deploy` in a directory against this server, isolated from the environment of the test. Returns the exit code,
    /// and standard output followed by standard error. Fails if they contain the secret access key.
    pub(crate) fn deploy(&self, dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
        let child = Command::new(env!("CARGO_BIN_EXE_deploy"))
            .args(arguments)
            .args(["--endpoint-url", &self.url()])
            .current_dir(dir)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", dir)
            .env("AWS_ACCOUNT_ID", ACCOUNT)
            .env("AWS_ACCESS_KEY_ID", KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        self.state.client.store(child.id(), Ordering::SeqCst);
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!text.contains(SECRET), "the secret access key was printed");
        (output.status.code(), text)
    }
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_files(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Reads all files of a directory, by their relative paths.
pub(crate) fn read_files(dir: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            read_files(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

async fn serve(state: Arc<State>, stream: TcpStream) {
    let (stream, write_limit) = FaultyStream::new(stream);
    let service = hyper::service::service_fn(move |request| {
        let (state, write_limit) = (Arc::clone(&state), write_limit.clone());
        async move { state.handle(request, &write_limit).await }
    });
    // A broken connection is not an error: some faults break it.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

impl State {
    /// Records a request, injects a fault if a rule applies, and executes the request.
    async fn handle(&self, request: Request<Incoming>, write_limit: &WriteLimit) -> io::Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let (path, query) = (decoded(head.uri.path()), decoded(head.uri.query().unwrap_or_default()));
        let line = format!("{} {path}?{query}", head.method);
        let header = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let received = self.record(RecordedRequest {
            method: head.method.to_string(),
            owner: header("x-amz-expected-bucket-owner"),
            crc64nvme: header("x-amz-checksum-crc64nvme"),
            body: String::new(),
            received: 0,
            answered: None,
            path,
            query,
        });
        let fault = self.rules.lock().unwrap().iter_mut().find_map(|rule| rule.fault_of(&line));
        let reset = || {
            write_limit.set(0);
            io::Error::from(io::ErrorKind::ConnectionReset)
        };
        if let Some(Fault::Reset) = fault {
            return Err(reset());
        }
        let mut body = Body::from(body).store_all_limited(MAX_BODY_BYTES).await.map_err(io::Error::other)?;
        if let Ok(text) = std::str::from_utf8(&body)
            && head.method == "POST"
        {
            self.update_record(received, |request, _| text.clone_into(&mut request.body));
        }
        let n_killed = self.n_killed.load(Ordering::SeqCst);
        match fault {
            Some(Fault::Error(status, code, message)) => {
                return Ok(error_response(&head, status, code, message, &self.region));
            }
            Some(Fault::Response(text)) => return Ok(xml_response(200, text.to_owned())),
            Some(Fault::KillBefore) => self.kill_client(),
            Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
            Some(Fault::Corrupt) => {
                let mut corrupted = body.to_vec();
                corrupted[0] ^= 1;
                body = corrupted.into();
            }
            _ => {}
        }
        if self.n_killed.load(Ordering::SeqCst) > n_killed {
            return Err(reset());
        }
        let response = self.execute(head, body).await;
        match fault {
            Some(Fault::KillAfter) => self.kill_client(),
            Some(Fault::Truncate(0)) => return Err(reset()),
            Some(Fault::Truncate(n_bytes)) => write_limit.set(n_bytes),
            _ => self.update_record(received, |request, now| request.answered = Some(now)),
        }
        Ok(response)
    }

    /// Records a request. Returns the time of receipt, which identifies the record.
    fn record(&self, request: RecordedRequest) -> usize {
        let (clock, requests) = &mut *self.requests.lock().unwrap();
        *clock += 1;
        requests.push(RecordedRequest { received: *clock, ..request });
        *clock
    }

    /// Changes the record of a request, unless it was already removed. `change` gets the record and the current time.
    fn update_record(&self, received: usize, change: impl FnOnce(&mut RecordedRequest, usize)) {
        let (clock, requests) = &mut *self.requests.lock().unwrap();
        *clock += 1;
        if let Some(request) = requests.iter_mut().find(|request| request.received == received) {
            change(request, *clock);
        }
    }

    /// Kills the client process.
    fn kill_client(&self) {
        self.n_killed.fetch_add(1, Ordering::SeqCst);
        let id = self.client.load(Ordering::SeqCst).to_string();
        assert!(Command::new("kill").args(["-KILL", &id]).status().unwrap().success());
    }
}

/// Decodes percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let hex = |byte: u8| (byte as char).to_digit(16).unwrap() as u8;
        decoded.push(if byte == b'%' { hex(bytes.next().unwrap()) << 4 | hex(bytes.next().unwrap()) } else { byte });
    }
    String::from_utf8(decoded).unwrap()
}
