//! S3 in this process, for the real binary to talk to: s3s over a temporary directory, in a layer of our own that
//! keeps a record of every request, spoils what a test wants spoilt ([`faults`]), and adds what s3s-fs lacks
//! ([`service`]).

pub(crate) mod faults;
mod multipart;
mod service;
mod wire;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use faults::{Fault, Rule};
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
use wire::{Allowance, Wire};

use service::{Gaps, refusal, xml};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const RAW: &str = "bmw-aftersales-raw-123456789012";
pub(crate) const CURATED: &str = "bmw-aftersales-curated-123456789012";
pub(crate) const RESULTS: &str = "bmw-aftersales-athena-results-123456789012";
const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// The largest body that a test sends.
const MAX_BODY_BYTES: usize = 64 << 20;

/// A server, with the files that it keeps.
pub(crate) struct Server {
    state: Arc<State>,
    address: SocketAddr,
    files: TempDir,
    _runtime: Runtime,
}

/// A request, as it was recorded.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Bucket and key, decoded, with a slash before each.
    pub(crate) path: String,
    pub(crate) query: String,
    /// `x-amz-expected-bucket-owner`.
    pub(crate) owner: Option<String>,
    /// `x-amz-checksum-crc64nvme`.
    pub(crate) crc64nvme: Option<String>,
    /// Body, if it is text.
    pub(crate) body: String,
    /// When it came, on a clock that counts arrivals and answers.
    pub(crate) came: usize,
    /// When it was answered, if it was.
    pub(crate) answered: Option<usize>,
}

impl Seen {
    /// Returns true if the request changes state.
    pub(crate) fn is_change(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD") && self.path != "/"
    }

    pub(crate) fn bucket(&self) -> &str {
        self.path[1..].split('/').next().unwrap()
    }

    /// The key in its bucket.
    pub(crate) fn key(&self) -> &str {
        self.path[1..].split_once('/').map_or("", |(_, key)| key)
    }
}

struct State {
    root: PathBuf,
    s3: S3Service,
    /// Whose credentials and buckets these are.
    account: String,
    /// Directory of the buckets.
    region: String,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<(usize, Vec<Seen>)>,
    gaps: Mutex<Gaps>,
    /// The process that a fault may kill.
    client: AtomicU32,
    /// Number of killed clients; pending requests of a killed client are dropped.
    n_killed: AtomicUsize,
}

impl Server {
    /// The three buckets are there, and empty.
    pub(crate) fn start() -> Self {
        let server = Self::without_buckets(ACCOUNT, REGION);
        for bucket in [RAW, CURATED, RESULTS] {
            fs::create_dir(server.files.path().join(bucket)).unwrap();
        }
        server
    }

    /// Nothing is there.
    pub(crate) fn without_buckets(account: &str, region: &str) -> Self {
        let files = tempdir().unwrap();
        let mut s3 = S3ServiceBuilder::new(FileSystem::new(files.path()).unwrap());
        // From here on, every signature is checked.
        s3.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let state = Arc::new(State {
            root: files.path().to_owned(),
            s3: s3.build(),
            account: account.to_owned(),
            region: region.to_owned(),
            rules: Mutex::default(),
            seen: Mutex::default(),
            gaps: Mutex::default(),
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

    /// Another server with the same objects.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::without_buckets(&self.state.account, &self.state.region);
        copy_files(self.files.path(), copy.files.path());
        copy
    }

    /// Makes something go wrong.
    pub(crate) fn inject(&self, rule: Rule) {
        self.state.rules.lock().unwrap().push(rule);
    }

    /// Nothing goes wrong any more.
    pub(crate) fn recover(&self) {
        self.state.rules.lock().unwrap().clear();
    }

    /// The requests since the last call.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state.seen.lock().unwrap().1)
    }

    /// The objects in a bucket, by key.
    pub(crate) fn objects(&self, bucket: &str) -> BTreeMap<String, Vec<u8>> {
        let mut objects = BTreeMap::new();
        read_files(&self.files.path().join(bucket), "", &mut objects);
        objects
    }

    /// Puts an object there, as somebody else would.
    pub(crate) fn put(&self, bucket: &str, key: &str, content: &[u8]) {
        let path = self.files.path().join(bucket).join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        let mut checksum = Checksum::default();
        checksum.update(content);
        self.state.gaps.lock().unwrap().checksums.insert(format!("/{bucket}/{key}"), Some(checksum.to_base64()));
    }

    /// Takes an object away.
    pub(crate) fn delete(&self, bucket: &str, key: &str) {
        fs::remove_file(self.files.path().join(bucket).join(key)).unwrap();
    }

    /// S3 has no checksum of this object, as of one that was put years ago.
    pub(crate) fn forget_checksum(&self, bucket: &str, key: &str) {
        self.state.gaps.lock().unwrap().checksums.insert(format!("/{bucket}/{key}"), None);
    }

    /// Returns the number of incomplete multipart uploads.
    pub(crate) fn n_unfinished(&self) -> usize {
        self.state.gaps.lock().unwrap().uploads.n_unfinished()
    }

    /// The server's URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Runs `deploy` in a directory against this server; its exit code, and what it said. Nothing of our own
    /// environment gets in, and no secret gets out.
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
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!said.contains(SECRET), "a secret was shown");
        (output.status.code(), said)
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

/// Reads a directory's files, by their paths below it.
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
    let (wire, allowance) = Wire::new(stream);
    let service = hyper::service::service_fn(move |request| {
        let (state, allowance) = (Arc::clone(&state), allowance.clone());
        async move { state.answer(request, &allowance).await }
    });
    // A connection that breaks is what some tests want.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(wire), service).await;
}

impl State {
    /// Keeps a record of a request and carries it out, unless something is to go wrong.
    async fn answer(&self, request: Request<Incoming>, allowance: &Allowance) -> io::Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let (path, query) = (decoded(head.uri.path()), decoded(head.uri.query().unwrap_or_default()));
        let line = format!("{} {path}?{query}", head.method);
        let header = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let came = self.record(Seen {
            method: head.method.to_string(),
            owner: header("x-amz-expected-bucket-owner"),
            crc64nvme: header("x-amz-checksum-crc64nvme"),
            body: String::new(),
            came: 0,
            answered: None,
            path,
            query,
        });
        let fault = self.rules.lock().unwrap().iter_mut().find_map(|rule| rule.befalls(&line));
        let broken = || {
            allowance.limit(0);
            io::Error::from(io::ErrorKind::ConnectionReset)
        };
        if let Some(Fault::Reset) = fault {
            return Err(broken());
        }
        let mut body = Body::from(body).store_all_limited(MAX_BODY_BYTES).await.map_err(io::Error::other)?;
        if let Ok(text) = std::str::from_utf8(&body)
            && head.method == "POST"
        {
            self.amend(came, |seen, _| text.clone_into(&mut seen.body));
        }
        let n_killed = self.n_killed.load(Ordering::SeqCst);
        match fault {
            Some(Fault::Refused(status, code, message)) => {
                return Ok(refusal(&head, status, code, message, &self.region));
            }
            Some(Fault::Answered(text)) => return Ok(xml(200, text.to_owned())),
            Some(Fault::KilledBefore) => self.kill(),
            Some(Fault::Slow(pause)) => tokio::time::sleep(pause).await,
            Some(Fault::Damaged) => {
                let mut damaged = body.to_vec();
                damaged[0] ^= 1;
                body = damaged.into();
            }
            _ => {}
        }
        if self.n_killed.load(Ordering::SeqCst) > n_killed {
            return Err(broken());
        }
        let response = self.carry_out(head, body).await;
        match fault {
            Some(Fault::KilledAfter) => self.kill(),
            Some(Fault::Cut(0)) => return Err(broken()),
            Some(Fault::Cut(n_bytes)) => allowance.limit(n_bytes),
            _ => self.amend(came, |seen, now| seen.answered = Some(now)),
        }
        Ok(response)
    }

    fn record(&self, seen: Seen) -> usize {
        let (clock, all) = &mut *self.seen.lock().unwrap();
        *clock += 1;
        all.push(Seen { came: *clock, ..seen });
        *clock
    }

    /// Adds to a request's record, if nobody has taken it yet.
    fn amend(&self, came: usize, change: impl FnOnce(&mut Seen, usize)) {
        let (clock, all) = &mut *self.seen.lock().unwrap();
        *clock += 1;
        if let Some(seen) = all.iter_mut().find(|seen| seen.came == came) {
            change(seen, *clock);
        }
    }

    fn kill(&self) {
        self.n_killed.fetch_add(1, Ordering::SeqCst);
        let id = self.client.load(Ordering::SeqCst).to_string();
        assert!(Command::new("kill").args(["-KILL", &id]).status().unwrap().success());
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let hex = |byte: u8| (byte as char).to_digit(16).unwrap() as u8;
        decoded.push(if byte == b'%' { hex(bytes.next().unwrap()) << 4 | hex(bytes.next().unwrap()) } else { byte });
    }
    String::from_utf8(decoded).unwrap()
}
