use std::{collections::HashMap, io, path::PathBuf};

use async_trait::async_trait;
use ed25519_dalek::{Signature, SignatureError, VerifyingKey};
use motif_interface::Pubkey;
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Mutex,
    time::timeout,
};

use crate::{
    OperatorSigner, Purpose, SignError, SignRequest, SignResponse,
    protocol::{decode, encode, read_line, to_line},
};

/// Maximum length of a reason that another process gives, characters.
const MAX_REASON_CHARS: usize = 200;

/// Key of a process on a Unix socket.
///
/// Each purpose has a connection of its own, so that a slow settlement does not delay receipts. A
/// connection is opened when it is needed and reused. All messages of a call are sent at once.
#[derive(Debug)]
pub struct SocketSigner {
    path: PathBuf,
    public_key: Pubkey,
    verifying_key: VerifyingKey,
    connections: [Mutex<Option<Connection>>; Purpose::COUNT],
}

#[derive(Debug)]
struct Connection {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    next_id: u64,
}

impl SocketSigner {
    /// Creates the signer of a key. Connects when it signs.
    ///
    /// # Errors
    /// [`SignatureError`] if `public_key` is not an Ed25519 key.
    pub fn new(path: impl Into<PathBuf>, public_key: Pubkey) -> Result<Self, SignatureError> {
        Ok(Self {
            path: path.into(),
            public_key,
            verifying_key: VerifyingKey::from_bytes(public_key.as_array())?,
            connections: Default::default(),
        })
    }

    fn unreachable(&self, error: impl ToString) -> SignError {
        SignError::Unreachable { key: self.public_key, reason: error.to_string() }
    }

    async fn connect(&self) -> Result<Connection, SignError> {
        let stream = UnixStream::connect(&self.path).await;
        let (reader, writer) = stream.map_err(|error| self.unreachable(error))?.into_split();
        Ok(Connection { reader: BufReader::new(reader), writer, next_id: 0 })
    }

    /// Returns verified signatures in the order of the messages.
    fn verify(
        &self,
        messages: &[&[u8]],
        responses: Vec<SignResponse>,
    ) -> Result<Vec<[u8; 64]>, SignError> {
        let verify = |(message, response): (&&[u8], SignResponse)| {
            if let Some(error) = response.error {
                let printable = error.chars().filter(|letter| !letter.is_control());
                let reason = printable.take(MAX_REASON_CHARS).collect();
                return Err(SignError::Refused { key: self.public_key, reason });
            }
            let bytes = response.signature.and_then(|text| decode(&text)).unwrap_or_default();
            let invalid = || SignError::InvalidSignature(self.public_key);
            let signature = <[u8; 64]>::try_from(bytes).map_err(|_| invalid())?;
            let parsed = Signature::from_bytes(&signature);
            self.verifying_key.verify_strict(message, &parsed).map_err(|_| invalid())?;
            Ok(signature)
        };
        messages.iter().zip(responses).map(verify).collect()
    }
}

#[async_trait]
impl OperatorSigner for SocketSigner {
    fn public_key(&self) -> Pubkey {
        self.public_key
    }

    async fn sign(&self, purpose: Purpose, messages: &[&[u8]]) -> Result<Vec<[u8; 64]>, SignError> {
        let mut kept = self.connections[purpose as usize].lock().await;
        // Not kept if this future is dropped: responses would be taken for later ones.
        if let Some(mut connection) = kept.take()
            && let Ok(responses) = connection.exchange(purpose, self.public_key, messages).await
        {
            *kept = Some(connection);
            return self.verify(messages, responses);
        }
        // The process may have been restarted. A signature may be made twice: it moves nothing.
        let mut connection = self.connect().await?;
        let exchanged = connection.exchange(purpose, self.public_key, messages).await;
        let responses = exchanged.map_err(|error| self.unreachable(error))?;
        *kept = Some(connection);
        self.verify(messages, responses)
    }

    /// Requests a signature that the process must refuse, on a connection of its own.
    async fn reach(&self) -> Result<(), SignError> {
        let purpose = Purpose::Receipt;
        let (key, deadline) = (self.public_key, purpose.deadline());
        let ask = async {
            let mut connection = self.connect().await?;
            let answered = connection.exchange(purpose, key, &[b""]).await;
            answered.map(drop).map_err(|error| self.unreachable(error))
        };
        let late = |_| SignError::Timeout { key, seconds: deadline.as_secs() };
        timeout(deadline, ask).await.map_err(late)?
    }
}

impl Connection {
    /// Sends requests and returns their responses in the order of the messages.
    async fn exchange(
        &mut self,
        purpose: Purpose,
        key: Pubkey,
        messages: &[&[u8]],
    ) -> io::Result<Vec<SignResponse>> {
        let (first, end) = (self.next_id, self.next_id.wrapping_add(messages.len() as u64));
        self.next_id = end;
        let public_key = key.to_string();
        let mut lines = Vec::new();
        for (id, message) in (first..).zip(messages) {
            let (public_key, bytes) = (public_key.clone(), encode(message));
            lines.extend(to_line(&SignRequest { id, purpose, public_key, bytes })?);
        }
        let (reader, writer) = (&mut self.reader, &mut self.writer);
        let read = async {
            let mut responses = HashMap::with_capacity(messages.len());
            while responses.len() < messages.len() {
                let response: Option<SignResponse> = read_line(reader).await?;
                let response = response.ok_or(io::ErrorKind::UnexpectedEof)?;
                if !(first..end).contains(&response.id) {
                    return Err(io::Error::other("the response has an unknown id"));
                }
                responses.insert(response.id, response);
            }
            Ok(responses)
        };
        // Both at once: a signer that answers while it reads does not wait for this process.
        let ((), mut responses) = tokio::try_join!(writer.write_all(&lines), read)?;
        Ok((first..end).filter_map(|id| responses.remove(&id)).collect())
    }
}
