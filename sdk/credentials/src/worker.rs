//! Decoding where it can do no harm: in a process that may use so much memory and time, has no
//! files to open, and is killed when it needs more.

use std::{
    ffi::OsString,
    io::{Read, Write},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use rlimit::Resource;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::timeout,
};

use motif_fingerprint::{MAX_CONTENT_BYTES, Media, Perceived, perceive};
use motif_interface::licensing::Fingerprint;
use motif_wire::{Credentials, Digest};

use super::{digests, read};

/// What a worker may take: its program, the content, and what decoders make of that.
const MEMORY_BYTES: u64 = 2 * 1_024 * 1_024 * 1_024;
const CPU_SECONDS: u64 = 20;
/// Longer than the processor time, as the machine may be busy.
const WALL: Duration = Duration::from_secs(40);
const MAX_ANSWER_BYTES: u64 = 64 * 1_024;

/// Who decodes content.
#[derive(Clone, Debug, Default)]
pub enum DecodingWorker {
    /// A thread of this process. Only for content that this process trusts: decoders keep their
    /// own limits here, and nothing limits the decoders.
    #[default]
    Here,
    /// A process that calls [`serve_decoding`], one for each piece of content.
    Process {
        /// The program.
        program: PathBuf,
        /// How it is told to do so.
        arguments: Vec<OsString>,
    },
}

/// What a worker found out about content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// What it is, and its fingerprint.
    pub perceived: Result<Perceived, WorkerError>,
    /// Its content credentials; `None` where it carries none, or nobody could look.
    pub credentials: Option<Credentials>,
}

/// Why a worker perceived nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// The content is broken, or beyond a limit that decoders keep.
    #[error("{0}")]
    Refused(String),
    /// It had to be stopped.
    #[error("decoding this takes more memory or time than is safe")]
    TooCostly,
    /// The worker could not be started or heard.
    #[error("the decoding worker failed: {0}")]
    Failed(String),
}

/// What a worker answers first: one line of JSON. Where content carries credentials, two more
/// follow: the [`Carried`], and then the credentials. So a manifest that is meant to break its
/// reader hides neither itself nor what the content looks like.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Perceived { media_type: String, fingerprint: Bits, probes: Vec<Bits> },
    Refused(String),
}

/// That there are credentials, told before anybody reads them.
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
    /// What content is, and its fingerprint.
    ///
    /// # Errors
    /// [`WorkerError`].
    pub async fn perceive(&self, content: Vec<u8>) -> Result<Perceived, WorkerError> {
        self.examine(content).await.perceived
    }

    /// What content is, its fingerprint, and its content credentials. In this process, no anchor is
    /// trusted.
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
                    // Dropping the child has killed it.
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
        // A worker that has died reads nothing; how it ended says why.
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
        // It has panicked, which is the decoder's word for content it cannot make sense of.
        Err(_) if !status.success() => {
            Err(WorkerError::Refused("the decoder cannot make sense of it".to_owned()))
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

/// Reads content from stdin, and answers on stdout what it is: what a worker's process does.
/// `anchors`, PEM, are trusted in content credentials.
///
/// # Errors
/// The pipes', or the system's when it does not let this process limit itself.
pub fn serve_decoding(anchors: Option<&str>) -> std::io::Result<()> {
    let limits = [
        (Resource::AS, MEMORY_BYTES),
        (Resource::CPU, CPU_SECONDS),
        (Resource::FSIZE, 0),
        (Resource::CORE, 0),
    ];
    for (resource, limit) in limits {
        let limit = limit.min(resource.get_hard()?); // whoever started this may allow less
        resource.set(limit, limit)?;
    }
    let mut content = Vec::new();
    let most = MAX_CONTENT_BYTES as u64 + 1;
    std::io::stdin().lock().take(most).read_to_end(&mut content)?;
    let answer = match perceive(&content) {
        Ok(perceived) => Answer::Perceived {
            media_type: perceived.media_type.to_owned(),
            fingerprint: Bits::of(&perceived.fingerprint),
            probes: perceived.probes.iter().map(Bits::of).collect(),
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
    fn of(fingerprint: &Fingerprint) -> Self {
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

/// The media type as this process knows it.
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
