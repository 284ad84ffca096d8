//! Instructions of the payments program about operators.

use anchor_lang::error::ErrorCode;
use payments::PaymentsError;
use solana_pubkey::Pubkey;

use super::{Conditions, Ledger, Operator, Refused, Rules, refused};

impl Ledger {
    /// Returns an operator by its authority.
    ///
    /// # Errors
    /// If it is not registered.
    pub fn operator(&self, authority: &Pubkey) -> Result<&Operator, Refused> {
        let operator = self.operators.get(authority);
        operator.map_or_else(|| refused(ErrorCode::AccountNotInitialized), Ok)
    }

    /// Returns the key that settles for an operator; zeros if it is not registered.
    pub fn settle_key(&self, authority: &Pubkey) -> Pubkey {
        let operator = self.operators.get(authority);
        operator.map_or(Pubkey::default(), |operator| operator.settle_key_at(self.now))
    }

    /// Returns whether a key is the operator's authority, fee owner, settle key or receipt key.
    pub fn belongs_to_operator(&self, key: &Pubkey, authority: &Pubkey) -> bool {
        let Some(operator) = self.operators.get(authority) else { return false };
        key == authority
            || *key == operator.conditions.fee_owner
            || operator.hot_keys().any(|hot| hot == *key)
    }

    /// Registers an operator.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn register_operator(
        &mut self,
        authority: Pubkey,
        (settle_key, receipt_key): (Pubkey, Pubkey),
        conditions: &Conditions,
    ) -> Result<(), Refused> {
        let mut rules = Rules::default();
        let free = !self.operators.contains_key(&authority);
        rules.require(free, super::licensing_ledger::in_use());
        conditions.check(&mut rules);
        rules.check()?;
        let operator = Operator::new(settle_key, receipt_key, conditions.clone(), self.now);
        self.operators.insert(authority, operator);
        Ok(())
    }

    /// Changes the conditions of the operator `authority`.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn update_operator(
        &mut self,
        caller: Pubkey,
        authority: Pubkey,
        conditions: &Conditions,
    ) -> Result<(), Refused> {
        let mut rules = Rules::default();
        let operator = self.operator_mut(&authority)?;
        rules.require(caller == authority, PaymentsError::NotOperator);
        conditions.check(&mut rules);
        rules.check()?;
        operator.conditions = conditions.clone();
        Ok(())
    }

    /// Rotates the settle key of the operator `authority`.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn rotate_settle_key(
        &mut self,
        caller: Pubkey,
        authority: Pubkey,
        key: Pubkey,
    ) -> Result<(), Refused> {
        let now = self.now;
        let operator = self.rotating(caller, &authority)?;
        operator.rotate_settle_key(key, now);
        Ok(())
    }

    /// Rotates the receipt key of the operator `authority`.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn rotate_receipt_key(
        &mut self,
        caller: Pubkey,
        authority: Pubkey,
        key: Pubkey,
    ) -> Result<(), Refused> {
        let now = self.now;
        let operator = self.rotating(caller, &authority)?;
        operator.rotate_receipt_key(key, now);
        Ok(())
    }

    fn rotating(&mut self, caller: Pubkey, authority: &Pubkey) -> Result<&mut Operator, Refused> {
        let operator = self.operator_mut(authority)?;
        if caller == *authority { Ok(operator) } else { refused(PaymentsError::NotOperator) }
    }

    fn operator_mut(&mut self, authority: &Pubkey) -> Result<&mut Operator, Refused> {
        let operator = self.operators.get_mut(authority);
        operator.map_or_else(|| refused(ErrorCode::AccountNotInitialized), Ok)
    }
}
