//! What an answer to a batch proves.

use motif_interface::{receipt::SignedReceipt, voucher::Voucher};
use motif_wire::{BatchReceipts, Problem, ProblemType};

use super::Machine;
use crate::{
    batch::{Group, Unanswered},
    effect::Effect,
    error::{PayerError, follows_look_up, is_definite, untrusted},
    journal::{Answered, Record, Refused},
    signatures::ReceiptVerifier,
};

impl Machine {
    /// Continues with the gateway's answer to the unanswered batch.
    ///
    /// # Errors
    /// The batch stays unanswered. [`PayerError::Untrusted`], [`PayerError::OutcomeUnknown`]: it may have
    /// been charged. [`PayerError::Refused`]: it was not, and is to be repeated later.
    pub fn answered(
        &mut self,
        status: u16,
        body: &[u8],
        now: i64,
    ) -> Result<Vec<Effect>, PayerError> {
        let read = self.read_answer(status, body, now);
        if matches!(read, Err(PayerError::Untrusted(_) | PayerError::OutcomeUnknown(_))) {
            self.lose_answer();
        }
        read
    }

    fn read_answer(
        &mut self,
        status: u16,
        body: &[u8],
        now: i64,
    ) -> Result<Vec<Effect>, PayerError> {
        let Some(unanswered) = &self.unanswered else { return Ok(Vec::new()) };
        let unreadable = |error: motif_json::Error| {
            untrusted(format!("status {status} with an unreadable body: {error}"))
        };
        if (200..300).contains(&status) {
            let answer: BatchReceipts = motif_json::from_slice(body).map_err(unreadable)?;
            let receipts: Vec<_> = answer.receipts.iter().map(SignedReceipt::from).collect();
            let mut verifier = ReceiptVerifier::new(&self.receipt_keys);
            let Unanswered { batch, request, .. } = unanswered;
            let made = (&request.generations[..], &batch.prices[..]);
            self.books.check(&request.voucher, made, &receipts, |one| verifier.verifies(one))?;
            return self.accepted(&receipts, body, now);
        }
        let problem: Problem = motif_json::from_slice(body).map_err(unreadable)?;
        let problem_type = problem.problem_type();
        let tells_all = !unanswered.may_be_charged || problem_type.is_some_and(follows_look_up);
        if !is_definite(&problem) || !tells_all {
            return Err(PayerError::OutcomeUnknown(Box::new(problem)));
        }
        if problem_type == Some(ProblemType::RateLimited) {
            return Err(PayerError::Refused(Box::new(problem)));
        }
        Ok(self.refused(problem, now))
    }

    /// Counts an accepted batch.
    fn accepted(
        &mut self,
        receipts: &[SignedReceipt],
        body: &[u8],
        now: i64,
    ) -> Result<Vec<Effect>, PayerError> {
        let Some(unanswered) = self.unanswered.take() else { return Ok(Vec::new()) };
        let Unanswered { batch, request, tickets, draft, .. } = unanswered;
        let charges = match &draft {
            Some(_) => self.charges(&batch.prices)?,
            None => batch.prices.iter().map(|price| self.with_fee(*price)).collect(),
        };
        self.saved.count(&batch, &request.generations, &charges, receipts, now);
        if let Some(draft) = draft {
            self.books.count(draft);
        }
        (self.limit, self.is_compared) = (usize::MAX, false);
        let mut effects = Vec::with_capacity(tickets.len() + 1);
        if self.saved.is_kept {
            let (head, body) = (Answered { at: now, charges }, body.to_vec());
            let frame = Record::Answered { head, body }.to_frame();
            effects.push(Effect::Save { frame, is_urgent: false });
        }
        let mut rest = receipts;
        for (group, ticket) in batch.groups.iter().zip(tickets) {
            let (own, after) = rest.split_at(rest.len().min(group.count as usize));
            rest = after;
            let (receipts, voucher) = (own.to_vec(), request.voucher);
            effects.push(Effect::Paid { ticket, receipts, voucher });
        }
        Ok(effects)
    }

    /// Returns the amounts of generations on top of the open statement, base units, fees included.
    fn charges(&self, prices: &[u64]) -> Result<Vec<u64>, PayerError> {
        let (mut sum, mut before) = (self.books.prices, self.books.cumulative()?);
        let charge = |price: &u64| {
            sum = sum.checked_add(*price).ok_or(PayerError::Overflow)?;
            let after = self.books.cumulative_with(sum)?;
            let charged = after.saturating_sub(before);
            before = after;
            Ok(charged)
        };
        prices.iter().map(charge).collect()
    }

    /// Continues after a refusal: nothing was charged. What can still be paid for waits again.
    fn refused(&mut self, problem: Problem, now: i64) -> Vec<Effect> {
        let Some(unanswered) = self.unanswered.take() else { return Vec::new() };
        let mut effects = Vec::new();
        let is_closed = problem.problem_type() == Some(ProblemType::StatementClosed);
        let followed = match &problem.expected {
            Some(expected) if is_closed => Some(self.books.follow_cut(expected, now)),
            None if is_closed => {
                Some(Err(untrusted("it closed a statement without naming the next one")))
            }
            _ => None,
        };
        let is_cut = matches!(followed, Some(Ok(())));
        if self.saved.is_kept {
            let frame = Record::Refused(Refused { is_cut }).to_frame();
            effects.push(Effect::Save { frame, is_urgent: false });
        }
        self.saved.number = self.books.number;
        let lost = self.has_lost(&problem, &unanswered.request.voucher.voucher);
        let groups = unanswered.into_groups();
        match followed {
            Some(Ok(())) => self.wait_again(groups),
            _ if lost => {
                self.is_compared = true;
                self.wait_again(groups);
                effects.push(Effect::Compare);
            }
            Some(Err(error)) => effects.extend(groups.iter().filter_map(|one| one.failed(&error))),
            None => effects.extend(self.sort_out(groups, problem)),
        }
        effects
    }

    /// Fails the payments that a refusal concerns; the others wait again.
    fn sort_out(&mut self, groups: Vec<Group>, problem: Problem) -> Vec<Effect> {
        let is_named = |first: usize, group: &Group| {
            let places = first..first + group.generations.len();
            problem.items.iter().find(|item| places.contains(&(item.item as usize)))
        };
        let (mut first, mut failing, mut others) = (0, Vec::new(), Vec::new());
        for group in &groups {
            match is_named(first, group) {
                Some(item) => failing.push((group.clone(), item.clone())),
                None => others.push(group.clone()),
            }
            first += group.generations.len();
        }
        if !failing.is_empty() {
            self.wait_again(others);
            let failed = failing.iter().filter_map(|(group, item)| {
                let known: Option<ProblemType> = item.slug.parse().ok();
                let problem = Problem {
                    slug: item.slug.clone(),
                    title: known
                        .map_or_else(|| problem.title.clone(), |known| known.title().to_owned()),
                    status: known.map_or(problem.status, ProblemType::status),
                    detail: item.detail.clone(),
                    items: Vec::new(),
                    ..problem.clone()
                };
                group.failed(&PayerError::Refused(Box::new(problem)))
            });
            return failed.collect();
        }
        if groups.len() > 1 && problem.problem_type().is_some_and(is_about_the_sum) {
            // A smaller batch may fit; a single payment that does not fails alone.
            self.limit = groups.len().div_ceil(2);
            self.wait_again(groups);
            return Vec::new();
        }
        let error = PayerError::Refused(Box::new(problem));
        groups.iter().filter_map(|group| group.failed(&error)).collect()
    }

    /// Returns whether a refusal shows that the gateway has a lower total than this payer, or has what it is
    /// offered again.
    fn has_lost(&self, problem: &Problem, refused: &Voucher) -> bool {
        let (Some(expected), Ok(own)) = (&problem.expected, self.books.cumulative()) else {
            return false;
        };
        let is_lower = match problem.problem_type() {
            Some(ProblemType::WrongPrice) => expected.cumulative.0 < refused.cumulative,
            Some(
                ProblemType::VoucherNotNewer
                | ProblemType::StatementMismatch
                | ProblemType::StatementAhead,
            ) => expected.cumulative.0 < own,
            _ => false,
        };
        let is_offered = !self.saved.offers.is_empty()
            && matches!(
                problem.problem_type(),
                Some(
                    ProblemType::WrongPrice
                        | ProblemType::VoucherNotNewer
                        | ProblemType::StatementMismatch
                        | ProblemType::StatementClosed
                )
            );
        (is_lower || is_offered) && self.saved.is_kept && !self.is_compared
    }
}

/// Returns whether fewer generations may be accepted where all together were refused.
fn is_about_the_sum(problem_type: ProblemType) -> bool {
    matches!(
        problem_type,
        ProblemType::Underfunded
            | ProblemType::ChannelBudget
            | ProblemType::KeyBudget
            | ProblemType::Exposed
            | ProblemType::AmountTooLarge
            | ProblemType::BatchSize
            | ProblemType::BodyTooLarge
            | ProblemType::StatementFull
    )
}
