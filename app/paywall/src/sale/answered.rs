use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::desk::PaymentId;

/// Payments that were not sent, because an earlier payment of their wallet had bought the answer.
#[derive(Debug, Default)]
pub struct AnsweredPayments(Mutex<HashMap<PaymentId, Answered>>);

#[derive(Clone, Copy, Debug)]
struct Answered {
    sale: PaymentId,
    /// Unix seconds.
    until: i64,
}

impl AnsweredPayments {
    /// Number of payments above which the one that ends first is removed.
    const MAX: usize = 4_096;

    fn lock(&self) -> MutexGuard<'_, HashMap<PaymentId, Answered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a payment was answered by an earlier sale, until a time in unix seconds.
    pub fn add(&self, payment: PaymentId, sale: PaymentId, until: i64) {
        let mut all = self.lock();
        all.insert(payment, Answered { sale, until });
        if all.len() > Self::MAX
            && let Some(first) = all.iter().min_by_key(|(_, one)| one.until).map(|(id, _)| *id)
        {
            all.remove(&first);
        }
    }

    /// Returns the sale that answered a payment.
    pub fn sale_of(&self, payment: &PaymentId) -> Option<PaymentId> {
        self.lock().get(payment).map(|one| one.sale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payments_that_end_first_are_forgotten() {
        let answered = AnsweredPayments::default();
        let id = |number: usize| std::array::from_fn(|place| (number >> (8 * place.min(3))) as u8);
        for number in 0..=AnsweredPayments::MAX {
            answered.add(id(number), [7; 32], 1_000 + number as i64);
        }
        assert_eq!(answered.sale_of(&id(0)), None);
        assert_eq!(answered.sale_of(&id(1)), Some([7; 32]));
        assert_eq!(answered.lock().len(), AnsweredPayments::MAX);
    }
}
