use std::{
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};

/// PostgreSQL server of this process; it ends with the process.
pub struct Server {
    port: u16,
    databases: AtomicU32,
    /// Pipe whose closing stops the server, however this process ends.
    _lifeline: ChildStdin,
}

/// Variable that makes a missing server a failure.
const REQUIRED: &str = "MOTIF_REQUIRE_POSTGRES";
const STARTS_WITHIN: Duration = Duration::from_secs(60);

impl Server {
    /// Returns the server, started once; prints a notice and returns `None` if PostgreSQL is not
    /// installed.
    pub fn get() -> Option<&'static Self> {
        static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
        match SERVER.get_or_init(Self::start) {
            Ok(server) => Some(server),
            Err(reason) if std::env::var_os(REQUIRED).is_some() => {
                panic!("{REQUIRED} is set, and there is no PostgreSQL: {reason}")
            }
            Err(reason) => {
                println!("skipped, because there is no PostgreSQL: {reason}");
                None
            }
        }
    }

    /// Creates a database and returns its URL. Its password is a canary that must never be shown.
    pub async fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("motif_{}_{number}", std::process::id());
        let url = |name: &str| {
            let port = self.port;
            format!("postgres://motif:canary-password@127.0.0.1:{port}/{name}?sslmode=disable")
        };
        let mut connection = connect(&url("postgres")).await;
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        url(&name)
    }

    fn start() -> Result<Self, String> {
        let programs = programs().ok_or("`initdb` and `postgres` were not found")?;
        let folder = tempfile::Builder::new().prefix("motif-postgres").tempdir();
        let folder = folder.map_err(|error| error.to_string())?.keep();
        let user = User::find();
        user.own(&folder)?;
        let data = folder.join("data");
        let mut init = user.command(&programs.join("initdb"));
        init.arg("-D").arg(&data);
        init.args(["-U", "motif", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]);
        let made = init.current_dir(&folder).output().map_err(|error| error.to_string())?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into_owned());
        }
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut server = user.command(&programs.join("postgres"));
        server.arg("-D").arg(&data);
        server.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        server.args(["-c", &format!("port={port}"), "-c", "max_connections=300"]);
        // It syncs to disk like a production server; only checkpoints are not spread.
        server.args(["-c", "shared_buffers=64MB", "-c", "synchronous_commit=off"]);
        let mut child = outlived(&server, &folder).map_err(|error| error.to_string())?;
        let lifeline = child.stdin.take().unwrap();
        let deadline = Instant::now() + STARTS_WITHIN;
        while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if Instant::now() > deadline || child.try_wait().unwrap().is_some() {
                return Err(std::fs::read_to_string(folder.join("log")).unwrap_or_default());
            }
            sleep(Duration::from_millis(50));
        }
        Ok(Self { port, databases: AtomicU32::new(0), _lifeline: lifeline })
    }
}

/// A server listens shortly before it accepts sessions.
async fn connect(url: &str) -> PgConnection {
    let deadline = Instant::now() + STARTS_WITHIN;
    loop {
        match PgConnection::connect(url).await {
            Ok(connection) => return connection,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Runs a server until its pipe closes, and removes its files.
fn outlived(server: &Command, folder: &Path) -> std::io::Result<Child> {
    let script = "folder=$1; shift; \"$@\" >\"$folder/log\" 2>&1 </dev/null & server=$!; \
                  cat >/dev/null; kill -QUIT $server; wait $server; rm -rf \"$folder\"";
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg("sh").arg(folder);
    shell.arg(server.get_program()).args(server.get_args());
    shell.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.spawn()
}

/// Returns the folder of the server's programs: on the path, or in the distribution's folder.
fn programs() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&on_path).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let whole = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|it| folder.join(it).exists());
    // The programs find each other next to their real paths.
    let found = folders.into_iter().find(whole)?.join("postgres").canonicalize().ok()?;
    found.parent().map(Path::to_owned).filter(whole)
}

/// User to run the server as; PostgreSQL does not run as root.
enum User {
    Current,
    Unprivileged,
}

impl User {
    fn find() -> Self {
        // Root can write everywhere.
        let probe = std::fs::OpenOptions::new().append(true).open("/etc/passwd");
        match probe {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Self::Current,
            _ => Self::Unprivileged,
        }
    }

    fn command(&self, program: &Path) -> Command {
        match self {
            Self::Current => Command::new(program),
            Self::Unprivileged => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
                command
            }
        }
    }

    fn own(&self, folder: &Path) -> Result<(), String> {
        match self {
            Self::Current => Ok(()),
            Self::Unprivileged => std::os::unix::fs::chown(folder, Some(65534), Some(65534))
                .map_err(|error| error.to_string()),
        }
    }
}
