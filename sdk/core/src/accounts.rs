//! Accounts of both programs and of the token programs, from their data.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::{
    AccountData,
    channel::{Channel, ChannelAccount},
    earnings::{Earnings, EarningsAccount},
    licensing::{
        Approval, Config, Dispute, Share, SplitChange, Terms, Work, WorkHead, terms_digest,
    },
    mint_decimals,
    payments::{Issuance, Licensee, Till, Vault},
    token_amount,
};
use motif_json::{Field, Json, object};
use motif_payer_calls::{
    Calls, Payers,
    accounts::{channel, invalid, operator, time},
    parts::{SharesParts, data},
};
use motif_wire::{Address, Amount, Digest, ParentShare};
use serde_json::{Value, json};

use crate::parts::{OfferParts, ShareParts};

pub(crate) const CALLS: Calls = &[
    ("account.decode", decode),
    ("earnings.owed", owed),
    ("token.amount", amount),
    ("token.decimals", decimals),
];

/// Reads the data of an account of one type.
type Reader = fn(&[u8]) -> Option<Json>;

fn decode(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let account = call.raw;
    arguments!(call, {});
    let starts = |discriminator: &[u8]| account.starts_with(discriminator);
    let decoded = if starts(Channel::DISCRIMINATOR) {
        ChannelAccount::from_bytes(account).map(|account| channel(&account)).transpose()?
    } else if starts(Earnings::DISCRIMINATOR) {
        EarningsAccount::from_bytes(account).map(|account| Json::of(&earnings(&account)))
    } else {
        let readers: [Reader; 11] = [
            |data| read("work", data, work),
            |data| read("terms", data, |read| terms(read, data)),
            |data| read("operator", data, operator),
            |data| read("vault", data, vault),
            |data| read("till", data, till),
            |data| read("licensee", data, licensee),
            |data| read("issuance", data, issuance),
            |data| read("approval", data, approval),
            |data| read("split_change", data, split_change),
            |data| read("dispute", data, dispute),
            |data| read("config", data, config),
        ];
        readers.iter().find_map(|read| read(account))
    };
    Ok(Answer::of(&decoded.ok_or_else(|| invalid("an account of Motif"))?))
}

fn read<T: AccountData, F: Field>(
    kind: &str,
    data: &[u8],
    facts: impl Fn(&T) -> F,
) -> Option<Json> {
    let read = T::from_account_data(data).ok()?;
    let mut account = object! { "kind": kind };
    account.push(kind, &facts(&read));
    Some(account)
}

fn shares(split: &[Share]) -> Vec<ShareParts> {
    let share = |share: &Share| ShareParts {
        recipient: Address(share.recipient),
        share_bps: share.share_bps,
    };
    split.iter().map(share).collect()
}

fn earnings(account: &EarningsAccount) -> Value {
    let earnings = &account.earnings;
    let parents = account.parents.iter().enumerate().map(|(position, part)| {
        json!({
            "work": Address(part.key),
            "share_bps": part.share_bps,
            "taken": Amount(part.taken),
            "entitled": Amount(account.parent_entitled(position)),
        })
    });
    let recipients = account.recipients.iter().enumerate().map(|(position, part)| {
        json!({
            "recipient": Address(part.key),
            "share_bps": part.share_bps,
            "taken": Amount(part.taken),
            "entitled": Amount(account.entitled(position)),
        })
    });
    json!({
        "kind": "earnings",
        "earnings": {
            "work": Address(earnings.work),
            "mint": Address(earnings.mint),
            "earned": Amount(earnings.earned),
            "own": Amount(earnings.own()),
            "own_bps": earnings.own_bps,
            "split_version": earnings.split_version,
            "dispute": earnings.dispute,
        },
        "parents": parents.collect::<Vec<_>>(),
        "recipients": recipients.collect::<Vec<_>>(),
    })
}

/// Amounts that parents can pull and recipients can claim now; the raw bytes are the earnings, `work` is the
/// data of their work.
fn owed(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let account = call.raw;
    arguments!(call, { work: String });
    let account = EarningsAccount::from_bytes(account).ok_or_else(|| invalid("earnings"))?;
    let head = WorkHead::from_bytes(&data(&work, "work")?).map_err(|_| invalid("a work"))?;
    let parents = account.parents.iter().enumerate().map(|(position, part)| {
        json!({ "work": Address(part.key), "amount": Amount(account.pullable(position, &head)) })
    });
    let recipients = account.recipients.iter().enumerate().map(|(position, part)| {
        let amount = Amount(account.claimable(position, &head));
        let place = account.parents.len() + position;
        json!({ "recipient": Address(part.key), "position": place, "amount": amount })
    });
    Ok(Answer::of(&json!({
        "parents": parents.collect::<Vec<_>>(),
        "recipients": recipients.collect::<Vec<_>>(),
    })))
}

fn work(work: &Work) -> Value {
    let parents = work.parents.iter().map(|parent| ParentShare {
        work: Address(parent.work),
        share_bps: parent.share_bps,
        terms_number: parent.terms_number,
    });
    let parents: Vec<_> = parents.collect();
    let consent = work.consent.map(
        |consent| json!({ "person": Address(consent.person), "expires_at": consent.expires_at }),
    );
    let model = work.model.as_ref().map(|model| {
        json!({
            "base_model": model.base_model,
            "training_root": Digest(model.training_root),
            "previous": model.previous.map(Address),
        })
    });
    json!({
        "kind": work.kind,
        "status": work.status,
        "title": work.title,
        "creator": Address(work.creator),
        "owner": Address(work.owner),
        "pending_owner": work.pending_owner.map(Address),
        "content_digest": Digest(work.content_digest),
        "fingerprint": {
            "scheme": work.fingerprint.scheme,
            "bits": hex::encode(work.fingerprint.bits),
        },
        "metadata_uri": work.metadata_uri,
        "metadata_digest": Digest(work.metadata_digest),
        "registered_at": work.registered_at,
        "withdrawn_at": time(work.withdrawn_at),
        "latest_terms": work.latest_terms,
        "split_version": work.split_version,
        "disputes": work.disputes,
        "consent": consent,
        "model": model,
        "certificate": work.certificate.map(Address),
        "inherited": {
            "expires_at": work.inherited.expires_at,
            "share_alike": work.inherited.share_alike,
            "non_commercial": work.inherited.non_commercial,
        },
        "parents": parents,
        "split": shares(&work.split),
    })
}

fn terms(terms: &Terms, data: &[u8]) -> Value {
    json!({
        "work": Address(terms.work),
        "number": terms.number,
        "currency": Address(terms.currency),
        "published_at": terms.published_at,
        "offer": OfferParts::from(&terms.offer),
        "digest": Digest(terms_digest(data)),
    })
}

fn vault(vault: &Vault) -> Value {
    json!({
        "mint": Address(vault.mint),
        "decimals": vault.decimals,
        "token_program": Address(vault.token_program),
        "tokens": Address(vault.tokens),
    })
}

fn till(till: &Till) -> Value {
    let paid: Vec<_> = till.works_paid.iter().copied().map(Amount).collect();
    json!({
        "mint": Address(till.mint),
        "shares": SharesParts::from(&till.shares),
        "works_paid": paid,
        "operator_paid": Amount(till.operator_paid),
    })
}

fn licensee(licensee: &Licensee) -> Value {
    json!({ "terms": Address(licensee.terms), "payer": Address(licensee.payer) })
}

fn issuance(issuance: &Issuance) -> Value {
    json!({
        "terms": Address(issuance.terms),
        "units": Amount(issuance.units),
        "revenue": Amount(issuance.revenue),
    })
}

fn approval(approval: &Approval) -> Value {
    json!({
        "terms": Address(approval.terms),
        "grantee": Address(approval.grantee),
        "purpose": approval.purpose,
        "granted_by": Address(approval.granted_by),
        "granted_at": approval.granted_at,
    })
}

fn split_change(change: &SplitChange) -> Value {
    json!({
        "work": Address(change.work),
        "proposer": Address(change.proposer),
        "split_version": change.split_version,
        "recipients": change.recipients,
        "expires_at": change.expires_at,
        "split": shares(&change.split),
    })
}

fn dispute(dispute: &Dispute) -> Value {
    json!({
        "work": Address(dispute.work),
        "claimant": Address(dispute.claimant),
        "bond_lamports": Amount(dispute.bond_lamports),
        "opened_at": dispute.opened_at,
        "deadline": dispute.deadline,
        "status_before": dispute.status_before,
        "evidence_digest": Digest(dispute.evidence_digest),
        "evidence_uri": dispute.evidence_uri,
    })
}

fn config(config: &Config) -> Value {
    json!({
        "cluster": Digest(config.cluster),
        "authority": Address(config.authority),
        "pending_authority": config.pending_authority.map(Address),
        "arbiter": Address(config.arbiter),
        "dispute_bond_lamports": Amount(config.dispute_bond_lamports),
        "dispute_seconds": config.dispute_seconds,
    })
}

fn amount(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let account = call.raw;
    arguments!(call, {});
    let amount = token_amount(account).ok_or_else(|| invalid("a token account"))?;
    Ok(Answer::of(&json!({ "amount": Amount(amount) })))
}

fn decimals(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let account = call.raw;
    arguments!(call, {});
    let decimals = mint_decimals(account).ok_or_else(|| invalid("a mint"))?;
    Ok(Answer::of(&json!({ "decimals": decimals })))
}
