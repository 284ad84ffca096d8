use motif_sdk::{
    Pubkey,
    receipt::{Receipt, SignedReceipt},
    voucher::{SignedVoucher, Voucher},
};

use super::{StoreError, evidence::Evidence, sql::Row};
use crate::keys::KeyId;

/// A channel's number in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub i64);

/// A generation that was paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// The channel's number in the store.
    pub channel_id: ChannelId,
    /// Names it towards the payer.
    pub idempotency_key: String,
    /// Counts what was paid for together, under one key.
    pub part: u32,
    /// What was answered.
    pub receipt: SignedReceipt,
    /// Last unix second in which the voucher that came with it settles.
    pub voucher_expires_at: i64,
    /// The voucher's signature; the voucher itself follows from the receipts.
    pub voucher_signature: [u8; 64],
    /// The API key it was asked for with.
    pub api_key: Option<KeyId>,
    /// What it added to the channel's total, base units, fees included.
    pub charged: u64,
}

impl Generation {
    /// The columns that [`Generation::read`] wants, beside the channel's address and slot.
    pub(super) const COLUMNS: &'static str = "channel_id, statement, position, idempotency_key, \
         part, license, units, terms_number, amount, cumulative, charged, issued_at, \
         voucher_expires_at, work, api_key, evidence, address, opened_slot";

    /// Reads a row of `generations` joined with its channel.
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        let evidence: Vec<u8> = row.get("evidence")?;
        let evidence = Evidence::read(&evidence)
            .ok_or_else(|| StoreError::Corrupt("evidence of another layout".into()))?;
        let receipt = Receipt {
            channel: Pubkey::new_from_array(bytes(row, "address")?),
            opened_slot: unsigned(row, "opened_slot")?,
            statement: unsigned(row, "statement")?,
            position: small(row, "position")?,
            license: small(row, "license")?,
            units: small(row, "units")?,
            terms_number: small(row, "terms_number")?,
            amount: unsigned(row, "amount")?,
            cumulative: unsigned(row, "cumulative")?,
            work: Pubkey::new_from_array(bytes(row, "work")?),
            request_digest: evidence.request_digest,
            output_digest: evidence.output_digest,
            issued_at: row.get("issued_at")?,
        };
        Ok(Self {
            channel_id: ChannelId(row.get("channel_id")?),
            idempotency_key: row.get("idempotency_key")?,
            part: small(row, "part")?,
            receipt: SignedReceipt {
                receipt,
                signature: evidence.receipt_signature,
                bundle: evidence.bundle,
            },
            voucher_expires_at: row.get("voucher_expires_at")?,
            voucher_signature: evidence.voucher_signature,
            api_key: bytes_or_null(row, "api_key")?.map(KeyId),
            charged: unsigned(row, "charged")?,
        })
    }

    /// Where it stands among all of them.
    pub(super) fn place(&self) -> (ChannelId, u64, u32) {
        let receipt = &self.receipt.receipt;
        (self.channel_id, receipt.statement, receipt.position)
    }

    /// The voucher that came with this generation, given what else it signs for.
    pub fn voucher(
        &self,
        key: Pubkey,
        cluster: [u8; 32],
        statement_digest: [u8; 32],
    ) -> SignedVoucher {
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
        SignedVoucher { voucher, key, signature: self.voucher_signature }
    }
}

/// A column of exactly `N` bytes.
pub(super) fn bytes<const N: usize>(row: &Row, column: &str) -> Result<[u8; N], StoreError> {
    let bytes: Vec<u8> = row.get(column)?;
    let length = bytes.len();
    bytes.try_into().map_err(|_| StoreError::Corrupt(format!("{column} of {length} bytes")))
}

/// A column of exactly `N` bytes, or NULL.
pub(super) fn bytes_or_null<const N: usize>(
    row: &Row,
    column: &str,
) -> Result<Option<[u8; N]>, StoreError> {
    let bytes: Option<Vec<u8>> = row.get(column)?;
    let corrupt = || StoreError::Corrupt(format!("{column} of another length"));
    bytes.map(|bytes| bytes.try_into().map_err(|_| corrupt())).transpose()
}

/// A column that is never negative.
pub(super) fn unsigned(row: &Row, column: &str) -> Result<u64, StoreError> {
    small(row, column)
}

/// A column within the range of a smaller type.
pub(super) fn small<T: TryFrom<i64>>(row: &Row, column: &str) -> Result<T, StoreError> {
    let value: i64 = row.get(column)?;
    T::try_from(value).map_err(|_| StoreError::Corrupt(format!("{column} is {value}")))
}

/// As a column holds it. Amounts are bounded when a channel is taken on, and so are slots and
/// counts by nature: nothing reaches 2^63.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
