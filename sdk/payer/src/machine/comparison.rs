//! The payer's state compared with the gateway's.

use motif_interface::{channel::License, voucher::Statement};
use motif_wire::{BatchRequest, BatchedGeneration, ChannelState};

use super::{
    Machine,
    recovery::{add_entries, add_statement},
};
use crate::{
    batch::{Group, Unanswered},
    books::Books,
    effect::Effect,
    error::{PayerError, untrusted},
    state::SavedStatement,
};

impl Machine {
    /// Compares this payer with the channel's state at the gateway. Vouchers that the gateway has in
    /// addition are counted if this payer's key signed them; generations that it has lost are offered
    /// again by the next batches.
    ///
    /// # Errors
    /// [`PayerError::Untrusted`] if the gateway's state is no earlier or later one of this payer's.
    pub fn compare(&mut self, state: &ChannelState) -> Result<Vec<Effect>, PayerError> {
        let first = state.unsettled.first().map_or(state.open.statement, |first| first.statement);
        let mut theirs = Books::new(self.books.address, &self.account);
        // Settled since the account was read.
        for statement in &self.saved.statements {
            if statement.number == theirs.number && statement.number < first {
                add_statement(&mut theirs, statement)?;
                theirs.cut(None);
            }
        }
        theirs.take_over_all(state)?;
        theirs.licenses = merge_terms(theirs.licenses, &self.books.licenses);
        let (their_total, own_total) = (theirs.cumulative()?, self.books.cumulative()?);
        let is_at = |number: u64, statement: &Statement, total: u64| {
            (theirs.number, &theirs.statement, their_total) == (number, statement, total)
        };
        let next = self.unanswered.as_ref().and_then(|batch| {
            let total = batch.request.voucher.voucher.cumulative;
            batch.draft.as_ref().map(|draft| (&draft.statement, total))
        });
        let Books { number, ref statement, .. } = self.books;
        if is_at(number, statement, own_total)
            || next.is_some_and(|(statement, total)| is_at(number, statement, total))
        {
            return Ok(Vec::new());
        }
        if is_at(number.saturating_add(1), &Statement::default(), own_total) {
            // The gateway has closed the statement.
            (self.saved.number, self.books) = (theirs.number, theirs);
        } else if !self.has_been_at(&theirs, (their_total, own_total))? {
            self.take_over(state, theirs)?;
        }
        if !self.saved.is_kept {
            self.saved.statements = Vec::new();
            return Ok(Vec::new());
        }
        Ok(vec![Effect::Save { frame: self.snapshot(), is_urgent: true }])
    }

    /// Takes over a later state of the gateway's. It may have all that is offered again, which is paid then:
    /// nothing of it is offered once more, unless it is known to be missing.
    fn take_over(&mut self, state: &ChannelState, theirs: Books) -> Result<(), PayerError> {
        match self.offers_before(&theirs)? {
            Some(count) => {
                let paid: Vec<_> = self.saved.offers.drain(..count).collect();
                for generation in paid {
                    self.saved.add_to_statement(theirs.number, generation);
                }
            }
            None => {
                self.saved.offers = Vec::new();
                let closed = state.unsettled.iter().chain([&state.open]);
                let adopted = closed.filter(|statement| !statement.entries.is_empty());
                let statements = adopted.map(|statement| SavedStatement {
                    number: statement.statement,
                    entries: statement.entries.clone(),
                    generations: Vec::new(),
                });
                self.saved.statements = statements.collect();
            }
        }
        (self.saved.number, self.books) = (theirs.number, theirs);
        if let Some(unanswered) = &mut self.unanswered {
            (unanswered.draft, unanswered.batch.is_adopted) = (None, true);
        }
        self.waiting.retain(|group| !group.is_again);
        self.queue_offers(0);
        Ok(())
    }

    /// Returns the number of generations offered again that lead to the gateway's state; `None` if it is not
    /// reached by them alone, within the open statement.
    fn offers_before(&self, theirs: &Books) -> Result<Option<usize>, PayerError> {
        let (mut own, their_total) = (self.books.clone(), theirs.cumulative()?);
        for (count, one) in (1..).zip(&self.saved.offers) {
            let mut draft = own.draft();
            own.add(&mut draft, (one.license, one.units), None)?;
            own.count(draft);
            let is_same = (own.number, &own.statement) == (theirs.number, &theirs.statement);
            if is_same && own.cumulative()? == their_total {
                return Ok(Some(count));
            }
        }
        Ok(None)
    }

    /// Returns whether the gateway is at an earlier state of this payer's, after returning to it. With equal
    /// totals, another process may have used free units.
    ///
    /// # Errors
    /// [`PayerError::Untrusted`] if the gateway's total is lower, and none of this payer's.
    fn has_been_at(&mut self, theirs: &Books, totals: (u64, u64)) -> Result<bool, PayerError> {
        let (their_total, own_total) = totals;
        if their_total > own_total {
            return Ok(false);
        }
        match self.offer_again(theirs.clone()) {
            Ok(()) => Ok(true),
            Err(_) if their_total == own_total => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns to the gateway's earlier state, and queues everything after it.
    fn offer_again(&mut self, theirs: Books) -> Result<(), PayerError> {
        let lost = || {
            untrusted("its total is below this payer's, and none that this payer has signed before")
        };
        let their_total = theirs.cumulative()?;
        let is_there = |own: &Books| {
            let same = (own.number, &own.statement) == (theirs.number, &theirs.statement)
                || (theirs.number == own.number.saturating_add(1) && theirs.statement.is_empty());
            own.cumulative().map(|total| same && total == their_total)
        };
        let mut own = Books::new(self.books.address, &self.account);
        let (mut found, mut kept, mut offers) = (is_there(&own)?, Vec::new(), Vec::new());
        for statement in &self.saved.statements {
            if own.number > statement.number {
                continue;
            }
            while own.number < statement.number {
                own.cut(None);
                found = found || is_there(&own)?;
            }
            let mut left = SavedStatement { generations: Vec::new(), ..statement.clone() };
            if found {
                // Generations of another process cannot be offered by this one.
                if !statement.entries.is_empty() {
                    return Err(lost());
                }
            } else {
                add_entries(&mut own, &statement.entries)?;
                found = is_there(&own)?;
            }
            for one in &statement.generations {
                if found {
                    offers.push(*one);
                    continue;
                }
                let mut draft = own.draft();
                own.add(&mut draft, (one.license, one.units), None)?;
                own.count(draft);
                left.generations.push(*one);
                found = is_there(&own)?;
            }
            if !left.entries.is_empty() || !left.generations.is_empty() {
                kept.push(left);
            }
        }
        if !found {
            return Err(lost());
        }
        let (number, books) = (theirs.number, theirs);
        (self.saved.statements, self.saved.number, self.books) = (kept, number, books);
        // What is unanswered follows what was answered.
        let groups = self.unanswered.take().map(Unanswered::into_groups).unwrap_or_default();
        for group in groups.iter().filter(|group| group.ticket.is_none() && !group.is_again) {
            offers.extend(&group.generations);
        }
        self.wait_again(groups);
        self.waiting.retain(|group| !group.is_again);
        // What was being offered already follows them.
        offers.append(&mut self.saved.offers);
        self.saved.offers = offers;
        self.queue_offers(0);
        Ok(())
    }

    /// Queues what is offered again, without the first `sent` generations.
    pub(super) fn queue_offers(&mut self, sent: usize) {
        let max = self.policy.max_batch.clamp(1, BatchRequest::MAX_GENERATIONS);
        for offered in self.saved.offers.get(sent..).unwrap_or_default().rchunks(max) {
            let generations =
                offered.iter().map(|one| BatchedGeneration { captures: None, ..*one }).collect();
            let (ticket, tag) = (None, None);
            self.waiting.push_front(Group { ticket, generations, tag, is_again: true });
        }
    }
}

/// Adds licenses that were read later.
fn merge_terms(mut licenses: Vec<License>, newer: &[License]) -> Vec<License> {
    let known = licenses.len().min(newer.len());
    licenses.extend_from_slice(&newer[known..]);
    licenses
}
