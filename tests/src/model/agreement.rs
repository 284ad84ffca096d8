//! Comparison of accounts with the ledger.

use anchor_lang::AccountDeserialize;
use licensing::WorkStatus;
use motif_sdk::channel::ChannelAccount;
use payments::{Earnings, Part};
use solana_pubkey::Pubkey;

use super::{Book, Channel, NEVER, Operator, Status, Till, Work};

/// Result of a comparison; the error describes the difference.
type Agreement = Result<(), String>;

fn same<T: PartialEq + std::fmt::Debug>(what: &str, chain: T, ledger: T) -> Agreement {
    if chain == ledger {
        return Ok(());
    }
    Err(format!("{what}: {chain:?} on chain, {ledger:?} in the ledger"))
}

/// Compares an earnings account with a book.
///
/// # Errors
/// The first difference.
pub fn same_book(data: &[u8], book: &Book) -> Agreement {
    let body = data.strip_prefix(Earnings::DISCRIMINATOR).ok_or("these are no earnings")?;
    let (header, parts) = body.split_at_checked(size_of::<Earnings>()).ok_or("no header")?;
    let earnings: Earnings = bytemuck::pod_read_unaligned(header);
    let (parts, rest) = parts.as_chunks::<{ Part::SIZE }>();
    same("bytes left over", rest.len(), 0)?;
    let parts: Vec<Part> = parts.iter().map(|bytes| bytemuck::pod_read_unaligned(bytes)).collect();

    same("earned", u128::from(earnings.earned), book.earned)?;
    same("split version", earnings.split_version, book.split_version)?;
    same("parents", usize::from(earnings.parents), book.parents.len())?;
    same("given out before", u128::from(earnings.own_before), book.given_out())?;
    let (own, earned) = (earnings.own_contested, earnings.earned_contested);
    let contested = (earnings.dispute, u128::from(own), u128::from(earned));
    same("contested", contested, book.contested)?;
    let dropped = (u128::from(earnings.earned_before), u128::from(earnings.own_start));
    same("before the last dropped parent", dropped, book.dropped)?;
    let (parents, people) = parts.split_at_checked(book.parents.len()).ok_or("parents missing")?;
    for (part, parent) in parents.iter().zip(&book.parents) {
        same("parent", part.key, parent.work)?;
        same("parent's share", part.share_bps, parent.bps)?;
        same("parent's share before", u128::from(part.entitled_before), parent.before)?;
        same("pulled", u128::from(part.taken), parent.taken)?;
    }
    let (present, others) =
        people.split_at_checked(book.split.len()).ok_or("recipients missing")?;
    for (part, (person, bps)) in present.iter().zip(&book.split) {
        same("recipient", part.key, *person)?;
        same("recipient's share", part.share_bps, *bps)?;
    }
    let room = others.iter().position(|part| *part == Part::default()).unwrap_or(others.len());
    let (former, room) = others.split_at(room);
    same("room", room.iter().all(|part| *part == Part::default()), true)?;
    same("former share", former.iter().all(|part| part.share_bps == 0), true)?;
    let known = book.people.values().filter(|standing| !standing.forgotten).count();
    same("people", present.len() + former.len(), known)?;
    for part in present.iter().chain(former) {
        let standing = book.people.get(&part.key).ok_or("an unknown person")?;
        let since = |total: u128| total - standing.written_off;
        same("entitled before", u128::from(part.entitled_before), since(standing.before))?;
        same("taken", u128::from(part.taken), since(standing.taken))?;
        same("forgotten", false, standing.forgotten)?;
    }
    Ok(())
}

/// Compares a channel's account with the ledger.
///
/// # Errors
/// The first difference.
pub fn same_channel(data: &[u8], channel: &Channel) -> Agreement {
    let account = ChannelAccount::from_bytes(data).ok_or("this is no channel")?;
    let chain = account.channel;
    same("parties", (chain.payer, chain.operator), (channel.payer, channel.operator))?;
    same("watcher", chain.watcher(), channel.watcher)?;
    let closing = (chain.closes_at, chain.closes_slot, chain.payer_closes == 1);
    same("self-metered", chain.self_metered == 1, channel.self_metered)?;
    same("closing", closing, (channel.closes_at, channel.closes_slot, channel.payer_closes))?;
    same("earmarked", u128::from(chain.earmarked), channel.earmarked())?;
    same("mint", chain.mint, channel.mint)?;
    same("fee", chain.operator_fee_bps, channel.fee_bps)?;
    same("opened", chain.opened_slot, channel.opened_slot)?;
    same("deposited", u128::from(chain.deposited), channel.deposited)?;
    same("prices", u128::from(chain.prices), channel.prices())?;
    same("upfront fees", u128::from(chain.upfront_fees), channel.upfront())?;
    same("collected", u128::from(chain.collected), channel.collected())?;
    same("fees claimed", u128::from(chain.fees_claimed), channel.fees_claimed)?;
    same("refunded", u128::from(chain.refunded), channel.refunded.unwrap_or(0))?;
    same("withdrawn", chain.withdrawn == 1, channel.refunded.is_some())?;
    same("closes at", chain.closes_at, channel.closes_at)?;
    let length = channel.statements.len();
    same("statements", chain.statements.length, length as u64)?;
    let mut first = 0;
    for (height, peak) in chain.statements.peaks.iter().enumerate().rev() {
        let count = 1 << height;
        let there = length & count != 0;
        let root = if there { channel.root(first, count) } else { [0; 32] };
        same("a peak of the receipts", *peak, root)?;
        first += if there { count } else { 0 };
    }
    same("licenses", account.licenses.len(), channel.licenses.len())?;
    for (chain, license) in account.licenses.iter().zip(&channel.licenses) {
        same("licensed work", chain.work, license.work)?;
        same("licensed terms", chain.terms_number, license.terms_number)?;
        same("price", u128::from(chain.price), license.price)?;
        same("earmark", u128::from(chain.earmark()), license.earmark())?;
        same("expiry", chain.expires_at, license.expires_at)?;
        same("units", u128::from(chain.units), license.units)?;
        same("settled", u128::from(chain.settled), license.upfront + license.prices)?;
        same("collected of it", u128::from(chain.collected), license.collected)?;
        let free = license.free.saturating_sub(license.units);
        same("free units", u128::from(chain.free_units_left), free)?;
        let left = |most: Option<u128>, used| most.map_or(u128::from(u64::MAX), |most| most - used);
        let units = left(license.most_units, license.units);
        same("units left", u128::from(chain.units_left), units)?;
        let revenue = left(license.most_revenue, license.prices);
        same("revenue left", u128::from(chain.revenue_left), revenue)?;
    }
    let held = channel.licenses.iter().filter(|license| license.holds_quota()).count();
    same("quotas held", chain.quotas_held as usize, held)
}

/// Compares a work's account with the ledger.
///
/// # Errors
/// The first difference.
pub fn same_work(mut data: &[u8], work: &Work) -> Agreement {
    let chain = licensing::Work::try_deserialize(&mut data).map_err(|_| "this is no work")?;
    same("creator", chain.creator, work.creator)?;
    same("owner", chain.owner, work.owner)?;
    same("pending owner", chain.pending_owner, work.pending_owner)?;
    let status = match (work.dispute, work.status) {
        (Some(_), _) => WorkStatus::Disputed,
        (None, Status::Active) => WorkStatus::Active,
        (None, Status::Withdrawn) => WorkStatus::Withdrawn,
    };
    same("status", chain.status, status)?;
    same("latest terms", chain.latest_terms, work.latest_terms)?;
    same("split version", chain.split_version, work.split_version)?;
    same("verdict version", chain.verdict_version, work.verdict_version)?;
    same("disputes", chain.disputes, work.disputes)?;
    same("upheld dispute", chain.verdict_dispute, work.verdict_dispute)?;
    same("terms before a verdict", chain.verdict_terms, work.verdict_terms)?;
    let keeps = (chain.verdict_keeps_recipients, work.verdict_keeps_recipients);
    same("kept recipients", keeps.0, keeps.1)?;
    same("withdrawn at", chain.withdrawn_at, work.withdrawn_at.unwrap_or(NEVER))?;
    let consent = chain.consent.map(|consent| {
        let end = consent.expires_at.unwrap_or(NEVER);
        (consent.person, end)
    });
    same("consent", consent, work.consent)?;
    same("title", chain.title, work.title.clone())?;
    same("metadata", (chain.metadata_uri, chain.metadata_digest), work.metadata.clone())?;
    same("certificate", chain.certificate.is_some(), work.certified)?;
    let inherited = chain.inherited;
    same("inherited end", inherited.expires_at, work.inherited.ends_by)?;
    same("inherited openness", inherited.share_alike, work.inherited.share_alike)?;
    same("inherited commerce", inherited.non_commercial, work.inherited.non_commercial)?;
    let parents: Vec<_> =
        chain.parents.iter().map(|parent| (parent.work, parent.share_bps)).collect();
    same("parents", &parents, &work.parents)?;
    let split: Vec<_> =
        chain.split.iter().map(|share| (share.recipient, share.share_bps)).collect();
    same("split", &split, &work.split)
}

/// Compares an operator's account with the ledger.
///
/// # Errors
/// The first difference.
pub fn same_operator(mut data: &[u8], authority: &Pubkey, operator: &Operator) -> Agreement {
    let chain =
        payments::Operator::try_deserialize(&mut data).map_err(|_| "this is no operator")?;
    let conditions = &operator.conditions;
    same("authority", chain.authority, *authority)?;
    same("minimum fee", chain.fee_bps, conditions.fee_bps)?;
    same("minimum grace period", chain.min_grace_seconds, conditions.grace_seconds)?;
    same("fee owner", chain.fee_owner, conditions.fee_owner)?;
    same("URL", &chain.url, &conditions.url)?;
    same("registered at", chain.registered_at, operator.registered_at)?;
    let mut settle_keys = vec![(i64::MIN, chain.settle_key)];
    if chain.settle_rotates_at != NEVER {
        settle_keys.push((chain.settle_rotates_at, chain.next_settle_key));
    }
    same("settle keys", &settle_keys, &operator.settle_keys)?;
    let receipt_keys: Vec<_> =
        chain.receipt_keys.keys.iter().map(|receipt| (receipt.valid_from, receipt.key)).collect();
    same("receipt keys", &receipt_keys, &operator.receipt_keys)
}

/// Compares a till's account with the ledger.
///
/// # Errors
/// The first difference.
pub fn same_till(mut data: &[u8], till: &Till) -> Agreement {
    let chain = payments::Till::try_deserialize(&mut data).map_err(|_| "this is no till")?;
    same("mint", chain.mint, till.mint)?;
    same("operator", chain.shares.operator, till.operator)?;
    same("operator's parts", chain.shares.operator_parts, till.operator_parts)?;
    let works: Vec<_> = chain.shares.works.iter().map(|share| (share.work, share.parts)).collect();
    same("works", &works, &till.works)?;
    same("paid to the operator", u128::from(chain.operator_paid), till.operator_paid)?;
    let paid: Vec<_> = chain.works_paid.iter().map(|paid| u128::from(*paid)).collect();
    same("paid to works", &paid, &till.works_paid)
}
