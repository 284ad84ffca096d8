//! Sandboxed decoding in a process of its own.

use std::{
    ffi::OsString,
    fs::File,
    io::{Read, Seek, Write},
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::timeout,
};

use motif_fingerprint::{
    Caveat, ContentError, MAX_CONTENT_BYTES, Media, Missing, Perceived, perceive, perceive_source,
};
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
    Perceived {
        media_type: String,
        fingerprint: Bits,
        probes: Vec<Bits>,
        #[serde(default)]
        missing: Option<Missing>,
        #[serde(default)]
        caveat: Option<Caveat>,
    },
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
            Self::Here => here(move || (perceive(&content), content)).await,
            Self::Process { program, arguments } => {
                in_process(program, arguments, Input::Bytes(content)).await
            }
        }
    }

    /// As [`DecodingWorker::examine`], of a file of any length: recordings, JPEG and PNG are read from it in
    /// bounded memory. Credentials are read from files of at most [`MAX_CONTENT_BYTES`].
    pub async fn examine_file(&self, mut file: File) -> Examined {
        match self {
            Self::Here => {
                here(move || {
                    let perceived = file.try_clone().map_err(ContentError::from);
                    (perceived.and_then(perceive_source), short_content(&mut file))
                })
                .await
            }
            Self::Process { program, arguments } => {
                in_process(program, arguments, Input::File(file)).await
            }
        }
    }
}

/// Content on its way to a worker.
enum Input {
    Bytes(Vec<u8>),
    File(File),
}

async fn in_process(program: &Path, arguments: &[OsString], input: Input) -> Examined {
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    match timeout(WALL, ask(command, input)).await {
        Ok(Ok(examined)) => examined,
        Ok(Err(error)) => Examined::failed(error),
        // Dropping the child kills it.
        Err(_) => Examined::failed(WorkerError::TooCostly),
    }
}

/// Examines content on a thread of this process. Credentials are read from the content that `examine`
/// returns.
async fn here(
    examine: impl FnOnce() -> (Result<Perceived, ContentError>, Vec<u8>) + Send + 'static,
) -> Examined {
    let examining = tokio::task::spawn_blocking(move || {
        let (perceived, content) = examine();
        let perceived = perceived.map_err(|error| WorkerError::Refused(error.to_string()));
        let is_whole = content.len() <= MAX_CONTENT_BYTES;
        Examined { perceived, credentials: is_whole.then(|| read(&content, None)).flatten() }
    });
    examining.await.unwrap_or(Examined::failed(WorkerError::TooCostly))
}

/// Returns the content of a file; nothing if it is longer than [`MAX_CONTENT_BYTES`] or cannot be read.
fn short_content(file: &mut File) -> Vec<u8> {
    let mut content = Vec::new();
    let most = MAX_CONTENT_BYTES as u64;
    let read = file.rewind().and_then(|()| file.take(most + 1).read_to_end(&mut content));
    if read.is_err() || content.len() > MAX_CONTENT_BYTES {
        content.clear();
    }
    content
}

async fn ask(mut command: Command, input: Input) -> Result<Examined, WorkerError> {
    let failed = |error: std::io::Error| WorkerError::Failed(error.to_string());
    let content = match input {
        Input::Bytes(content) => {
            command.stdin(Stdio::piped());
            content
        }
        Input::File(file) => {
            command.stdin(Stdio::from(file));
            Vec::new()
        }
    };
    let mut child = command.spawn().map_err(failed)?;
    // The process has its own copy of a file.
    drop(command);
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let stdout = stdout.ok_or_else(|| WorkerError::Failed("it has no pipes".to_owned()))?;
    let give = async move {
        if let Some(mut stdin) = stdin {
            // A dead worker reads nothing; its exit status is checked below.
            let _ = stdin.write_all(&content).await;
            let _ = stdin.shutdown().await;
        }
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
        Ok(Answer::Perceived { media_type, fingerprint, probes, missing, caveat }) => {
            let (media, media_type) = Media::from_media_type(&media_type);
            let (fingerprint, probes) = (fingerprint.read()?, Bits::read_all(&probes)?);
            Ok(Perceived { media, media_type, fingerprint, probes, missing, caveat })
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

/// Runs the worker process: reads content from stdin, which is a pipe or a file, and writes the result to
/// stdout. `anchors`, PEM, are trusted in content credentials.
///
/// # Errors
/// Those of stdin and stdout, and of confining the process.
pub fn serve_decoding(anchors: Option<&str>) -> std::io::Result<()> {
    // A confined process opens nothing.
    let stdin = || std::io::stdin().as_fd().try_clone_to_owned().map(File::from);
    let (mut source, again) = (stdin()?, stdin()?);
    let is_file = source.metadata()?.is_file();
    confine()?;
    let (perceived, content) = if is_file {
        (perceive_source(again), short_content(&mut source))
    } else {
        let mut content = Vec::new();
        source.take(MAX_CONTENT_BYTES as u64 + 1).read_to_end(&mut content)?;
        (perceive(&content), content)
    };
    let answer = match perceived {
        Ok(perceived) => Answer::Perceived {
            media_type: perceived.media_type.to_owned(),
            fingerprint: Bits::from_fingerprint(&perceived.fingerprint),
            probes: perceived.probes.iter().map(Bits::from_fingerprint).collect(),
            missing: perceived.missing,
            caveat: perceived.caveat,
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
    async fn file_is_given_to_the_worker() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all("A work of words. ".repeat(9).as_bytes()).unwrap();
        let here = DecodingWorker::Here.examine_file(file.try_clone().unwrap()).await;
        assert_eq!(here.perceived.unwrap().media_type, "text/plain");
        file.rewind().unwrap();
        let said = r#"{"perceived":{"media_type":"audio/aiff","fingerprint":{"scheme":0,"bits":"BITS"},"probes":[],"missing":"silence"}}"#;
        let said = said.replace("BITS", &"0".repeat(64));
        // The file's own length tells that it is stdin.
        let script = format!("test $(wc -c) = 153 && echo '{said}'");
        let arguments = vec!["-c".into(), script.into()];
        let worker = DecodingWorker::Process { program: "/bin/sh".into(), arguments };
        let perceived = worker.examine_file(file).await.perceived.unwrap();
        assert_eq!((perceived.media, perceived.media_type), (Media::Audio, "audio/aiff"));
        assert_eq!(perceived.missing, Some(Missing::Silence));
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
