use std::{
    collections::HashMap,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use ed25519_dalek::SigningKey;
use motif_interface::{
    payments::ReceiptKeys,
    receipt::{Receipt, SignedReceipt, UnsignedBundle},
};
use motif_signer::{LocalSigner, OperatorSigner, Purpose, SignError};
use parking_lot::{Mutex, RwLock};
use tokio::runtime::Handle;

use crate::{
    command::{Command, Message},
    error::StoreError,
    generation::ChannelId,
};

/// Time after a failure for which no receipts are signed, so that a signer that does not answer
/// delays other writes by its deadline once in this time.
const PAUSE: Duration = Duration::from_secs(5);

/// Signs receipts with the operator's receipt key of their time of issue. Clones share the keys'
/// times and the state of the signer.
#[derive(Clone, Debug)]
pub struct ReceiptSigner {
    signers: Arc<[Arc<dyn OperatorSigner>]>,
    keys: Arc<RwLock<Arc<ReceiptKeys>>>,
    outage: Arc<Mutex<Option<(Instant, SignError)>>>,
}

impl From<SigningKey> for ReceiptSigner {
    /// Creates the signer of an operator that has never rotated its key.
    fn from(key: SigningKey) -> Self {
        let signer = LocalSigner::from(key);
        let keys = ReceiptKeys::sole(signer.public_key());
        Self::new(vec![Arc::new(signer)], keys)
    }
}

impl ReceiptSigner {
    /// Creates a signer with the keys that this process has, and the keys of the operator's account.
    pub fn new(signers: Vec<Arc<dyn OperatorSigner>>, keys: ReceiptKeys) -> Self {
        let keys = Arc::new(RwLock::new(Arc::new(keys)));
        Self { signers: signers.into(), keys, outage: Arc::default() }
    }

    /// Replaces the keys of the operator's account.
    pub fn set_keys(&self, keys: &ReceiptKeys) {
        if **self.keys.read() != *keys {
            *self.keys.write() = Arc::new(keys.clone());
            *self.outage.lock() = None;
        }
    }

    /// Returns the error of the last signature, if it failed in the last five seconds. Until then
    /// no receipts are signed.
    pub fn outage(&self) -> Option<SignError> {
        let outage = self.outage.lock();
        let (began, error) = outage.as_ref()?;
        (began.elapsed() < PAUSE).then(|| error.clone())
    }

    /// Checks that the receipt key of this time can be asked for signatures.
    ///
    /// # Errors
    /// [`SignError`].
    pub async fn reach(&self, now: i64) -> Result<(), SignError> {
        let keys = self.keys.read().clone();
        let key = keys.at(now).ok_or(SignError::NoReceiptKey)?;
        let signer = self.signers.iter().find(|signer| signer.public_key() == *key);
        signer.ok_or(SignError::KeyNotConfigured(*key))?.reach().await
    }

    /// Signs the receipts of a group, as many as possible with one signature: one signature per
    /// receipt would take longer than storing it.
    ///
    /// # Errors
    /// [`SignError`]; no receipt of the group may be issued then.
    pub(crate) async fn sign(&self, group: &mut [Message]) -> Result<(), SignError> {
        let unsigned = group.iter_mut().flat_map(Message::generations_mut);
        let mut places: Vec<&mut SignedReceipt> = unsigned.map(|one| &mut one.receipt).collect();
        if places.is_empty() {
            return Ok(());
        }
        if let Some(error) = self.outage() {
            return Err(error);
        }
        let signed = self.sign_in_place(&mut places).await;
        if let Err(error) = &signed {
            tracing::error!(%error, "no receipts are signed");
            *self.outage.lock() = Some((Instant::now(), error.clone()));
        }
        signed
    }

    /// As [`ReceiptSigner::sign`], on a thread that may block. A key in this process is not waited
    /// for.
    pub(crate) fn sign_blocking(
        &self,
        group: &mut [Message],
        runtime: &Handle,
    ) -> Result<(), SignError> {
        let _entered = runtime.enter();
        let mut signing = pin!(self.sign(group));
        match signing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(signed) => signed,
            Poll::Pending => runtime.block_on(signing),
        }
    }

    async fn sign_in_place(&self, places: &mut [&mut SignedReceipt]) -> Result<(), SignError> {
        let keys = self.keys.read().clone();
        let key_of = |unsigned: &SignedReceipt| keys.at(unsigned.receipt.issued_at);
        for run in places.chunk_by_mut(|one, other| key_of(one) == key_of(other)) {
            let Some(first) = run.first() else { continue };
            let key = key_of(first).ok_or(SignError::NoReceiptKey)?;
            let signer = self.signers.iter().find(|signer| signer.public_key() == *key);
            let signer = signer.ok_or(SignError::KeyNotConfigured(*key))?;
            let receipts: Vec<Receipt> = run.iter().map(|place| place.receipt).collect();
            let bundles = UnsignedBundle::from_receipts(&receipts);
            let messages: Vec<&[u8]> = bundles.iter().map(UnsignedBundle::message).collect();
            let signatures = signer.sign_in_time(Purpose::Receipt, &messages).await?;
            let signed = bundles.into_iter().zip(signatures);
            let signed = signed.flat_map(|(bundle, signature)| bundle.with_signature(signature));
            run.iter_mut().zip(signed).for_each(|(place, signed)| **place = signed);
        }
        Ok(())
    }
}

/// Leases that ended because receipts were not signed: later changes of a channel were decided on
/// top of the refused generations.
#[derive(Debug, Default)]
pub struct UnsignedLeases(HashMap<ChannelId, (i64, SignError)>);

impl UnsignedLeases {
    /// Ends the leases of all channels with generations in a group.
    pub fn end(&mut self, group: &[Message], error: &SignError) {
        for message in group {
            if let Message::Write(command) = message
                && let Some(lease) = command.lease
                && !command.change.generations().is_empty()
            {
                self.0.insert(lease.channel_id, (lease.epoch, error.clone()));
            }
        }
    }

    /// Returns the error of a change that must not be written.
    pub fn refusal(&self, command: &Command) -> Option<StoreError> {
        let lease = command.lease?;
        let (epoch, error) = self.0.get(&lease.channel_id)?;
        (lease.epoch <= *epoch).then(|| StoreError::Unsigned(error.clone()))
    }
}
