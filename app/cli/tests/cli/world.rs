//! Test environment: the binary, with a localnet and a gateway in processes of their own.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Path of the binary.
pub const MOTIF: &str = env!("CARGO_BIN_EXE_motif");

/// Folder for a test, and the processes that run in it.
pub struct World {
    folder: TempDir,
    pub rpc_url: String,
    pub gateway_url: String,
    /// Maximum size of a file of [`World::spawn_logged`], KiB. Its logs are dropped.
    pub max_file_kib: Option<u32>,
    /// Killed when dropped, the gateway first.
    processes: Vec<Child>,
}

impl World {
    /// Logs of [`World::spawn_logged`].
    pub const LOG: &str = "payer.log";

    /// Starts a localnet with extra arguments, funds keypairs for `people`, and starts the gateway of
    /// `gateway.json`, which must be one of them.
    pub fn new(localnet: &[&str], people: &[&str]) -> Self {
        let mut world = Self::empty();
        world.spawn(&[&["localnet"][..], localnet].concat());
        world.does(&[&["key", "new", "--airdrop"][..], people].concat());
        let store = ["--keypair", "gateway.json", "--store", "gateway.sqlite"];
        world.spawn(&[&["gateway", "serve"][..], &store].concat());
        world
    }

    /// Creates the folder, without processes.
    pub fn empty() -> Self {
        let (rpc, gateway) = free_ports();
        Self {
            folder: tempfile::tempdir().unwrap(),
            rpc_url: format!("http://127.0.0.1:{rpc}"),
            gateway_url: format!("http://127.0.0.1:{gateway}"),
            max_file_kib: None,
            processes: Vec::new(),
        }
    }

    /// Returns a command that runs in the folder and finds the network and the gateway.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path());
        command.env("MOTIF_RPC_URL", &self.rpc_url).env("MOTIF_GATEWAY_URL", &self.gateway_url);
        command
    }

    /// Starts a long-running command and returns its first line of output.
    pub fn spawn(&mut self, arguments: &[&str]) -> Value {
        self.started(self.command(MOTIF), arguments)
    }

    fn started(&mut self, mut command: Command, arguments: &[&str]) -> Value {
        let spawned = command.args(arguments).arg("--json").stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.processes.push(child);
        assert!(line.starts_with('{'), "{arguments:?}: {line}");
        serde_json::from_str(&line).unwrap()
    }

    /// Kills the process that was started last.
    pub fn stop_last(&mut self) {
        let mut process = self.processes.pop().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Kills the process that was started last; returns the logs of all of [`World::spawn_logged`].
    pub fn stop_logged(&mut self) -> String {
        self.stop_last();
        std::fs::read_to_string(self.path(Self::LOG)).unwrap()
    }

    /// Sends SIGKILL to the process that was started last, and leaves it to [`World::stop_logged`].
    pub fn kill_last(&self) {
        let process = self.processes.last().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-KILL", &process]).status().unwrap().success());
    }

    /// As [`World::spawn`], with all logs of Motif's crates kept for [`World::stop_logged`].
    pub fn spawn_logged(&mut self, arguments: &[&str]) -> Value {
        if let Some(kib) = self.max_file_kib {
            let mut command = self.command("bash");
            // Without the signal, a write fails as on a full disk.
            let limit = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
            command.args(["-c", &limit, MOTIF]).stderr(Stdio::null());
            return self.started(command, arguments);
        }
        let mut command = self.command(MOTIF);
        command.env(
            "RUST_LOG",
            "info,motif_payer_service=trace,motif_sdk=trace,reqwest=trace,hyper=debug",
        );
        let log = std::fs::File::options().create(true).append(true).open(self.path(Self::LOG));
        command.stderr(log.unwrap());
        self.started(command, arguments)
    }

    /// As [`World::spawn`], with files of at most this many KiB: a write beyond fails, as on a full disk.
    pub fn spawn_limited(&mut self, kib: u64, arguments: &[&str]) -> Value {
        let script = format!("trap '' XFSZ; ulimit -f {kib}; exec {MOTIF} \"$@\"");
        let mut command = self.command("bash");
        command.args(["-c", &script, "motif"]);
        self.started(command, arguments)
    }

    /// Runs a command and kills it after a while.
    pub fn cut_off(&self, arguments: &[&str], after: std::time::Duration) {
        let mut command = self.command(MOTIF);
        let mut child = command.args(arguments).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        assert!(child.try_wait().unwrap().is_none(), "{arguments:?} has finished already");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Runs a command; returns its exit code and the last line of its output.
    pub fn run(&self, arguments: &[&str]) -> (i32, Value) {
        let ran = self.command(MOTIF).args(arguments).arg("--json").output().unwrap();
        let stdout = String::from_utf8(ran.stdout).unwrap();
        let last = stdout.lines().last().unwrap_or_default();
        let answer = serde_json::from_str(last).unwrap_or_else(|_| json!({ "unreadable": stdout }));
        (ran.status.code().unwrap(), answer)
    }

    pub fn does(&self, arguments: &[&str]) -> Value {
        let (code, answer) = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {answer}");
        answer
    }

    /// Runs a command that must fail with this code.
    pub fn refuses(&self, arguments: &[&str], slug: &str) -> Value {
        self.fails(arguments, 1, slug)
    }

    /// Runs a command line that must be rejected as invalid usage.
    pub fn misuse(&self, arguments: &[&str]) -> Value {
        self.fails(arguments, 2, "usage")
    }

    fn fails(&self, arguments: &[&str], expected: i32, slug: &str) -> Value {
        let (code, answer) = self.run(arguments);
        let given = (code, answer["error"]["code"].as_str());
        assert_eq!(given, (expected, Some(slug)), "{arguments:?}: {answer}");
        answer
    }

    /// Runs one shell command; returns its text output.
    pub fn shell(&self, line: &str) -> String {
        let folder = Path::new(MOTIF).parent().unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let ran = self.command("bash").args(["-e", "-c", line]).env("PATH", path).output().unwrap();
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{line}\n{stderr}");
        String::from_utf8(ran.stdout).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for mut process in self.processes.drain(..).rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Returns a port with a free neighbor for the websocket, and another port. Searches start at
/// different ports for each world and process.
fn free_ports() -> (u16, u16) {
    static WORLDS: AtomicUsize = AtomicUsize::new(0);
    let start = std::process::id() as usize % 3_000 + 8 * WORLDS.fetch_add(1, Ordering::Relaxed);
    let listen = |port| TcpListener::bind(("127.0.0.1", port));
    let mut ports = (12_000..19_000).step_by(2).skip(start);
    let rpc = ports.find(|port| listen(*port).is_ok() && listen(port + 1).is_ok()).unwrap();
    (rpc, ports.find(|port| listen(*port).is_ok()).unwrap())
}
