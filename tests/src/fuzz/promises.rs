//! Promises that must hold after every instruction.

use crate::model::{Book, Channel, Ledger, License, Till};

/// Checks the promises of docs/architecture.md on the model, which equals the accounts.
///
/// # Errors
/// The first broken promise.
pub(super) fn check(was: &Ledger, is: &Ledger, by: &str) -> Result<(), String> {
    for (address, channel) in &is.channels {
        let before = was.channels.get(address);
        let before = before.filter(|before| before.opened_slot == channel.opened_slot);
        check_channel(channel).map_err(|what| format!("channel {address}: {what}"))?;
        if let Some(before) = before {
            check_totals(before, channel, by)
                .map_err(|what| format!("channel {address}: {what}"))?;
        }
    }
    for (key, book) in &is.books {
        check_book(book).map_err(|what| format!("earnings {key:?}: {what}"))?;
        let verdict = is.works[&key.0].verdict_version;
        if let Some(before) = was.books.get(key) {
            let judged =
                verdict > before.split_version && book.split_version != before.split_version;
            check_entitlements(before, book, judged)
                .map_err(|what| format!("earnings {key:?}: {what}"))?;
        }
    }
    for (address, till) in &is.tills {
        let before = was.tills.get(address);
        check_till(before, till).map_err(|what| format!("till {address}: {what}"))?;
    }
    for (mint, held) in &is.vaults {
        let owed = is.owed_by_vault(mint);
        require(*held == owed, || format!("the vault holds {held} and owes {owed}"))?;
    }
    let tokens = |ledger: &Ledger| {
        let purses: u128 = ledger.purses.values().map(|purse| purse.amount()).sum();
        let tills: u128 = ledger.tills.values().map(|till| till.balance).sum();
        purses + tills + ledger.vaults.values().sum::<u128>()
    };
    require(tokens(was) == tokens(is), || "tokens came from nowhere".to_owned())
}

/// Checks the rest after every party was paid: dust, and entitlements of parties that cannot be
/// paid or whose works have no earnings accounts.
///
/// # Errors
/// The first entitlement that could have been paid.
pub(super) fn check_end(ledger: &Ledger) -> Result<(), String> {
    for ((work, mint), book) in &ledger.books {
        let stuck = |person| !ledger.takes_money(person, mint);
        let waiting: u128 =
            book.people.keys().filter(|person| stuck(person)).map(|person| book.owed(person)).sum();
        let upstream =
            book.parents.iter().filter(|parent| !ledger.books.contains_key(&(parent.work, *mint)));
        let unpulled: u128 = upstream.map(|parent| book.due(parent)).sum();
        let left = book.left();
        require(left == book.dust() + waiting + unpulled, || {
            format!("earnings of {work}: {left} left, {waiting} waiting, {unpulled} unpulled")
        })?;
    }
    for (address, till) in &ledger.tills {
        let operator = ledger.operators.get(&till.operator);
        let stuck = |owner| !ledger.takes_money(owner, &till.mint);
        let waits = operator.is_some_and(|operator| stuck(&operator.conditions.fee_owner));
        let waiting = if waits { till.due_to_operator() } else { 0 };
        let dust = till.balance - waiting;
        let parties = till.works.len() + usize::from(till.operator_parts > 0);
        require(dust < parties as u128, || format!("till {address}: {dust} for {parties}"))?;
    }
    Ok(())
}

fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn check_channel(channel: &Channel) -> Result<(), String> {
    let charged = channel.charged();
    let refunded = channel.refunded.unwrap_or(0);
    require(channel.deposited >= charged + refunded, || "charged above deposit".to_owned())?;
    let backed = channel.deposited >= channel.committed() + refunded;
    require(backed, || "a quota is held without the money to use it".to_owned())?;
    let taken = channel.collected() + channel.fees_claimed;
    require(charged >= taken, || "paid out more than was charged".to_owned())
}

/// Checks that totals never fall and that accepted conditions do not get worse.
fn check_totals(before: &Channel, after: &Channel, by: &str) -> Result<(), String> {
    let grows = after.deposited >= before.deposited
        && after.prices() >= before.prices()
        && after.upfront() >= before.upfront()
        && after.collected() >= before.collected()
        && after.fees_claimed >= before.fees_claimed
        && after.statements.starts_with(&before.statements);
    require(grows, || "a total fell".to_owned())?;
    for (before, after) in before.licenses.iter().zip(&after.licenses) {
        let kept = (after.work, after.price, after.free, after.most_daily)
            == (before.work, before.price, before.free, before.most_daily);
        require(kept, || "a license changed".to_owned())?;
        let lasts = after.expires_at == before.expires_at || by == "apply_withdrawal";
        require(lasts, || "a license ends at another time".to_owned())?;
        let caps = |license: &License| (license.most_units, license.most_revenue);
        let capped = caps(after) == caps(before) || by == "release_quota";
        require(capped, || "a license has other caps".to_owned())?;
    }
    Ok(())
}

/// Checks that no party was paid more than its share of everything received, and that what was
/// received and paid never falls.
fn check_till(before: Option<&Till>, till: &Till) -> Result<(), String> {
    let works = till.works.iter().map(|(_, parts)| *parts).zip(&till.works_paid);
    let mut parties = works.chain([(till.operator_parts, &till.operator_paid)]);
    let paid_right = parties.all(|(parts, paid)| *paid <= till.entitled(parts));
    require(paid_right, || "a party was paid more than its share".to_owned())?;
    let Some(before) = before else { return Ok(()) };
    let mut paid = before.works_paid.iter().zip(&till.works_paid);
    let grows = till.received() >= before.received()
        && till.operator_paid >= before.operator_paid
        && paid.all(|(before, after)| after >= before);
    require(grows, || "a total fell".to_owned())
}

fn check_book(book: &Book) -> Result<(), String> {
    let parties = (book.parents.len() + book.split.len()) as u128;
    let dust = book.dust();
    require(dust < parties, || format!("{dust} of dust for {parties} parties"))?;
    for (person, standing) in &book.people {
        let paid_right = standing.taken <= book.entitled(person);
        require(paid_right, || format!("{person} was paid more than its share"))?;
    }
    Ok(())
}

fn check_entitlements(before: &Book, after: &Book, judged: bool) -> Result<(), String> {
    require(after.earned >= before.earned, || "earnings fell".to_owned())?;
    for person in before.people.keys() {
        let least = if judged { before.secured(person) } else { before.entitled(person) };
        require(after.entitled(person) >= least, || format!("{person} is entitled to less"))?;
    }
    for position in 0..before.parents.len() {
        let least =
            if judged { before.secured_parent(position) } else { before.entitled_parent(position) };
        let kept = after.entitled_parent(position) >= least;
        require(kept, || format!("parent {position} is entitled to less"))?;
    }
    Ok(())
}
