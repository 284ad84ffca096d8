use motif_interface::voucher::Voucher;
use motif_wire::{BatchRequest, BatchedGeneration};

use crate::{books::Draft, budget::Pending, effect::Effect, error::PayerError, state::SavedBatch};

/// Generations of one payment, or that are offered again.
#[derive(Clone, Debug)]
pub struct Group {
    /// `None` if nothing waits for it.
    pub ticket: Option<u64>,
    pub generations: Vec<BatchedGeneration>,
    pub tag: Option<String>,
    pub is_again: bool,
}

/// Batch whose voucher is being signed.
#[derive(Clone, Debug)]
pub struct Drafted {
    pub voucher: Voucher,
    pub groups: Vec<Group>,
    pub prices: Vec<u64>,
    pub draft: Draft,
    pub pending: Pending,
}

/// Signed batch without an answer.
#[derive(Clone, Debug)]
pub struct Unanswered {
    pub batch: SavedBatch,
    pub request: BatchRequest,
    pub tickets: Vec<Option<u64>>,
    /// The open statement with the batch; `None` if the batch's statement has settled.
    pub draft: Option<Draft>,
    pub pending: Pending,
    /// Whether an attempt may have been charged: it had no answer, or one that does not tell.
    pub may_be_charged: bool,
}

impl Group {
    /// Returns the effect of a refusal; `None` if nothing waits for the payment.
    pub fn failed(&self, error: &PayerError) -> Option<Effect> {
        let ticket = self.ticket?;
        Some(Effect::Failed { ticket, error: error.clone() })
    }
}

impl Unanswered {
    /// Whether something waits for a payment of the batch.
    pub fn is_awaited(&self) -> bool {
        self.tickets.iter().any(Option::is_some)
    }

    /// Returns the payments of the batch.
    pub fn into_groups(self) -> Vec<Group> {
        let mut generations = self.request.generations.into_iter();
        let groups = self.batch.groups.into_iter().zip(self.tickets);
        let groups = groups.map(|(group, ticket)| Group {
            ticket,
            generations: generations.by_ref().take(group.count as usize).collect(),
            tag: group.tag,
            is_again: group.is_again,
        });
        groups.collect()
    }
}
