//! Sandboxed decoding in a process of its own.

use std::{
    ffi::OsString,
    io::{Read, Write},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::timeout,
};

use motif_fingerprint::{MAX_CONTENT_BYTES, Media, Perceived, perceive};
use motif_interface::licensing::Fingerprint;
use motif_wire::{Credentials, Digest};

use super::{digests, read, sandbox::confine};

/// Wall-clock limit, longer than the CPU limit because the machine may be busy.
pub(super) const WALL: Duration = Duration::from_secs(40);
const MAX_ANSWER_BYTES: u64 = 64 * 1_024;

/// Decoder of content.
#[derive(Clone, Debug, Default)]
pub enum DecodingWorker {
    /// A thread of this process, for trusted content only: the decoders' own limits are the only
    /// ones.
    #[default]
    Here,
    /// A new process for each content, which calls [`serve_decoding`].
    Process {
        /// Path of the program.
        program: PathBuf,
        /// Arguments of the program.
        arguments: Vec<OsString>,
    },
}

/// Result of [`DecodingWorker::examine`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Media type and fingerprint.
    pub perceived: Result<Perceived, WorkerError>,
    /// Content credentials; `None` if the content carries none or they could not be read.
    pub credentials: Option<Credentials>,
}

/// Errors of a decoding worker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// Error returned when the content is corrupt or exceeds a decoder's limit.
    #[error("{0}")]
    Refused(String),
    /// Error returned when the worker exceeds its limits.
    #[error("decoding exceeded the memory or time limit")]
    TooCostly,
    /// Error returned when the worker cannot be started or its output cannot be parsed.
    #[error("the decoding worker failed: {0}")]
    Failed(String),
}

/// First line of a worker's output, JSON. If the content carries credentials, two lines follow:
/// [`Carried`] and the credentials. A manifest that crashes its reader therefore hides neither its
/// existence nor the fingerprint.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Perceived { media_type: String, fingerprint: Bits, probes: Vec<Bits> },
    Refused(String),
}

/// Second line of a worker's output: credentials exist and will be read next.
#[derive(Serialize, Deserialize)]
struct Carried {
    bare_digest: Digest,
}

#[derive(Serialize, Deserialize)]
struct Bits {
    scheme: u16,
    bits: String,
}

impl DecodingWorker {
    /// Returns the media type and fingerprint of content.
    ///
    /// # Errors
    /// [`WorkerError`].
    pub async fn perceive(&self, content: Vec<u8>) -> Result<Perceived, WorkerError> {
        self.examine(content).await.perceived
    }

    /// Returns the media type, fingerprint and content credentials of content.
    /// [`DecodingWorker::Here`] trusts no anchor.
    pub async fn examine(&self, content: Vec<u8>) -> Examined {
        match self {
            Self::Here => {
                let examining = tokio::task::spawn_blocking(move || Examined {
                    perceived: perceive(&content)
                        .map_err(|error| WorkerError::Refused(error.to_string())),
                    credentials: (content.len() <= MAX_CONTENT_BYTES)
                        .then(|| read(&content, None))
                        .flatten(),
                });
                examining.await.unwrap_or(Examined::failed(WorkerError::TooCostly))
            }
            Self::Process { program, arguments } => {
                let mut command = Command::new(program);
                command.args(arguments).env_clear();
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
                command.kill_on_drop(true);
                match timeout(WALL, ask(command, content)).await {
                    Ok(Ok(examined)) => examined,
                    Ok(Err(error)) => Examined::failed(error),
                    // Dropping the child kills it.
                    Err(_) => Examined::failed(WorkerError::TooCostly),
                }
            }
        }
    }
}

async fn ask(mut command: Command, content: Vec<u8>) -> Result<Examined, WorkerError> {
    let failed = |error: std::io::Error| WorkerError::Failed(error.to_string());
    let mut child = command.spawn().map_err(failed)?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
        return Err(WorkerError::Failed("it has no pipes".to_owned()));
    };
    let give = async move {
        // A dead worker reads nothing; its exit status is checked below.
        let _ = stdin.write_all(&content).await;
        let _ = stdin.shutdown().await;
    };
    let mut answer = Vec::new();
    let mut stdout = stdout.take(MAX_ANSWER_BYTES);
    let (_, read) = tokio::join!(give, stdout.read_to_end(&mut answer));
    read.map_err(failed)?;
    let status = child.wait().await.map_err(failed)?;
    let mut lines = answer.split(|byte| *byte == b'\n');
    let first = serde_json::from_slice(lines.next().unwrap_or_default());
    let perceived = match first {
        Ok(Answer::Refused(why)) => Err(WorkerError::Refused(why)),
        Ok(Answer::Perceived { media_type, fingerprint, probes }) => {
            let (media, media_type) = known(&media_type);
            let (fingerprint, probes) = (fingerprint.read()?, Bits::read_all(&probes)?);
            Ok(Perceived { media, media_type, fingerprint, probes })
        }
        Err(_) if status.code().is_none() => return Err(WorkerError::TooCostly),
        // The decoder panicked on corrupt content.
        Err(_) if !status.success() => {
            Err(WorkerError::Refused("the decoder failed on the content".to_owned()))
        }
        Err(error) => return Err(WorkerError::Failed(error.to_string())),
    };
    let carried = lines.next().and_then(|line| serde_json::from_slice::<Carried>(line).ok());
    let credentials = carried.map(|carried| {
        let read = lines.next().and_then(|line| serde_json::from_slice(line).ok());
        read.unwrap_or_else(|| Credentials::unreadable(carried.bare_digest.0))
    });
    Ok(Examined { perceived, credentials })
}

impl Examined {
    fn failed(error: WorkerError) -> Self {
        Self { perceived: Err(error), credentials: None }
    }
}

/// Runs the worker process: reads content from stdin and writes the result to stdout. `anchors`,
/// PEM, are trusted in content credentials.
///
/// # Errors
/// Those of the pipes, and of confining the process.
pub fn serve_decoding(anchors: Option<&str>) -> std::io::Result<()> {
    confine()?;
    let mut content = Vec::new();
    let most = MAX_CONTENT_BYTES as u64 + 1;
    std::io::stdin().lock().take(most).read_to_end(&mut content)?;
    let answer = match perceive(&content) {
        Ok(perceived) => Answer::Perceived {
            media_type: perceived.media_type.to_owned(),
            fingerprint: Bits::from_fingerprint(&perceived.fingerprint),
            probes: perceived.probes.iter().map(Bits::from_fingerprint).collect(),
        },
        Err(error) => Answer::Refused(error.to_string()),
    };
    let mut stdout = std::io::stdout().lock();
    serde_json::to_writer(&mut stdout, &answer)?;
    let is_whole = content.len() <= MAX_CONTENT_BYTES;
    if let Some(bare) = digests(&content).bare.filter(|_| is_whole) {
        let carried = Carried { bare_digest: Digest(bare) };
        writeln!(stdout, "\n{}", serde_json::to_string(&carried)?)?;
        stdout.flush()?;
        if let Some(credentials) = read(&content, anchors) {
            serde_json::to_writer(&mut stdout, &credentials)?;
        }
    }
    stdout.flush()
}

impl Bits {
    fn from_fingerprint(fingerprint: &Fingerprint) -> Self {
        Self { scheme: fingerprint.scheme, bits: hex::encode(fingerprint.bits) }
    }

    fn read(&self) -> Result<Fingerprint, WorkerError> {
        let mut bits = [0; 32];
        let read = hex::decode_to_slice(&self.bits, &mut bits);
        read.map_err(|error| WorkerError::Failed(error.to_string()))?;
        Ok(Fingerprint { scheme: self.scheme, bits })
    }

    fn read_all(all: &[Self]) -> Result<Vec<Fingerprint>, WorkerError> {
        all.iter().map(Self::read).collect()
    }
}

/// Returns the kind and static media type of a worker's answer.
fn known(media_type: &str) -> (Media, &'static str) {
    let kinds = [
        (Media::Image, &["image/png", "image/jpeg", "image/gif", "image/webp"][..]),
        (Media::Audio, &["audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "audio/mp4"]),
        (Media::Text, &["text/plain"]),
    ];
    let pairs = kinds.into_iter().flat_map(|(media, types)| types.iter().map(move |t| (media, *t)));
    let found = pairs.into_iter().find(|(_, known)| *known == media_type);
    found.unwrap_or((Media::Other, "application/octet-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn perceived_by(script: &str) -> Result<Perceived, WorkerError> {
        let arguments = vec!["-c".into(), script.into()];
        let worker = DecodingWorker::Process { program: "/bin/sh".into(), arguments };
        worker.perceive(vec![7; 1_024 * 1_024]).await
    }

    #[tokio::test]
    async fn parent_survives_worker_exit() {
        let killed = perceived_by("kill -9 $$").await;
        assert_eq!(killed, Err(WorkerError::TooCostly));
        let panicked = perceived_by("exit 101").await;
        assert!(matches!(panicked, Err(WorkerError::Refused(_))), "{panicked:?}");
        let babbling = perceived_by("echo what").await;
        assert!(matches!(babbling, Err(WorkerError::Failed(_))), "{babbling:?}");
        let flooding = perceived_by("while :; do echo 0123456789abcdef; done").await;
        assert!(flooding.is_err(), "no more than an answer is read");
        let absent = DecodingWorker::Process { program: "/absent".into(), arguments: Vec::new() };
        assert!(matches!(absent.perceive(Vec::new()).await, Err(WorkerError::Failed(_))));
    }

    #[tokio::test]
    async fn worker_answer_is_parsed() {
        let said = r#"{"perceived":{"media_type":"text/plain","fingerprint":{"scheme":4,"bits":""},"probes":[]}}"#;
        let wrong = perceived_by(&format!("echo '{said}'")).await;
        assert!(matches!(wrong, Err(WorkerError::Failed(_))), "bits are 32 bytes");
        let said = said.replace("\"\"", &format!("\"{}\"", "07".repeat(32)));
        let perceived = perceived_by(&format!("cat > /dev/null; echo '{said}'")).await.unwrap();
        assert_eq!((perceived.media, perceived.fingerprint.bits), (Media::Text, [7; 32]));
        let refused = perceived_by("echo '{\"refused\":\"broken\"}'").await;
        assert_eq!(refused, Err(WorkerError::Refused("broken".to_owned())));
    }

    #[tokio::test]
    async fn killed_reader_leaves_fingerprint() {
        let digest = "07".repeat(32);
        let first = format!(
            r#"{{"perceived":{{"media_type":"image/png","fingerprint":{{"scheme":2,"bits":"{digest}"}},"probes":[]}}}}"#
        );
        let second = format!(r#"{{"bare_digest":"{digest}"}}"#);
        let script = format!("cat > /dev/null; echo '{first}'; echo '{second}'; kill -9 $$");
        let arguments = vec!["-c".into(), script.into()];
        let worker = DecodingWorker::Process { program: "/bin/sh".into(), arguments };
        let examined = worker.examine(vec![7; 1_024]).await;
        assert_eq!(examined.perceived.unwrap().fingerprint.bits, [7; 32]);
        assert_eq!(examined.credentials, Some(Credentials::unreadable([7; 32])));
    }
}
