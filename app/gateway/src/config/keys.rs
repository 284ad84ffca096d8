use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use motif_sdk::{
    Pubkey,
    channel::Entry,
    keypair::{self, signing_key},
    operator::Operator,
    voucher::Statement,
};
use motif_signer::{LocalSigner, OperatorSigner, SocketSigner};
use solana_keypair::Keypair;

use super::StorePlace;
use crate::keys::DigestKey;

/// Keys that the gateway signs with. `Debug` shows their addresses.
#[derive(Clone)]
pub struct KeyConfig {
    /// Key that signs settlements.
    pub settle: RotatingKey,
    /// Key that signs receipts.
    pub receipt: RotatingKey,
    /// Key that pays for transactions.
    pub fee_payer: Arc<dyn OperatorSigner>,
    /// Authority of the operator, with which payers that leave need not wait for the grace period;
    /// `None` if it is kept elsewhere.
    pub authority: Option<Arc<dyn OperatorSigner>>,
    /// File with the key of API tokens' digests; `None` for one beside the file of the store.
    pub digest_file: Option<PathBuf>,
    /// Digest key derived from the settle key: that of a store without a digest file.
    pub derived_digest: Option<DigestKey>,
    /// Operator's account, if it was read; the gateway reads it again while it runs.
    pub account: Option<Operator>,
    /// Files with secrets, by their settings.
    pub files: Vec<(&'static str, PathBuf)>,
}

/// Key that is replaced without a restart: the operator's account says which of the two signs.
#[derive(Clone, Debug)]
pub struct RotatingKey {
    /// Key that signs before a rotation.
    pub present: Arc<dyn OperatorSigner>,
    /// Key of a rotation that is pending or took effect.
    pub next: Option<Arc<dyn OperatorSigner>>,
}

/// Location of a key. Its text is the path of a keypair file, `env:VARIABLE`, or
/// `unix:SOCKET#ADDRESS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// Keypair file.
    File(PathBuf),
    /// Environment variable with a keypair: a JSON array or base58.
    Variable(String),
    /// Key of a process that signs on a Unix socket.
    Socket {
        /// Path of the socket.
        path: PathBuf,
        /// Public key.
        public_key: Pubkey,
    },
}

/// Error returned when a text is not the location of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a keypair file, env:VARIABLE, or unix:SOCKET#ADDRESS")]
pub struct InvalidKeySource;

/// A key that signs, and the digest key that is derived from it if it is in this process.
pub(super) struct OpenKey {
    pub signer: Arc<dyn OperatorSigner>,
    pub derived_digest: Option<DigestKey>,
}

impl RotatingKey {
    /// Returns the signer of a public key, if it is one of the two.
    pub fn of(&self, key: &Pubkey) -> Option<&Arc<dyn OperatorSigner>> {
        let mut both = std::iter::once(&self.present).chain(&self.next);
        both.find(|signer| signer.public_key() == *key)
    }

    /// Returns one or two signers.
    pub fn signers(&self) -> Vec<Arc<dyn OperatorSigner>> {
        std::iter::once(&self.present).chain(&self.next).cloned().collect()
    }
}

impl From<Arc<dyn OperatorSigner>> for RotatingKey {
    fn from(present: Arc<dyn OperatorSigner>) -> Self {
        Self { present, next: None }
    }
}

impl KeyConfig {
    /// Creates the configuration of an operator with one key for everything.
    pub fn from_keypair(keypair: &Keypair) -> Self {
        let OpenKey { signer, derived_digest } = OpenKey::from(keypair);
        Self {
            settle: signer.clone().into(),
            receipt: signer.clone().into(),
            fee_payer: signer.clone(),
            authority: Some(signer),
            digest_file: None,
            derived_digest,
            account: None,
            files: Vec::new(),
        }
    }

    /// Returns the maximum number of licenses of a statement. A packet with the signature of a fee payer
    /// that is not the settle key has room for 16 fewer.
    pub(crate) fn max_licenses(&self) -> usize {
        const SIGNER_BYTES: usize = 64 + 32; // signature and key
        let payer = self.fee_payer.public_key();
        let is_apart = self.settle.signers().iter().any(|signer| signer.public_key() != payer);
        let room = if is_apart { SIGNER_BYTES.div_ceil(Entry::SIZE) } else { 0 };
        Statement::MAX_LICENSES - room
    }

    /// Returns the path of the digest file; `None` if the digest key is derived from the settle key.
    pub(crate) fn digest_path(&self, store: &StorePlace) -> Option<PathBuf> {
        let beside = || {
            let mut name = store.file()?.as_os_str().to_owned();
            name.push(".digest-key");
            Some(PathBuf::from(name))
        };
        self.digest_file.clone().or_else(beside)
    }

    pub(super) fn check(
        &self,
        operator: &Pubkey,
        store: &StorePlace,
        check: &mut impl FnMut(bool, &str, &str),
    ) {
        let own = self.authority.as_ref().is_none_or(|key| key.public_key() == *operator);
        check(own, "keys.authority", "must be the key of `operator`");
        let known = self.derived_digest.is_some() || self.digest_path(store).is_some();
        let what = "required on a shared store if the settle key is in another process";
        check(known, "keys.digest_file", what);
        let checked = self.digest_path(store).map_or(Ok(()), |path| DigestKey::check(&path));
        if let Err(error) = checked {
            check(false, "keys.digest_file", &error.to_string());
        }
    }
}

impl KeySource {
    /// Returns the key. A socket is not connected to.
    ///
    /// # Errors
    /// A description without the key.
    pub(super) fn open(&self) -> Result<OpenKey, String> {
        match self {
            Self::File(path) => {
                let keypair = keypair::read(path).map_err(|error| error.to_string())?;
                Ok(OpenKey::from(&keypair))
            }
            Self::Variable(name) => {
                let text = std::env::var(name).map_err(|_| format!("{name} is not set"))?;
                let keypair = keypair::parse(&text).map_err(|error| format!("{name}: {error}"))?;
                Ok(OpenKey::from(&keypair))
            }
            Self::Socket { path, public_key } => {
                let signer = SocketSigner::new(path, *public_key);
                let signer = signer.map_err(|error| error.to_string())?;
                Ok(OpenKey { signer: Arc::new(signer), derived_digest: None })
            }
        }
    }

    /// Returns the path of a keypair file.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Variable(_) | Self::Socket { .. } => None,
        }
    }
}

impl FromStr for KeySource {
    type Err = InvalidKeySource;

    fn from_str(text: &str) -> Result<Self, InvalidKeySource> {
        if let Some(name) = text.strip_prefix("env:") {
            let is_name = !name.is_empty() && !name.contains('=');
            return is_name.then(|| Self::Variable(name.to_owned())).ok_or(InvalidKeySource);
        }
        if let Some(socket) = text.strip_prefix("unix:") {
            let (path, key) = socket.rsplit_once('#').ok_or(InvalidKeySource)?;
            let public_key = key.parse().map_err(|_| InvalidKeySource)?;
            return Ok(Self::Socket { path: path.into(), public_key });
        }
        if text.is_empty() { Err(InvalidKeySource) } else { Ok(Self::File(text.into())) }
    }
}

impl From<&Keypair> for OpenKey {
    fn from(keypair: &Keypair) -> Self {
        let derived_digest = Some(DigestKey::derive(keypair.secret_bytes()));
        Self { signer: Arc::new(LocalSigner::from(signing_key(keypair))), derived_digest }
    }
}

impl fmt::Debug for KeyConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KeyConfig")
            .field("settle", &self.settle)
            .field("receipt", &self.receipt)
            .field("fee_payer", &self.fee_payer)
            .field("authority", &self.authority)
            .field("digest_file", &self.digest_file)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_source_is_file_variable_or_socket() {
        let address = Pubkey::new_from_array([7; 32]);
        let read = |text: &str| text.parse::<KeySource>();
        assert_eq!(read("keys/a.json"), Ok(KeySource::File("keys/a.json".into())));
        assert_eq!(read("env:SETTLE_KEY"), Ok(KeySource::Variable("SETTLE_KEY".into())));
        let socket = KeySource::Socket { path: "/run/a#b.sock".into(), public_key: address };
        assert_eq!(read(&format!("unix:/run/a#b.sock#{address}")), Ok(socket));
        for wrong in ["", "env:", "env:A=1", "unix:/run/a.sock", "unix:/run/a.sock#key"] {
            assert_eq!(read(wrong), Err(InvalidKeySource), "{wrong}");
        }
    }

    #[test]
    fn key_errors_and_debug_hide_secrets() {
        let keypair = Keypair::new_from_array([8; 32]);
        let shown = format!("{:?}", KeyConfig::from_keypair(&keypair));
        assert!(!shown.contains("8, 8"), "{shown}");
        let unset = KeySource::Variable("MOTIF_TEST_UNSET_KEY".into()).open().err().unwrap();
        assert!(unset.contains("MOTIF_TEST_UNSET_KEY"), "{unset}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.json");
        std::fs::write(&path, "[201, 202]").unwrap();
        let broken = KeySource::File(path).open().err().unwrap();
        assert!(!broken.contains("201"), "{broken}");
    }

    #[test]
    fn remote_settle_key_requires_digest_file() {
        let mut config = KeyConfig::from_keypair(&Keypair::new_from_array([8; 32]));
        let operator = config.settle.present.public_key();
        let found = |config: &KeyConfig, store: &str| {
            let mut keys = Vec::new();
            let store = store.parse().unwrap();
            config.check(&operator, &store, &mut |holds, key, _| {
                if !holds {
                    keys.push(key.to_owned());
                }
            });
            keys
        };
        let (file, server) = ("gateway.sqlite", "postgres://127.0.0.1/motif");
        assert!(found(&config, server).is_empty());
        config.derived_digest = None;
        assert!(found(&config, file).is_empty());
        assert_eq!(found(&config, server), ["keys.digest_file"]);
        config.digest_file = Some("digest-key".into());
        assert!(found(&config, server).is_empty());
        let other = KeyConfig::from_keypair(&Keypair::new_from_array([9; 32]));
        config.authority = other.authority;
        assert_eq!(found(&config, file), ["keys.authority"]);
    }
}
