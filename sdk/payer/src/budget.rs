use crate::{
    error::PayerError,
    policy::PayerPolicy,
    state::{SavedState, day_of},
    tag_amounts::TagAmounts,
};

/// Amounts that are signed and not charged yet, base units, fees included.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    pub total: u64,
    tags: TagAmounts,
}

impl Pending {
    pub fn add(&mut self, tag: Option<&str>, amount: u64) {
        self.total = self.total.saturating_add(amount);
        if let Some(tag) = tag {
            self.tags.add(tag, amount);
        }
    }

    /// Returns the amount of a tag.
    pub fn of(&self, tag: &str) -> u64 {
        self.tags.get(tag).unwrap_or(0)
    }
}

/// Checks that every budget covers `amount` more at unix second `now`.
///
/// # Errors
/// [`PayerError::OverBudget`].
pub fn check(
    policy: &PayerPolicy,
    saved: &SavedState,
    pending: &Pending,
    (tag, amount): (Option<&str>, u64),
    now: i64,
) -> Result<(), PayerError> {
    let within = |budget: Option<u64>, spent: u64, pending: u64| {
        let total = spent.saturating_add(pending).saturating_add(amount);
        match budget.filter(|budget| total > *budget) {
            Some(budget) => Err(PayerError::OverBudget { total, budget }),
            None => Ok(()),
        }
    };
    within(policy.budget, saved.spent, pending.total)?;
    let day = day_of(now);
    if policy.budget_per_day.is_some() {
        let spent = saved.spent_on(day, None);
        within(policy.budget_per_day, spent, pending.total)?;
    }
    let Some((tag, budget)) = tag.zip(tag.and_then(|tag| policy.tag_budgets_per_day.get(tag)))
    else {
        return Ok(());
    };
    within(Some(budget), saved.spent_on(day, Some(tag)), pending.of(tag))
}
