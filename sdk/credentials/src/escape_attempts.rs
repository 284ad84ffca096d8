//! Self-test of the decoding worker's sandbox: what a compromised worker would try.

use std::{
    fs::{File, OpenOptions, read_dir, remove_file},
    io,
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::net::UnixStream,
    path::Path,
    process::Command,
    thread,
};

use serde_json::{Value, json};

use crate::sandbox::confine;

/// Confines this process as a decoding worker, and tries to leave the sandbox. Returns an object with
/// the error of each attempt, `null` if it succeeded.
///
/// # Errors
/// [`io::Error`] if the process cannot be confined.
pub fn attempt_escapes(file: &Path) -> io::Result<Value> {
    confine()?;
    Ok(try_all(file))
}

/// Tries everything in this process as it is. `file` is readable, and a Unix socket listens beside it
/// under the extension `sock`.
fn try_all(file: &Path) -> Value {
    let created = file.with_extension("created");
    let folder = file.parent().unwrap_or(Path::new("/"));
    json!({
        "read_file": error_of(|| File::open(file)),
        "create_file": error_of(|| OpenOptions::new().write(true).create_new(true).open(&created)),
        "list_folder": error_of(|| read_dir(folder)),
        "remove_file": error_of(|| remove_file(&created)),
        "listen": error_of(|| TcpListener::bind("127.0.0.1:0")),
        "connect": error_of(|| {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            TcpStream::connect(listener.local_addr()?)
        }),
        "udp": error_of(|| UdpSocket::bind("127.0.0.1:0")),
        "unix_socket": error_of(|| UnixStream::connect(file.with_extension("sock"))),
        "run_program": error_of(|| Command::new("/bin/true").status()),
        "start_thread": error_of(|| thread::Builder::new().spawn(|| ())),
    })
}

fn error_of<T>(attempt: impl FnOnce() -> io::Result<T>) -> Option<String> {
    attempt().err().map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn unconfined_process_passes_every_attempt() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.json");
        std::fs::write(&file, "a secret").unwrap();
        let _listener = UnixListener::bind(file.with_extension("sock")).unwrap();
        let attempts = try_all(&file);
        let attempts = attempts.as_object().unwrap();
        assert!(attempts.values().all(Value::is_null), "{attempts:?}");
    }
}
