//! Tills of the ledger: opened, paid and swept.

use anchor_lang::error::ErrorCode;
use payments::PaymentsError;
use solana_pubkey::Pubkey;

use super::{
    Ledger, Purse, Refused, Rules, Till, exact, licensing_ledger::in_use,
    payments_ledger::token_error, refused,
};
use crate::world::Code;

impl Ledger {
    /// Opens a till.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn open_till(&mut self, address: Pubkey, till: &Till) -> Result<(), Refused> {
        let mut rules = Rules::default();
        rules.require(!self.tills.contains_key(&address), in_use());
        let there = self.vaults.contains_key(&till.mint)
            && till.works.iter().all(|(work, _)| self.works.contains_key(work));
        rules.require(there, ErrorCode::AccountNotInitialized);
        rules.require(till.has_one_form(), PaymentsError::InvalidTillShares);
        if till.operator_parts > 0 {
            let registered = self.operators.contains_key(&till.operator);
            rules.require(registered, ErrorCode::AccountNotInitialized);
        } else {
            // Without parts the operator's account is not in the call.
            let none = till.operator == Pubkey::default();
            rules.require(none, PaymentsError::InvalidOperatorAccount);
        }
        rules.check()?;
        self.tills.insert(address, till.clone());
        Ok(())
    }

    /// Pays into a till by a transfer of the token program.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn pay_till(&mut self, payer: Pubkey, address: Pubkey, amount: u64) -> Result<(), Refused> {
        let Some(till) = self.tills.get(&address) else {
            return refused(Code::RUNTIME);
        };
        let mint = till.mint;
        let mut rules = Rules::default();
        self.require_purse(&payer, &mint, u128::from(amount), &mut rules);
        if !self.takes_money(&payer, &mint) {
            // The payer no longer owns the account, whose balance is checked first.
            for code in [1, 4].into_iter().flat_map(token_error) {
                rules.require(false, code);
            }
            rules.require(false, Code::RUNTIME);
        }
        rules.check()?;
        if let Some(till) = self.tills.get_mut(&address) {
            till.balance += u128::from(amount);
        }
        if let Some(Purse::Open(balance)) = self.purses.get_mut(&(payer, mint)) {
            *balance -= u128::from(amount);
        }
        Ok(())
    }

    /// Sweeps a till into the works' books, and to the operator's fee owner if it is named.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn sweep_till(
        &mut self,
        address: Pubkey,
        fee_owner: Option<Pubkey>,
    ) -> Result<(), Refused> {
        let Some(mut till) = self.tills.get(&address).cloned() else {
            return refused(ErrorCode::AccountNotInitialized);
        };
        let mint = till.mint;
        let mut rules = Rules::default();
        rules.require(exact::fits(till.received()), PaymentsError::Overflow);
        let entitled: Vec<_> = till.works.iter().map(|(_, parts)| till.entitled(*parts)).collect();
        let amounts: Vec<_> =
            entitled.iter().zip(&till.works_paid).map(|(due, paid)| due - paid).collect();
        let to_operator = fee_owner.map_or(0, |_| till.due_to_operator());
        let to_works: u128 = amounts.iter().sum();
        rules.require(to_works + to_operator > 0, PaymentsError::EmptyTill);
        if let Some(to) = &fee_owner {
            let operated = till.operator_parts > 0;
            rules.require(operated, PaymentsError::InvalidOperatorAccount);
            let operator = self.operators.get(&till.operator);
            let named = operator.is_none_or(|operator| operator.conditions.fee_owner == *to);
            rules.require(named, ErrorCode::ConstraintHasOne);
            let frozen = matches!(self.purses.get(&(*to, mint)), Some(Purse::Frozen(_)));
            let payable = self.takes_money(to, &mint) || (frozen && to_operator == 0);
            if !payable {
                self.broken(&mut rules);
            }
        }
        let mut books = Vec::new();
        for ((work, _), amount) in till.works.iter().zip(&amounts) {
            // The earnings are remaining accounts, whose owner is checked first.
            let book = self.books.get(&(*work, mint)).cloned();
            rules.require(book.is_some(), ErrorCode::AccountOwnedByWrongProgram);
            let Some(mut book) = book else { continue };
            rules.require(book.credit(*amount).is_ok(), PaymentsError::Overflow);
            books.push(((*work, mint), book));
        }
        rules.check()?;
        till.works_paid = entitled;
        till.operator_paid += to_operator;
        till.balance -= to_works + to_operator;
        self.tills.insert(address, till);
        self.books.extend(books);
        self.bring_into_vault(&mint, to_works);
        if let Some(Purse::Open(balance)) =
            fee_owner.and_then(|to| self.purses.get_mut(&(to, mint)))
        {
            *balance += to_operator;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    #[test]
    fn other_forms_of_division_are_refused() {
        let till = |operator: (Pubkey, u32), works: &[(u8, u32)]| {
            let works = works.iter().map(|(work, parts)| (key(*work), *parts)).collect();
            Till::new(key(9), operator, works).has_one_form()
        };
        let none = (Pubkey::default(), 0);
        assert!(till(none, &[(1, 1)]) && till(none, &[(1, 2), (2, 3)]));
        assert!(till((key(8), 1), &[(1, 2), (2, 4)]));
        let other = [
            till(none, &[]),
            till(none, &[(1, 2)]),
            till(none, &[(2, 1), (1, 2)]),
            till(none, &[(1, 1), (1, 2)]),
            till(none, &[(1, 0), (2, 1)]),
            till((key(8), 0), &[(1, 1)]),
            till((Pubkey::default(), 1), &[(1, 1)]),
            till((key(8), 2), &[(1, 2), (2, 4)]),
            till(none, &[1, 2, 3, 4, 5, 6, 7, 8, 9].map(|work| (work, 1))),
        ];
        assert_eq!(other, [false; 9]);
    }

    #[test]
    fn entitlements_are_floors_of_totals() {
        let mut till = Till::new(key(9), (key(8), 1), vec![(key(1), 2), (key(2), 1)]);
        till.balance = 1_003;
        let entitled = [2, 1, 1].map(|parts| till.entitled(parts));
        assert_eq!((entitled, till.due_to_operator()), ([501, 250, 250], 250));
        (till.balance, till.operator_paid, till.works_paid) = (3, 250, vec![501, 250]);
        assert_eq!((till.received(), till.entitled(2), till.due_to_operator()), (1_004, 502, 1));
    }
}
