//! Division of plain payments among works and an operator.

use solana_pubkey::Pubkey;

/// Till: its division and what it received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Till {
    /// Mint.
    pub mint: Pubkey,
    /// Authority of the operator; zeros without one.
    pub operator: Pubkey,
    /// Parts of the operator.
    pub operator_parts: u32,
    /// Works and their parts.
    pub works: Vec<(Pubkey, u32)>,
    /// Balance, base units.
    pub balance: u128,
    /// Amount paid to the operator.
    pub operator_paid: u128,
    /// Amounts paid to the works.
    pub works_paid: Vec<u128>,
}

impl Till {
    /// Creates an empty till.
    pub fn new(mint: Pubkey, operator: (Pubkey, u32), works: Vec<(Pubkey, u32)>) -> Self {
        let works_paid = vec![0; works.len()];
        let (operator, operator_parts) = operator;
        Self { mint, operator, operator_parts, works, balance: 0, operator_paid: 0, works_paid }
    }

    /// Returns everything it ever received, base units.
    pub fn received(&self) -> u128 {
        self.balance + self.operator_paid + self.works_paid.iter().sum::<u128>()
    }

    /// Returns the share of so many parts in everything it ever received, base units.
    pub fn entitled(&self, parts: u32) -> u128 {
        let works: u128 = self.works.iter().map(|(_, parts)| u128::from(*parts)).sum();
        self.received() * u128::from(parts) / (works + u128::from(self.operator_parts))
    }

    /// Returns the amount that the operator can get, base units.
    pub fn due_to_operator(&self) -> u128 {
        self.entitled(self.operator_parts) - self.operator_paid
    }

    /// Returns whether the division has its one form: 1 to 8 ascending works, parts above zero, in
    /// lowest terms, and parts of an operator exactly if there is one.
    pub fn has_one_form(&self) -> bool {
        let works: std::collections::BTreeSet<_> =
            self.works.iter().map(|(work, _)| work).collect();
        let ascending = works.len() == self.works.len()
            && works.iter().zip(&self.works).all(|(sorted, (work, _))| *sorted == work);
        let count = !self.works.is_empty() && self.works.len() <= 8;
        let operated = (self.operator == Pubkey::default()) == (self.operator_parts == 0);
        let mut common = u64::from(self.operator_parts);
        for (_, parts) in &self.works {
            let mut rest = u64::from(*parts);
            while rest > 0 {
                (common, rest) = (rest, common % rest);
            }
        }
        let shared = self.works.iter().all(|(_, parts)| *parts > 0);
        count && ascending && shared && operated && common == 1
    }
}
