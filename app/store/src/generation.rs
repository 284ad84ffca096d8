use motif_interface::{
    Pubkey,
    receipt::SignedReceipt,
    voucher::{SignedVoucher, Voucher},
};

use crate::api_key::KeyId;

/// Number of a channel in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub i64);

/// Generation that was paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// The channel's number in the store.
    pub channel_id: ChannelId,
    /// Key chosen by the client. The generations of one batch share it.
    pub idempotency_key: String,
    /// Position in the batch, from 0.
    pub part: u32,
    /// The receipt.
    pub receipt: SignedReceipt,
    /// Key that signed the voucher.
    pub voucher_key: Pubkey,
    /// Last unix second in which the voucher settles.
    pub voucher_expires_at: i64,
    /// Signature of the voucher, whose other fields follow from the receipts and the channel.
    pub voucher_signature: [u8; 64],
    /// API key of the request.
    pub api_key: Option<KeyId>,
    /// Amount added to the channel's total, base units, fees included.
    pub charged: u64,
}

impl Generation {
    /// Returns the voucher that paid for the generation, given the fields that are stored with the
    /// channel and the statement.
    pub fn voucher(&self, cluster: [u8; 32], statement_digest: [u8; 32]) -> SignedVoucher {
        let receipt = &self.receipt.receipt;
        let voucher = Voucher {
            cluster,
            channel: receipt.channel,
            opened_slot: receipt.opened_slot,
            statement: receipt.statement,
            cumulative: receipt.cumulative,
            statement_digest,
            expires_at: self.voucher_expires_at,
        };
        SignedVoucher { voucher, key: self.voucher_key, signature: self.voucher_signature }
    }

    /// Returns channel, statement and position, by which generations are ordered.
    pub(crate) fn place(&self) -> (ChannelId, u64, u32) {
        let receipt = &self.receipt.receipt;
        (self.channel_id, receipt.statement, receipt.position)
    }
}
