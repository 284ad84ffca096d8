use std::borrow::Cow;

use borsh::{BorshDeserialize, BorshSerialize};
use motif_interface::{
    Pubkey,
    receipt::{Receipt, SignedReceipt, bundle::BundlePath},
};

use crate::{
    api_key::KeyId,
    change::Change,
    generation::{ChannelId, Generation},
    hold::{Hold, HoldId, Item},
};

/// Frequent change, as the journal has it. Other changes go into the tables directly.
///
/// Serialized with Borsh: the order of variants and fields is the format.
#[derive(BorshSerialize, BorshDeserialize)]
pub enum Record<'a> {
    /// [`Change::Generations`] that capture at most one hold.
    Generations { generations: Vec<GenerationRecord<'a>>, hold: Option<HoldId> },
    /// [`Change::HoldPlaced`]
    HoldPlaced {
        channel_id: i64,
        id: HoldId,
        license: u16,
        units: u32,
        request_digest: [u8; 32],
        expires_at: i64,
        api_key: Option<[u8; 8]>,
    },
    /// [`Change::HoldReleased`]
    HoldReleased { id: HoldId },
    /// [`Change::Generations`] that capture several holds.
    Captures { generations: Vec<GenerationRecord<'a>>, holds: Vec<HoldId> },
}

/// Error returned when the Merkle path of a receipt is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid Merkle path in journal record")]
pub struct InvalidBundlePath;

/// [`Generation`], with borrowed fields when it is written.
#[derive(BorshSerialize, BorshDeserialize)]
pub struct GenerationRecord<'a> {
    channel_id: i64,
    idempotency_key: Cow<'a, str>,
    part: u32,
    channel: [u8; 32],
    opened_slot: u64,
    statement: u64,
    position: u32,
    license: u16,
    units: u32,
    terms_number: u32,
    amount: u64,
    cumulative: u64,
    work: [u8; 32],
    request_digest: [u8; 32],
    output_digest: [u8; 32],
    issued_at: i64,
    receipt_signature: [u8; 64],
    bundle: Cow<'a, [u8]>,
    voucher_key: [u8; 32],
    voucher_expires_at: i64,
    voucher_signature: [u8; 64],
    api_key: Option<[u8; 8]>,
    charged: u64,
}

impl<'a> Record<'a> {
    /// Creates the record of a change. Returns `None` for a change that the journal does not take.
    pub fn new(change: &'a Change) -> Option<Self> {
        Some(match change {
            Change::Generations { generations, holds } => {
                let generations = generations.iter().map(GenerationRecord::from).collect();
                match holds[..] {
                    [] => Self::Generations { generations, hold: None },
                    [hold] => Self::Generations { generations, hold: Some(hold) },
                    _ => Self::Captures { generations, holds: holds.clone() },
                }
            }
            Change::HoldPlaced { channel_id, id, hold, api_key } => Self::HoldPlaced {
                channel_id: channel_id.0,
                id: *id,
                license: hold.item.license,
                units: hold.item.units,
                request_digest: hold.request_digest,
                expires_at: hold.expires_at,
                api_key: api_key.map(|key| key.0),
            },
            Change::HoldReleased { id } => Self::HoldReleased { id: *id },
            Change::Cut { .. }
            | Change::Observed { .. }
            | Change::Settled { .. }
            | Change::HoldsPruned { .. }
            | Change::Spent(_)
            | Change::Transaction(_)
            | Change::Outcome { .. }
            | Change::SaleSent(_)
            | Change::Sale { .. }
            | Change::KeyCreated(_)
            | Change::KeyRevoked { .. }
            | Change::Budget { .. }
            | Change::Barrier => return None,
        })
    }
}

impl TryFrom<Record<'_>> for Change {
    type Error = InvalidBundlePath;

    fn try_from(record: Record<'_>) -> Result<Self, InvalidBundlePath> {
        Ok(match record {
            Record::Generations { generations, hold } => {
                Self::Generations { generations: read(generations)?, holds: Vec::from_iter(hold) }
            }
            Record::Captures { generations, holds } => {
                Self::Generations { generations: read(generations)?, holds }
            }
            Record::HoldPlaced {
                channel_id,
                id,
                license,
                units,
                request_digest,
                expires_at,
                api_key,
            } => {
                let hold = Hold { item: Item { license, units }, request_digest, expires_at };
                let (channel_id, api_key) = (ChannelId(channel_id), api_key.map(KeyId));
                Self::HoldPlaced { channel_id, id, hold, api_key }
            }
            Record::HoldReleased { id } => Self::HoldReleased { id },
        })
    }
}

fn read(records: Vec<GenerationRecord<'_>>) -> Result<Vec<Generation>, InvalidBundlePath> {
    records.into_iter().map(Generation::try_from).collect()
}

impl<'a> From<&'a Generation> for GenerationRecord<'a> {
    fn from(generation: &'a Generation) -> Self {
        let SignedReceipt { receipt, signature, bundle } = &generation.receipt;
        Self {
            channel_id: generation.channel_id.0,
            idempotency_key: Cow::Borrowed(&generation.idempotency_key),
            part: generation.part,
            channel: receipt.channel.to_bytes(),
            opened_slot: receipt.opened_slot,
            statement: receipt.statement,
            position: receipt.position,
            license: receipt.license,
            units: receipt.units,
            terms_number: receipt.terms_number,
            amount: receipt.amount,
            cumulative: receipt.cumulative,
            work: receipt.work.to_bytes(),
            request_digest: receipt.request_digest,
            output_digest: receipt.output_digest,
            issued_at: receipt.issued_at,
            receipt_signature: *signature,
            bundle: Cow::Borrowed(bundle.as_bytes()),
            voucher_key: generation.voucher_key.to_bytes(),
            voucher_expires_at: generation.voucher_expires_at,
            voucher_signature: generation.voucher_signature,
            api_key: generation.api_key.map(|key| key.0),
            charged: generation.charged,
        }
    }
}

impl TryFrom<GenerationRecord<'_>> for Generation {
    type Error = InvalidBundlePath;

    fn try_from(record: GenerationRecord<'_>) -> Result<Self, InvalidBundlePath> {
        let receipt = Receipt {
            channel: Pubkey::new_from_array(record.channel),
            opened_slot: record.opened_slot,
            statement: record.statement,
            position: record.position,
            license: record.license,
            units: record.units,
            terms_number: record.terms_number,
            amount: record.amount,
            cumulative: record.cumulative,
            work: Pubkey::new_from_array(record.work),
            request_digest: record.request_digest,
            output_digest: record.output_digest,
            issued_at: record.issued_at,
        };
        Ok(Self {
            channel_id: ChannelId(record.channel_id),
            idempotency_key: record.idempotency_key.into_owned(),
            part: record.part,
            receipt: SignedReceipt {
                receipt,
                signature: record.receipt_signature,
                bundle: BundlePath::from_bytes(&record.bundle).ok_or(InvalidBundlePath)?,
            },
            voucher_key: Pubkey::new_from_array(record.voucher_key),
            voucher_expires_at: record.voucher_expires_at,
            voucher_signature: record.voucher_signature,
            api_key: record.api_key.map(KeyId),
            charged: record.charged,
        })
    }
}
