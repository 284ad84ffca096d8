//! Messages to a service manager, in systemd's protocol (`man sd_notify`).

use std::{
    ffi::OsStr,
    os::unix::{
        ffi::OsStrExt,
        net::{SocketAddr, UnixDatagram},
    },
    time::Duration,
};

use tokio::time::timeout;

/// Service manager that started this process. It gets nothing unless it has asked for messages.
pub struct Supervisor {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// Maximum pause between two checks of a process.
    const PAUSE: Duration = Duration::from_secs(1);

    /// Reads the service manager's variables: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    pub fn from_environment() -> Self {
        let variable = |name: &str| std::env::var_os(name);
        let watchdog = watchdog(
            variable("WATCHDOG_USEC").as_deref(),
            variable("WATCHDOG_PID").as_deref(),
            std::process::id(),
        );
        Self { socket: variable("NOTIFY_SOCKET").and_then(|name| open(&name)), watchdog }
    }

    /// Reports that the process serves.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// Reports that the process works. The service manager kills it without such a report.
    pub fn alive(&self) {
        if self.watchdog.is_some() {
            self.send("WATCHDOG=1");
        }
    }

    /// Reports work until a future of a working process ends: the process restarts its gateway.
    pub async fn report_while<T>(&self, future: impl Future<Output = T>) -> T {
        tokio::pin!(future);
        loop {
            match timeout(self.pause(), &mut future).await {
                Ok(output) => return output,
                Err(_) => self.alive(),
            }
        }
    }

    /// Reports that the process is shutting down.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Reports why the process ends.
    pub fn failed(&self, reason: &str) {
        // A line ends the variable.
        self.send(&format!("STATUS={}", reason.replace('\n', " ")));
    }

    /// Returns the pause between two reports of work: a third of what the service manager allows.
    pub fn pause(&self) -> Duration {
        self.watchdog.map_or(Self::PAUSE, |watchdog| Self::PAUSE.min(watchdog / 3))
    }

    fn send(&self, message: &str) {
        if let Some((socket, to)) = &self.socket {
            // A service manager that is gone needs no messages.
            let _ = socket.send_to_addr(message.as_bytes(), to);
        }
    }
}

/// Opens a socket to the service manager's: a path, or a name in the abstract namespace after `@`.
fn open(name: &OsStr) -> Option<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => abstract_address(name),
        None => SocketAddr::from_pathname(name),
    };
    Some((UnixDatagram::unbound().ok()?, address.ok()?))
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> std::io::Result<SocketAddr> {
    <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_: &[u8]) -> std::io::Result<SocketAddr> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Returns the time within which the process `own` must report, or `None` if it need not.
fn watchdog(microseconds: Option<&OsStr>, process: Option<&OsStr>, own: u32) -> Option<Duration> {
    let number = |text: &OsStr| text.to_str()?.parse::<u64>().ok();
    let is_other = process.is_some_and(|process| number(process) != Some(u64::from(own)));
    let microseconds = number(microseconds?).filter(|time| *time > 0 && !is_other)?;
    Some(Duration::from_micros(microseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watchdog_is_for_named_process() {
        let of = |time: &str, process: Option<&str>| {
            watchdog(Some(OsStr::new(time)), process.map(OsStr::new), 7)
        };
        assert_eq!(of("3000000", None), Some(Duration::from_secs(3)));
        assert_eq!(of("3000000", Some("7")), Some(Duration::from_secs(3)));
        assert_eq!(of("3000000", Some("8")), None);
        assert_eq!(of("0", None), None);
        assert_eq!(of("x", None), None);
        assert_eq!(watchdog(None, None, 7), None);
    }

    #[test]
    fn messages_reach_both_kinds_of_sockets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("motif-test-{}", std::process::id());
        let by_path = UnixDatagram::bind(&path).unwrap();
        let address = abstract_address(name.as_bytes()).unwrap();
        let by_name = UnixDatagram::bind_addr(&address).unwrap();
        let abstract_name = format!("@{name}");
        for (receiver, given) in [(by_path, path.as_os_str()), (by_name, abstract_name.as_ref())] {
            let supervisor =
                Supervisor { socket: open(given), watchdog: Some(Duration::from_secs(30)) };
            supervisor.ready();
            supervisor.alive();
            supervisor.failed("a\nb");
            for expected in ["READY=1", "WATCHDOG=1", "STATUS=a b"] {
                let mut message = [0; 64];
                let length = receiver.recv(&mut message).unwrap();
                assert_eq!(&message[..length], expected.as_bytes());
            }
            assert_eq!(supervisor.pause(), Duration::from_secs(1));
        }
    }
}
