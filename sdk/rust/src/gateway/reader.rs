use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use motif_payer::now;
use solana_pubkey::Pubkey;
use solana_signer::SignerError;

use super::{
    PayerAction, PayerRequest, VoucherSigner,
    wire::{Address, PayerProof, ReaderProof},
};
use crate::channel::Channel;

/// Signs the proofs with which a channel's payer reads its state, receipts and usage at a gateway.
///
/// A proof is reused for five minutes, so that a hardware wallet signs rarely. Clones share it.
#[derive(Clone)]
pub struct ChannelReader(Arc<Inner>);

struct Inner {
    address: Pubkey,
    channel: Channel,
    signer: VoucherSigner,
    newest: Mutex<Option<ReaderProof>>,
}

/// Validity of a proof, seconds. Longer than it is reused, because clocks differ.
const VALID_SECONDS: i64 = 900;
/// Time for which a proof is reused, seconds.
const REUSED_SECONDS: i64 = 300;

impl ChannelReader {
    /// Creates a reader of a channel, with the payer's key or the channel's voucher key.
    pub fn new(address: Pubkey, channel: &Channel, signer: impl Into<VoucherSigner>) -> Self {
        let (channel, signer) = (*channel, signer.into());
        Self(Arc::new(Inner { address, channel, signer, newest: Mutex::default() }))
    }

    /// Returns a proof for the header `motif-reader`.
    ///
    /// # Errors
    /// Those of the signer.
    pub fn proof(&self) -> Result<ReaderProof, SignerError> {
        let Inner { address, channel, signer, newest } = &*self.0;
        let mut newest = newest.lock().unwrap_or_else(PoisonError::into_inner);
        let reused = newest.filter(|proof| {
            (0..REUSED_SECONDS).contains(&now().saturating_sub(proof.proof.issued_at))
        });
        if let Some(reused) = reused {
            return Ok(reused);
        }
        let expires_at = now().saturating_add(VALID_SECONDS);
        let request = PayerRequest::new(PayerAction::Read(expires_at), address, channel);
        let proof = PayerProof::from(&signer.sign_request(request)?);
        Ok(*newest.insert(ReaderProof { channel: Address(*address), expires_at, proof }))
    }
}

impl fmt::Debug for ChannelReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("ChannelReader");
        shown.field("channel", &self.0.address).finish_non_exhaustive()
    }
}
