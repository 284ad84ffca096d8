use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

use crate::{callers::Caller, problem::PayerError, settings::Settings};

/// Budgets of a UTC day over all channels.
///
/// What was spent is in the durable state of the channels. A payment under way is reserved here at its
/// maximum, so that payments on different channels do not exceed a budget together.
pub struct Budgets {
    per_day: Option<u64>,
    of_callers: BTreeMap<String, u64>,
    /// Callers whose budget is in a table of their own.
    with_table: BTreeSet<String>,
    reserved: Mutex<Reserved>,
    /// Notified when a reservation ends.
    ended: Notify,
}

/// Amounts reserved, base units.
#[derive(Default)]
struct Reserved {
    total: u64,
    callers: BTreeMap<Caller, u64>,
}

/// Reservation; ends when it is dropped.
pub struct Reservation {
    budgets: Arc<Budgets>,
    caller: Caller,
    amount: u64,
}

/// Outcome of an attempt to reserve.
enum Attempt {
    Granted,
    /// Payments under way may cost less than reserved.
    Wait,
    Refused(PayerError),
}

impl Budgets {
    /// Creates the budgets of the settings.
    pub fn new(settings: &Settings) -> Arc<Self> {
        let budget = |name: &str| Some((name.to_owned(), settings.caller_budget(name)?));
        Arc::new(Self {
            per_day: settings.budget.per_day,
            of_callers: settings.caller_names().filter_map(budget).collect(),
            with_table: settings.callers_with_budget().map(str::to_owned).collect(),
            reserved: Mutex::default(),
            ended: Notify::new(),
        })
    }

    /// Returns the budget of all callers, base units.
    pub fn per_day(&self) -> Option<u64> {
        self.per_day
    }

    /// Returns the budgets of callers, base units.
    pub fn of_callers(&self) -> &BTreeMap<String, u64> {
        &self.of_callers
    }

    /// Reserves an amount, base units. `spent` returns what was spent today: by all, and by the caller.
    /// Waits for payments under way if they may leave enough.
    ///
    /// # Errors
    /// [`PayerError::OverBudget`].
    pub async fn reserve(
        self: &Arc<Self>,
        caller: &Caller,
        amount: u64,
        spent: impl Fn() -> (u64, u64),
    ) -> Result<Reservation, PayerError> {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            // From here on, so that no end is missed.
            ended.as_mut().enable();
            match self.attempt(caller, amount, &spent) {
                Attempt::Granted => {
                    let (budgets, caller) = (self.clone(), caller.clone());
                    return Ok(Reservation { budgets, caller, amount });
                }
                Attempt::Wait => ended.await,
                Attempt::Refused(error) => return Err(error),
            }
        }
    }

    /// Checks an amount without reserving it.
    ///
    /// # Errors
    /// [`PayerError::OverBudget`].
    pub fn check(
        &self,
        caller: &Caller,
        amount: u64,
        (spent, by_caller): (u64, u64),
    ) -> Result<(), PayerError> {
        let own = self.of_callers.get(&**caller).copied();
        for (budget, spent, is_own) in [(self.per_day, spent, false), (own, by_caller, true)] {
            let total = spent.saturating_add(amount);
            if let Some(budget) = budget.filter(|budget| total > *budget) {
                let setting = match is_own {
                    false => "`budget.per_day`".to_owned(),
                    true if self.with_table.contains(&**caller) => {
                        format!("`callers.{caller}.per_day`")
                    }
                    true => format!("`budget.per_caller_per_day` of caller `{caller}`"),
                };
                return Err(PayerError::OverBudget { total, budget, setting });
            }
        }
        Ok(())
    }

    fn attempt(&self, caller: &Caller, amount: u64, spent: impl Fn() -> (u64, u64)) -> Attempt {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = spent();
        if let Err(error) = self.check(caller, amount, (all, own)) {
            return Attempt::Refused(error);
        }
        let of_caller = reserved.callers.get(caller).copied().unwrap_or(0);
        let with_reserved = (all.saturating_add(reserved.total), own.saturating_add(of_caller));
        if self.check(caller, amount, with_reserved).is_err() {
            return Attempt::Wait;
        }
        reserved.total = reserved.total.saturating_add(amount);
        reserved.callers.insert(caller.clone(), of_caller.saturating_add(amount));
        Attempt::Granted
    }
}

/// Checks a cost against the maximum of its request.
///
/// # Errors
/// [`PayerError::CostTooHigh`].
pub(crate) fn check_cost(cost: u64, max: Option<u64>) -> Result<(), PayerError> {
    match max.filter(|max| cost > *max) {
        Some(max) => Err(PayerError::CostTooHigh { cost, max }),
        None => Ok(()),
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut reserved = self.budgets.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        reserved.total = reserved.total.saturating_sub(self.amount);
        if let Some(own) = reserved.callers.get_mut(&self.caller) {
            *own = own.saturating_sub(self.amount);
        }
        drop(reserved);
        self.budgets.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn budgets() -> Arc<Budgets> {
        let text = "[budget]\nper_day = 100\nper_caller_per_day = 60\n\
                    [callers.rich]\ntoken_file = \"t\"\nper_day = 90\n";
        Budgets::new(&Settings::parse(text).unwrap())
    }

    #[tokio::test]
    async fn budgets_limit_caller_and_all() {
        let budgets = budgets();
        let (local, rich) = (Caller::from("local"), Caller::from("rich"));
        let try_all = async |caller: &Caller, amount, spent| {
            budgets.reserve(caller, amount, || spent).await.map(drop)
        };
        assert!(try_all(&local, 60, (0, 0)).await.is_ok());
        let over = try_all(&local, 61, (0, 0)).await;
        let named = |over: Result<(), PayerError>, figures: &str, setting: &str| {
            let text = over.unwrap_err().to_string();
            assert!(text.contains(figures) && text.ends_with(setting), "{text}");
        };
        let own = "(`budget.per_caller_per_day` of caller `local`)";
        named(over, "61 base units, above the budget of 60", own);
        assert!(try_all(&rich, 90, (10, 0)).await.is_ok());
        let over = try_all(&rich, 90, (11, 0)).await;
        named(over, "101 base units, above the budget of 100", "(`budget.per_day`)");
        let over = try_all(&rich, 91, (0, 0)).await;
        named(over, "91 base units, above the budget of 90", "(`callers.rich.per_day`)");
    }

    #[tokio::test]
    async fn payment_waits_for_reservations() {
        let budgets = budgets();
        let local = Caller::from("local");
        let first = budgets.reserve(&local, 40, || (0, 0)).await.unwrap();
        let second = budgets.reserve(&local, 40, || (0, 0));
        tokio::pin!(second);
        assert!(timeout(Duration::from_millis(20), &mut second).await.is_err());
        drop(first);
        assert!(second.await.is_ok());
    }
}
