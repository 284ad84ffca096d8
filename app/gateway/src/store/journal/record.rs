use std::borrow::Cow;

use borsh::{BorshDeserialize, BorshSerialize};
use motif_sdk::{
    Pubkey,
    receipt::{Receipt, SignedReceipt, bundle::BundlePath},
};

use crate::{
    keys::KeyId,
    ledger::{Hold, HoldId, Item},
    store::{Change, ChannelId, Generation},
};

/// A change as the journal has it: those of payers, which are many. Everything else goes to the
/// tables at once.
///
/// Written by Borsh, so the order of variants and fields is the layout: add at the end, take
/// nothing away.
#[derive(BorshSerialize, BorshDeserialize)]
pub enum Record<'a> {
    /// [`Change::Generations`].
    Generations { generations: Vec<GenerationRecord<'a>>, hold: Option<HoldId> },
    /// [`Change::HoldPlaced`].
    HoldPlaced {
        channel_id: i64,
        id: HoldId,
        license: u16,
        units: u32,
        request_digest: [u8; 32],
        expires_at: i64,
    },
    /// [`Change::HoldReleased`].
    HoldReleased { id: HoldId },
    /// [`Change::Generations`] of which some receipt was signed together with others, and the
    /// way of each to what was signed.
    Bundled {
        generations: Vec<GenerationRecord<'a>>,
        bundles: Vec<Cow<'a, [u8]>>,
        hold: Option<HoldId>,
    },
}

/// Bytes that this journal does not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a receipt's way to what was signed is none")]
pub struct NoRecord;

/// A generation, field by field.
#[derive(BorshSerialize, BorshDeserialize)]
pub struct GenerationRecord<'a> {
    channel_id: i64,
    idempotency_key: Cow<'a, str>,
    part: u32,
    /// Zeros; once SHA-256 of what was asked, which the rest says as well.
    unused: [u8; 32],
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
    voucher_expires_at: i64,
    voucher_signature: [u8; 64],
    api_key: Option<[u8; 8]>,
    charged: u64,
}

impl<'a> Record<'a> {
    /// The record of a change; `None` for one that is not the journal's.
    pub fn of(change: &'a Change) -> Option<Self> {
        Some(match change {
            Change::Generations { generations, hold } => {
                let bundles = generations.iter().map(|one| &one.receipt.bundle);
                let are_alone = bundles.clone().all(BundlePath::is_alone);
                let generations = generations.iter().map(GenerationRecord::from).collect();
                if are_alone {
                    Self::Generations { generations, hold: *hold }
                } else {
                    let bundles = bundles.map(|path| Cow::Borrowed(path.as_bytes())).collect();
                    Self::Bundled { generations, bundles, hold: *hold }
                }
            }
            Change::HoldPlaced { channel_id, id, hold } => Self::HoldPlaced {
                channel_id: channel_id.0,
                id: *id,
                license: hold.item.license,
                units: hold.item.units,
                request_digest: hold.request_digest,
                expires_at: hold.expires_at,
            },
            Change::HoldReleased { id } => Self::HoldReleased { id: *id },
            Change::Cut { .. }
            | Change::Observed { .. }
            | Change::Transaction(_)
            | Change::Outcome { .. }
            | Change::KeyMade(_)
            | Change::KeyRevoked { .. }
            | Change::Budget { .. }
            | Change::Nothing => return None,
        })
    }
}

impl TryFrom<Record<'_>> for Change {
    type Error = NoRecord;

    fn try_from(record: Record<'_>) -> Result<Self, NoRecord> {
        Ok(match record {
            Record::Generations { generations, hold } => {
                let generations = generations.into_iter().map(Generation::from).collect();
                Self::Generations { generations, hold }
            }
            Record::HoldPlaced { channel_id, id, license, units, request_digest, expires_at } => {
                let hold = Hold { item: Item { license, units }, request_digest, expires_at };
                Self::HoldPlaced { channel_id: ChannelId(channel_id), id, hold }
            }
            Record::HoldReleased { id } => Self::HoldReleased { id },
            Record::Bundled { generations, bundles, hold } => {
                if bundles.len() != generations.len() {
                    return Err(NoRecord);
                }
                let read = |(one, bundle): (GenerationRecord, &Cow<[u8]>)| {
                    let mut generation = Generation::from(one);
                    generation.receipt.bundle = BundlePath::from_bytes(bundle).ok_or(NoRecord)?;
                    Ok(generation)
                };
                let generations = generations.into_iter().zip(&bundles).map(read);
                Self::Generations { generations: generations.collect::<Result<_, _>>()?, hold }
            }
        })
    }
}

impl<'a> From<&'a Generation> for GenerationRecord<'a> {
    fn from(generation: &'a Generation) -> Self {
        let SignedReceipt { receipt, signature, .. } = &generation.receipt;
        Self {
            channel_id: generation.channel_id.0,
            idempotency_key: Cow::Borrowed(&generation.idempotency_key),
            part: generation.part,
            unused: [0; 32],
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
            voucher_expires_at: generation.voucher_expires_at,
            voucher_signature: generation.voucher_signature,
            api_key: generation.api_key.map(|key| key.0),
            charged: generation.charged,
        }
    }
}

impl From<GenerationRecord<'_>> for Generation {
    fn from(record: GenerationRecord<'_>) -> Self {
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
        Self {
            channel_id: ChannelId(record.channel_id),
            idempotency_key: record.idempotency_key.into_owned(),
            part: record.part,
            receipt: SignedReceipt {
                receipt,
                signature: record.receipt_signature,
                bundle: BundlePath::default(),
            },
            voucher_expires_at: record.voucher_expires_at,
            voucher_signature: record.voucher_signature,
            api_key: record.api_key.map(KeyId),
            charged: record.charged,
        }
    }
}
