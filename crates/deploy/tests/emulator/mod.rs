//! Starts what stands in for AWS: S3, Glue, Athena and QuickSight in a process of its own, from a pinned list of Python
//! packages that is installed on first use below `target/`. What it cannot show is in TESTING.md.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// The account that everything happens in.
pub(crate) const ACCOUNT: &str = "123456789012";

/// A running emulator; it ends with the value.
pub(crate) struct Emulator {
    process: Child,
    port: u16,
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Keys {
    /// The account's own, which are allowed everything.
    pub(crate) fn root() -> Self {
        Self { id: ACCOUNT.to_owned(), secret: "not-checked-for-root".to_owned() }
    }
}

impl Emulator {
    /// Starts one in which everybody may do everything.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one that checks signatures and IAM policies.
    pub(crate) fn start_with_auth() -> Self {
        Self::start_with(&["--auth"])
    }

    fn start_with(arguments: &[&str]) -> Self {
        // Between choosing a free port and using it, another test may take it.
        let started = (0..5).find_map(|_| Self::try_start(arguments));
        started.unwrap_or_else(|| panic!("the emulator didn't start; what it says stands above"))
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
        let emulator = Self { process, port };
        (line == "ready\n").then_some(emulator)
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a call of another hand; `operation` is named as boto3 does.
    pub(crate) fn call(&self, service: &str, operation: &str, parameters: &Value) -> Value {
        self.call_as(ACCOUNT, service, operation, parameters)
    }

    /// The same from another account.
    pub(crate) fn call_as(&self, account: &str, service: &str, operation: &str, parameters: &Value) -> Value {
        let arguments = ["--account", account, service, operation];
        self.run("call.py", &arguments, &[parameters.to_string().as_str()])
    }

    /// Makes an IAM user that may do what a policy allows.
    pub(crate) fn user(&self, name: &str, policy: &Value) -> Keys {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), policy.to_string()).unwrap();
        let keys = self.run("create_user.py", &["--account", ACCOUNT, name], &[file.path().to_str().unwrap()]);
        let text = |name: &str| keys[name].as_str().unwrap().to_owned();
        Keys { id: text("access_key_id"), secret: text("secret_access_key") }
    }

    fn run(&self, name: &str, arguments: &[&str], more: &[&str]) -> Value {
        let output = Command::new(python())
            .arg(script(name))
            .args(["--endpoint", &self.url()])
            .args(arguments)
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a tool of ours in `dir`, with `keys` and nothing else of this machine's configuration.
    pub(crate) fn tool(&self, binary: &Path, dir: &Path, keys: &Keys, arguments: &[&str]) -> Output {
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

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-support/python/emulator").join(name)
}

/// The Python that has the packages. Test binaries run side by side; the first one installs, the others wait.
fn python() -> PathBuf {
    let requirements = script("requirements.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("emulator");
    fs::create_dir_all(&environment).unwrap();
    let lock = File::create(environment.join("lock")).unwrap();
    lock.lock().unwrap();
    let python = environment.join("bin/python");
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).ok().as_ref() != Some(&wanted) {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        run(Command::new(&python).args(pip).arg(&requirements));
        fs::write(&installed, wanted).unwrap();
    }
    python
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| {
        panic!(
            "these tests need Python 3.11 or newer with venv and pip, for what stands in for AWS ({error}); install it, for \
             example with `apt install python3 python3-venv`"
        )
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "installing the emulator's Python packages has failed: {command:?}\n{said}");
}
