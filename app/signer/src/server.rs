use std::{io, path::Path, sync::Arc, time::Duration};

use motif_interface::Pubkey;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

use crate::{
    OperatorSigner, Purpose, SignRequest, SignResponse, bind_socket,
    protocol::{decode, encode, read_line, to_line},
};

/// Maximum number of open connections.
const MAX_CONNECTIONS: usize = 64;
/// Maximum time without a request. Clients connect again when they need a signature.
const IDLE: Duration = Duration::from_secs(60);
/// Maximum time of one line in either direction.
const LINE: Duration = Duration::from_secs(5);
/// Pause after a failure to accept a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Key that a [`SigningServer`] signs with.
#[derive(Clone, Debug)]
pub struct ServedKey {
    /// The key.
    pub signer: Arc<dyn OperatorSigner>,
    /// Only purpose that it signs for; `None` for all.
    pub purpose: Option<Purpose>,
}

/// Process that signs for others on a Unix socket.
#[derive(Debug)]
pub struct SigningServer {
    listener: UnixListener,
    keys: Arc<[ServedKey]>,
}

impl SigningServer {
    /// Listens on a socket with permissions `mode`, as [`bind_socket`].
    ///
    /// # Errors
    /// Those of [`bind_socket`].
    pub fn bind(path: &Path, mode: u32, keys: Vec<ServedKey>) -> io::Result<Self> {
        let listener = bind_socket(path, mode)?;
        Ok(Self { listener, keys: keys.into() })
    }

    /// Signs until the future is dropped.
    pub async fn run(self) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new(); // ends with this future
        loop {
            while connections.try_join_next().is_some() {}
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let keys = self.keys.clone();
                    connections.spawn(async move {
                        // A client that breaks off has no response to wait for.
                        let _ = serve(stream, &keys).await;
                        drop(place);
                    });
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// Answers the requests of a connection in their order, until it is closed, is idle, or sends something
/// else.
async fn serve(mut stream: UnixStream, keys: &[ServedKey]) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::new(reader);
    loop {
        if timeout(IDLE, reader.fill_buf()).await??.is_empty() {
            return Ok(());
        }
        let line = timeout(LINE, read_line::<SignRequest>(&mut reader)).await??;
        let Some(request) = line else { return Ok(()) };
        let id = request.id;
        let response = match sign(&request, keys).await {
            Ok(signature) => SignResponse { id, signature: Some(encode(&signature)), error: None },
            Err(error) => SignResponse { id, signature: None, error: Some(error) },
        };
        timeout(LINE, writer.write_all(&to_line(&response)?)).await??;
    }
}

async fn sign(request: &SignRequest, keys: &[ServedKey]) -> Result<[u8; 64], String> {
    let wanted: Pubkey = request.public_key.parse().map_err(|_| "invalid public key".to_owned())?;
    let purpose = request.purpose;
    let serves = |key: &&ServedKey| {
        key.signer.public_key() == wanted && key.purpose.is_none_or(|only| only == purpose)
    };
    let key = keys.iter().find(serves);
    let key = key.ok_or_else(|| format!("no key {wanted} for the purpose `{purpose}`"))?;
    let message = decode(&request.bytes).ok_or_else(|| "invalid base64".to_owned())?;
    let signed = key.signer.sign_in_time(purpose, &[&message]).await;
    let signatures = signed.map_err(|error| error.to_string())?;
    signatures.first().copied().ok_or_else(|| "no signature".to_owned())
}
