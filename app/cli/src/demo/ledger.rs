use motif_sdk::client::ConfirmedTransaction;

/// What a kind of transaction has cost so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    pub what: &'static str,
    pub transactions: u64,
    pub fee_lamports: u64,
    pub compute_units: u64,
}

/// Every transaction of the story, by what it was for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    costs: Vec<Cost>,
}

impl Ledger {
    /// Books transactions that have landed.
    pub fn book_landed<'a>(
        &mut self,
        what: &'static str,
        landed: impl IntoIterator<Item = &'a ConfirmedTransaction>,
    ) {
        for landed in landed {
            self.book(what, landed.fee_lamports, landed.compute_units);
        }
    }

    /// Books one transaction.
    pub fn book(&mut self, what: &'static str, fee_lamports: u64, compute_units: u64) {
        let position = self.costs.iter().position(|cost| cost.what == what);
        let position = position.unwrap_or_else(|| {
            self.costs.push(Cost { what, transactions: 0, fee_lamports: 0, compute_units: 0 });
            self.costs.len() - 1
        });
        let cost = &mut self.costs[position];
        cost.transactions += 1;
        cost.fee_lamports += fee_lamports;
        cost.compute_units += compute_units;
    }

    /// Kinds in the order of their first transaction.
    pub fn costs(&self) -> &[Cost] {
        &self.costs
    }

    /// Of one kind; zeros when there were none.
    pub fn cost(&self, what: &'static str) -> Cost {
        let booked = self.costs.iter().find(|cost| cost.what == what).cloned();
        booked.unwrap_or(Cost { what, transactions: 0, fee_lamports: 0, compute_units: 0 })
    }

    /// Of all kinds.
    pub fn total(&self) -> Cost {
        let mut total =
            Cost { what: "in total", transactions: 0, fee_lamports: 0, compute_units: 0 };
        for cost in &self.costs {
            total.transactions += cost.transactions;
            total.fee_lamports += cost.fee_lamports;
            total.compute_units += cost.compute_units;
        }
        total
    }
}
