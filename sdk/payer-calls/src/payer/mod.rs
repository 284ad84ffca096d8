//! Payers of channels. Each is a state machine that its host drives: see `README.md`.

mod effects;
mod errors;
mod requests;

use std::fmt;

use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::{channel::ChannelAccount, operator::ReceiptKeys};
use motif_json::{Foreign, Json, object};
use motif_payer::{
    KeptReceipt, Machine, PayerError, PayerPolicy, Payment, TagAmounts, is_transient,
};
use motif_wire::{
    Address, Amount, BatchedGeneration, ChannelState, Digest, ReceiptParts, SignatureHex,
};
use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};

use crate::{
    Calls, Payers, accounts,
    parts::{LicenseParts, ReceiptKeyParts, data, receipt_keys},
};

pub(crate) use errors::{payer_error, price_tag_error};

pub(crate) const CALLS: Calls = &[
    ("payer.new", new),
    ("payer.load", load),
    ("payer.free", free),
    ("payer.pay", pay),
    ("payer.check", check),
    ("payer.drop_waiting", drop_waiting),
    ("payer.next", next),
    ("payer.signed", signed),
    ("payer.withdraw", withdraw),
    ("payer.resend", resend),
    ("payer.lose_answer", lose_answer),
    ("payer.abandon", abandon),
    ("payer.answered", answered),
    ("payer.give_up", give_up),
    ("payer.is_transient", transient),
    ("payer.refresh", refresh),
    ("payer.compare", compare),
    ("payer.receipts", receipts),
    ("payer.forget_receipts", forget_receipts),
    ("payer.snapshot", snapshot),
    ("payer.status", status),
    ("payer.spent_on", spent_on),
    ("payer.license", license),
    ("payer.request", requests::request),
    ("payer.reader_header", requests::reader_header),
];

/// Limits of what a payer signs.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyParts {
    #[serde(default)]
    budget: Option<Amount>,
    #[serde(default)]
    budget_per_day: Option<Amount>,
    #[serde(default, deserialize_with = "budgets")]
    tag_budgets_per_day: TagAmounts,
    #[serde(default)]
    max_unit_price: Option<Amount>,
    #[serde(default)]
    voucher_seconds: Option<u32>,
    #[serde(default)]
    max_batch: Option<u32>,
}

/// Reads amounts by name.
fn budgets<'de, D: Deserializer<'de>>(from: D) -> Result<TagAmounts, D::Error> {
    struct Budgets;

    impl<'de> Visitor<'de> for Budgets {
        type Value = TagAmounts;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut read: A) -> Result<Self::Value, A::Error> {
            let mut budgets = TagAmounts::default();
            while let Some((tag, Amount(budget))) = read.next_entry::<String, _>()? {
                budgets.insert(&tag, budget);
            }
            Ok(budgets)
        }
    }

    from.deserialize_map(Budgets)
}

impl PolicyParts {
    fn policy(self) -> PayerPolicy {
        let usual = PayerPolicy::default();
        let amount = |amount: Option<Amount>| amount.map(|amount| amount.0);
        PayerPolicy {
            budget: amount(self.budget),
            budget_per_day: amount(self.budget_per_day),
            tag_budgets_per_day: self.tag_budgets_per_day,
            max_unit_price: amount(self.max_unit_price),
            voucher_seconds: self.voucher_seconds.unwrap_or(usual.voucher_seconds),
            max_batch: self.max_batch.map_or(usual.max_batch, |most| most as usize),
        }
    }
}

fn channel_account(text: &str) -> Result<ChannelAccount, CallError> {
    let account = ChannelAccount::from_bytes(&data(text, "account")?);
    account.ok_or_else(|| accounts::invalid("a channel"))
}

fn keys_of(account: &ChannelAccount, keys: Option<Vec<ReceiptKeyParts>>) -> ReceiptKeys {
    let sole = || ReceiptKeys::sole(account.channel.operator);
    keys.map_or_else(sole, |keys| receipt_keys(&keys))
}

fn new(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        channel: Address,
        account: String,
        receipt_keys: Option<Vec<ReceiptKeyParts>>,
        policy: PolicyParts = PolicyParts::default(),
        is_kept: bool,
    });
    let account = channel_account(&account)?;
    let keys = keys_of(&account, receipt_keys);
    let machine = Machine::new(channel.0, &account, keys, policy.policy(), is_kept);
    Ok(Answer::of(&object! { "payer": payers.add(machine) }))
}

fn load(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let file = call.raw;
    arguments!(call, {
        channel: Address,
        account: String,
        receipt_keys: Option<Vec<ReceiptKeyParts>>,
        policy: PolicyParts = PolicyParts::default(),
    });
    let account = channel_account(&account)?;
    let keys = keys_of(&account, receipt_keys);
    let loaded = Machine::load(channel.0, &account, keys, policy.policy(), file)
        .map_err(|error| errors::state_error(&error))?;
    let handle = loaded.map(|machine| payers.add(machine));
    Ok(Answer::of(&object! { "payer": handle }))
}

fn free(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32 });
    payers.payer(payer)?;
    payers.machines.retain(|(handle, _)| *handle != payer);
    Ok(Answer::empty())
}

fn pay(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        payer: u32,
        ticket: u64,
        generations: Vec<BatchedGeneration>,
        tag: Option<String>,
    });
    if generations.is_empty() {
        return Err(CallError::invalid_call("invalid `generations`: expected at least one"));
    }
    payers.machine(payer)?.pay(Payment { ticket, generations, tag });
    Ok(Answer::empty())
}

fn check(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        payer: u32,
        license: u16,
        units: u32,
        tag: Option<String>,
        now: i64,
    });
    let checked = payers.machine(payer)?.check(license, units, tag.as_deref(), now);
    checked.map_err(|error| payer_error(&error))?;
    Ok(Answer::empty())
}

fn tickets(tickets: &[u64]) -> Answer {
    Answer::of(&object! { "tickets": tickets })
}

fn drop_waiting(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32 });
    Ok(tickets(&payers.machine(payer)?.drop_waiting()))
}

fn next(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, now: i64 });
    Ok(effects::effects(&payers.machine(payer)?.next(now)))
}

fn signed(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, signature: SignatureHex });
    Ok(effects::effects(&payers.machine(payer)?.signed(signature.0)))
}

fn withdraw(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32 });
    Ok(tickets(&payers.machine(payer)?.withdraw()))
}

fn resend(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32 });
    let request = payers.machine(payer)?.resend();
    Ok(Answer::of(
        &object! { "request": request.as_ref().map_or_else(|| Json::of(&()), effects::request) },
    ))
}

fn lose_answer(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32 });
    payers.machine(payer)?.lose_answer();
    Ok(Answer::empty())
}

fn abandon(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32 });
    Ok(tickets(&payers.machine(payer)?.abandon()))
}

fn answered(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let body = call.raw;
    arguments!(call, { payer: u32, status: u16, now: i64 });
    let payer = payers.payer(payer)?;
    match payer.machine.answered(status, body, now) {
        Ok(effects) => {
            payer.error = None;
            Ok(effects::effects(&effects))
        }
        Err(error) => Err(payer_error(payer.error.insert(error))),
    }
}

/// Stops repeating the batch whose last answer was an error.
fn give_up(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32 });
    let payer = payers.payer(payer)?;
    let none = || {
        CallError::invalid_call("the last answer was no error: expected one of `payer.answered`")
    };
    let error = payer.error.take().ok_or_else(none)?;
    Ok(effects::effects(&payer.machine.give_up(&error)))
}

fn transient(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let body = call.raw;
    arguments!(call, { status: u16 });
    Ok(Answer::of(&object! { "is_transient": is_transient(status, body) }))
}

fn refresh(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, account: String });
    let account = channel_account(&account)?;
    let refreshed = payers.machine(payer)?.refresh(&account);
    refreshed.map_err(|error| payer_error(&error))?;
    Ok(Answer::empty())
}

fn compare(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, state: Foreign<ChannelState> });
    let compared = payers.machine(payer)?.compare(&state.0);
    Ok(effects::effects(&compared.map_err(|error| payer_error(&error))?))
}

fn receipts(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32 });
    let kept = |kept: &KeptReceipt| {
        object! {
            "number": kept.number,
            "tag": kept.tag,
            "charged": Amount(kept.charged),
            "receipt": ReceiptParts::from(&kept.receipt),
        }
    };
    let receipts: Vec<_> = payers.machine(payer)?.receipts().iter().map(kept).collect();
    Ok(Answer::of(&object! { "receipts": Json::array(&receipts) }))
}

fn forget_receipts(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, through: u64 });
    Ok(effects::effects(&payers.machine(payer)?.forget_receipts(through)))
}

fn snapshot(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32 });
    Ok(Answer::empty().with_raw(payers.machine(payer)?.snapshot()))
}

fn status(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32 });
    let machine = payers.machine(payer)?;
    let amount =
        |amount: Result<u64, PayerError>| amount.map(Amount).map_err(|error| payer_error(&error));
    let (cumulative, available) = (amount(machine.cumulative())?, amount(machine.available())?);
    let channel = machine.channel();
    Ok(Answer::of(&object! {
        "channel": Address(machine.address()),
        "opened_slot": channel.opened_slot,
        "payer": Address(channel.payer),
        "operator": Address(channel.operator),
        "mint": Address(channel.mint),
        "voucher_key": Address(channel.voucher_key),
        "cluster": Digest(channel.cluster),
        "operator_fee_bps": channel.operator_fee_bps,
        "statement": machine.statement(),
        "licenses": machine.licenses().len(),
        "waiting": machine.waiting(),
        "is_unanswered": machine.is_unanswered(),
        "has_doubts": machine.has_doubts(),
        "spent": Amount(machine.spent()),
        "cumulative": cumulative,
        "available": available,
    }))
}

fn spent_on(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, day: i64, tag: Option<String> });
    let machine = payers.machine(payer)?;
    let spent = machine.spent_on(day, tag.as_deref());
    let committed = machine.committed_on(day, tag.as_deref());
    Ok(Answer::of(&object! { "spent": Amount(spent), "committed": Amount(committed) }))
}

fn license(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, license: u16 });
    let found = payers.machine(payer)?.license(license);
    let found = found.ok_or_else(|| payer_error(&PayerError::LicenseNotFound(license)))?;
    Ok(Answer::of(&object! { "license": LicenseParts::from(&found) }))
}
