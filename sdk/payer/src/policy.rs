use motif_wire::BatchRequest;

use crate::tag_amounts::TagAmounts;

/// Limits of what a payer signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayerPolicy {
    /// Maximum spending since the payer's state was created, base units, fees included; `None` for
    /// the channel's whole deposit.
    pub budget: Option<u64>,
    /// Maximum spending of a UTC day, base units, fees included.
    pub budget_per_day: Option<u64>,
    /// Maximum spending of a tag on a UTC day, base units, fees included.
    pub tag_budgets_per_day: TagAmounts,
    /// Maximum price of a license's unit, base units, without the operator's fee.
    pub max_unit_price: Option<u64>,
    /// Validity of vouchers, seconds.
    pub voucher_seconds: u32,
    /// Maximum number of generations that one voucher pays for, 1 to
    /// [`BatchRequest::MAX_GENERATIONS`].
    pub max_batch: usize,
}

impl PayerPolicy {
    /// Returns whether spending is limited by more than the deposit.
    pub fn has_budget(&self) -> bool {
        self.budget.is_some()
            || self.budget_per_day.is_some()
            || !self.tag_budgets_per_day.is_empty()
    }
}

impl Default for PayerPolicy {
    /// The whole deposit; vouchers valid for a day; batches as large as gateways take.
    fn default() -> Self {
        Self {
            budget: None,
            budget_per_day: None,
            tag_budgets_per_day: TagAmounts::default(),
            max_unit_price: None,
            voucher_seconds: 86_400,
            max_batch: BatchRequest::MAX_GENERATIONS,
        }
    }
}
