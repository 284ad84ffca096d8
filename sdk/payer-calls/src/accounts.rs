//! Accounts that a payer reads, from their data.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::{
    AccountData,
    channel::ChannelAccount,
    operator::{Operator, ReceiptKey},
};
use motif_json::{Json, object};
use motif_wire::{Address, Amount, Digest};
use solana_pubkey::Pubkey;

use crate::{
    Payers,
    parts::{LicenseParts, ReceiptKeyParts},
};

/// Error of account data that is not of the expected type.
pub fn invalid(expected: &str) -> CallError {
    CallError::new("account-invalid", format!("invalid account data: expected {expected}"))
}

/// Decodes a channel or an operator.
///
/// # Errors
/// `account-invalid`.
pub fn decode(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let account = call.raw;
    arguments!(call, {});
    if let Some(account) = ChannelAccount::from_bytes(account) {
        return Ok(Answer::of(&channel(&account)?));
    }
    let read =
        Operator::from_account_data(account).map_err(|_| invalid("a channel or an operator"))?;
    Ok(Answer::of(&object! { "kind": "operator", "operator": operator(&read) }))
}

/// Returns the address of a key, `None` for the default one.
pub fn key(key: &Pubkey) -> Option<Address> {
    (*key != Pubkey::default()).then_some(Address(*key))
}

/// Returns a time, `None` for the one that never comes.
pub fn time(time: i64) -> Option<i64> {
    (time != i64::MAX).then_some(time)
}

/// Returns a channel with its licenses.
///
/// # Errors
/// `overflow`.
pub fn channel(account: &ChannelAccount) -> Result<Json, CallError> {
    let channel = &account.channel;
    let overflow = |error| CallError::new("overflow", error);
    let licenses: Vec<_> = account.licenses.iter().map(LicenseParts::from).collect();
    let facts = object! {
        "payer": Address(channel.payer),
        "operator": Address(channel.operator),
        "watcher": key(&channel.watcher),
        "mint": Address(channel.mint),
        "voucher_key": Address(channel.voucher_key),
        "next_voucher_key": key(&channel.next_voucher_key),
        "rotates_at": time(channel.rotates_at),
        "cluster": Digest(channel.cluster),
        "salt": Amount(channel.salt),
        "opened_slot": channel.opened_slot,
        "operator_fee_bps": channel.operator_fee_bps,
        "grace_seconds": channel.grace_seconds,
        "closes_at": time(channel.closes_at),
        "payer_closes": channel.payer_closes == 1,
        "withdrawn": channel.withdrawn == 1,
        "self_metered": channel.self_metered == 1,
        "deposited": Amount(channel.deposited),
        "upfront_fees": Amount(channel.upfront_fees),
        "prices": Amount(channel.prices),
        "fees": Amount(channel.fees()),
        "cumulative": Amount(channel.cumulative().map_err(overflow)?),
        "free": Amount(channel.free().map_err(overflow)?),
        "earmarked": Amount(channel.earmarked),
        "quotas_held": channel.quotas_held,
        "collected": Amount(channel.collected),
        "fees_claimed": Amount(channel.fees_claimed),
        "refunded": Amount(channel.refunded),
        "statements": channel.statements.length,
    };
    Ok(object! { "kind": "channel", "channel": facts, "licenses": licenses })
}

/// Returns the fields of an operator.
pub fn operator(operator: &Operator) -> Json {
    let receipt_key =
        |key: &ReceiptKey| ReceiptKeyParts { key: Address(key.key), valid_from: key.valid_from };
    let keys: Vec<_> = operator.receipt_keys.keys.iter().map(receipt_key).collect();
    object! {
        "authority": Address(operator.authority),
        "settle_key": Address(operator.settle_key),
        "next_settle_key": key(&operator.next_settle_key),
        "settle_rotates_at": time(operator.settle_rotates_at),
        "fee_owner": Address(operator.fee_owner),
        "fee_bps": operator.fee_bps,
        "min_grace_seconds": operator.min_grace_seconds,
        "registered_at": operator.registered_at,
        "receipt_keys": keys,
        "url": operator.url,
    }
}
