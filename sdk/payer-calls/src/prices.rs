//! Prices, statements and vouchers.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::{
    bps::floor_share,
    voucher::{SignedVoucher, Statement},
};
use motif_json::{Foreign, object};
use motif_wire::{Address, Amount, Digest, SignatureHex, StatementEntry};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use crate::{Calls, Payers};

pub(crate) const CALLS: Calls = &[
    ("voucher.bytes", bytes),
    ("voucher.verify", verify),
    ("statement.digest", digest),
    ("price.quote", quote),
];

/// Voucher with or without its signature.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoucherArgument {
    cluster: Digest,
    channel: Address,
    opened_slot: u64,
    statement: u64,
    cumulative: Amount,
    statement_digest: Digest,
    expires_at: i64,
    #[serde(default)]
    signature: Option<SignatureHex>,
}

impl VoucherArgument {
    /// Returns the voucher, with zeros for a missing signature.
    pub fn signed(&self, key: Pubkey) -> SignedVoucher {
        let voucher = motif_interface::voucher::Voucher {
            cluster: self.cluster.0,
            channel: self.channel.0,
            opened_slot: self.opened_slot,
            statement: self.statement,
            cumulative: self.cumulative.0,
            statement_digest: self.statement_digest.0,
            expires_at: self.expires_at,
        };
        let signature = self.signature.map_or([0; 64], |signature| signature.0);
        SignedVoucher { voucher, key, signature }
    }
}

fn bytes(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { voucher: VoucherArgument });
    let bytes = voucher.signed(Pubkey::default()).voucher.to_bytes();
    Ok(Answer::of(&object! { "bytes": hex::encode(bytes) }))
}

fn verify(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { voucher: VoucherArgument, key: Address });
    if !voucher.signed(key.0).verifies() {
        return Err(CallError::new("voucher-invalid", "the key did not sign the voucher"));
    }
    Ok(Answer::empty())
}

fn digest(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { entries: Foreign<Vec<StatementEntry>> });
    let mut statement = Statement::default();
    for StatementEntry { license, units } in entries.0 {
        statement.add(license, units).map_err(|error| CallError::new("statement-full", error))?;
    }
    let (bytes, digest) = (hex::encode(statement.to_bytes()), Digest(statement.digest()));
    Ok(Answer::of(&object! { "bytes": bytes, "digest": digest }))
}

/// Multiplies a price by the units that are not free.
fn quote(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        price: Amount,
        units: u32,
        free_units: Amount = Amount(0),
        operator_fee_bps: u16 = 0,
    });
    let units = u64::from(units).saturating_sub(free_units.0);
    let price = price.0.checked_mul(units).ok_or_else(overflow)?;
    Ok(Answer::of(&priced(price, operator_fee_bps)?))
}

/// Price of units, with the operator's fee on it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Priced {
    /// Price.
    pub price: Amount,
    /// Fee.
    pub fee: Amount,
    /// Sum of both.
    pub total: Amount,
}

/// Adds the operator's fee on a price.
///
/// # Errors
/// `overflow`.
pub fn priced(price: u64, operator_fee_bps: u16) -> Result<Priced, CallError> {
    let fee = floor_share(price, operator_fee_bps);
    let total = price.checked_add(fee).ok_or_else(overflow)?;
    Ok(Priced { price: Amount(price), fee: Amount(fee), total: Amount(total) })
}

fn overflow() -> CallError {
    CallError::new("overflow", "an amount exceeds 2^64 - 1 base units")
}
