//! Process of the AWS emulator: S3, Glue, Athena and QuickSight. Its Python packages have pinned versions and are installed
//! below `target/` on first use. TESTING.md lists its gaps.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

/// Account of all tests.
pub(crate) const ACCOUNT: &str = "123456789012";

/// Running emulator, killed on drop.
pub(crate) struct Emulator {
    process: Child,
    port: u16,
    /// Started by the first call.
    caller: Mutex<Option<Caller>>,
}

/// Process that makes API calls outside `deploy`. One for all calls of a test, because importing boto3 takes half a second.
struct Caller {
    process: Child,
    calls: ChildStdin,
    responses: BufReader<ChildStdout>,
}

/// Access key.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Keys {
    /// Returns those of the root user, which allow everything.
    pub(crate) fn root() -> Self {
        Self { id: ACCOUNT.to_owned(), secret: "not-checked-for-root".to_owned() }
    }
}

impl Emulator {
    /// Starts an emulator that allows everything.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts an emulator that enforces signatures and IAM policies.
    pub(crate) fn start_with_auth() -> Self {
        Self::start_with(&["--auth"])
    }

    fn start_with(arguments: &[&str]) -> Self {
        // Retries, because another test may bind the free port first.
        let emulator = (0..5).find_map(|_| Self::try_start(arguments));
        emulator.unwrap_or_else(|| panic!("the emulator didn't start; see its messages above"))
    }

    fn try_start(arguments: &[&str]) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new(python())
            .arg(script("serve.py"))
            .args(["--port", &port.to_string()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let emulator = Self { process, port, caller: Mutex::default() };
        (line == "ready\n").then_some(emulator)
    }

    /// Returns the URL of the emulator.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Calls an operation outside `deploy`; `operation` is the name of the method in boto3.
    pub(crate) fn call(&self, service: &str, operation: &str, parameters: &Value) -> Value {
        self.call_as(ACCOUNT, service, operation, parameters)
    }

    /// Calls an operation from another account.
    pub(crate) fn call_as(&self, account: &str, service: &str, operation: &str, parameters: &Value) -> Value {
        let call = json!({ "account": account, "service": service, "operation": operation, "parameters": parameters });
        let mut caller = self.caller.lock().unwrap();
        caller.get_or_insert_with(|| Caller::start(&self.url())).call(&call)
    }

    /// Creates an IAM user with a policy, replacing an existing user of that name. Returns its access key.
    pub(crate) fn create_user(&self, name: &str, policy: &Value) -> Keys {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), policy.to_string()).unwrap();
        let keys = self.run("create_user.py", &["--account", ACCOUNT, name], &[file.path().to_str().unwrap()]);
        let text = |name: &str| keys[name].as_str().unwrap().to_owned();
        Keys { id: text("access_key_id"), secret: text("secret_access_key") }
    }

    /// Runs a script of the emulator. Returns its output, parsed as JSON.
    fn run(&self, name: &str, options: &[&str], arguments: &[&str]) -> Value {
        let output = Command::new(python())
            .arg(script(name))
            .args(["--endpoint", &self.url()])
            .args(options)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{name} {options:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a tool in `dir` with `keys`, isolated from the configuration of this machine.
    pub(crate) fn run_tool(&self, binary: &Path, dir: &Path, keys: &Keys, arguments: &[&str]) -> Output {
        Command::new(binary)
            .args(arguments)
            .current_dir(dir)
            .env_clear()
            .env("HOME", dir)
            .env("AWS_ACCESS_KEY_ID", &keys.id)
            .env("AWS_SECRET_ACCESS_KEY", &keys.secret)
            .env("AWS_ACCOUNT_ID", ACCOUNT)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", self.url())
            .output()
            .unwrap()
    }
}

impl Caller {
    fn start(url: &str) -> Self {
        let mut process = Command::new(python())
            .arg(script("call.py"))
            .args(["--endpoint", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (calls, responses) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, calls, responses: BufReader::new(responses) }
    }

    fn call(&mut self, call: &Value) -> Value {
        writeln!(self.calls, "{call}").unwrap();
        let mut response = String::new();
        self.responses.read_line(&mut response).unwrap();
        serde_json::from_str(&response).unwrap_or_else(|_| panic!("call.py failed, see above: {call}"))
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-support/python/emulator").join(name)
}

/// Returns a Python interpreter with the required packages. They are installed under a file lock, because test binaries run
/// concurrently.
fn python() -> PathBuf {
    let requirements = script("requirements.txt");
    let required = fs::read_to_string(&requirements).unwrap();
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("emulator");
    fs::create_dir_all(&environment).unwrap();
    let lock = File::create(environment.join("lock")).unwrap();
    lock.lock().unwrap();
    let python = environment.join("bin/python");
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).ok().as_ref() != Some(&required) {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        run(Command::new(&python).args(pip).arg(&requirements));
        fs::write(&installed, required).unwrap();
    }
    python
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| {
        panic!(
            "these tests need Python 3.11 or newer with venv and pip for the AWS emulator ({error}); install it, for \
             example with `apt install python3 python3-venv`"
        )
    });
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cannot install the emulator's Python packages: {command:?}\n{stderr}");
}
