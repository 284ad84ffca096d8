use motif_interface::AccountData;
use solana_account::Account;
use solana_pubkey::Pubkey;

use super::{Client, ConfirmedTransaction, DynSigner};
use crate::{
    Error,
    channel::PROGRAM_ID,
    operator::{self, Operator, OperatorKey, OperatorTerms, RegisterOperatorArgs},
    pda,
};

impl Client {
    /// Returns the operator with this authority.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not registered; [`Error::Transport`].
    pub async fn operator(&self, authority: &Pubkey) -> Result<Operator, Error> {
        self.typed("operator", &pda::operator(authority), &PROGRAM_ID).await
    }

    /// Returns all registered operators, earliest registration first.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn operators(&self) -> Result<Vec<Operator>, Error> {
        let accounts = self.program_accounts(&PROGRAM_ID, Operator::DISCRIMINATOR, vec![]).await?;
        let read =
            |(_, account): (Pubkey, Account)| Operator::from_account_data(&account.data).ok();
        let mut operators: Vec<_> = accounts.into_iter().filter_map(read).collect();
        operators.sort_by_key(|operator| (operator.registered_at, operator.authority));
        Ok(operators)
    }

    /// Registers an operator. The authority pays the rent.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::Unsignable`] for a fee owner that cannot sign.
    pub async fn register_operator(
        &self,
        authority: &DynSigner,
        args: RegisterOperatorArgs,
    ) -> Result<ConfirmedTransaction, Error> {
        let key = authority.pubkey();
        if args.terms.fee_owner != key {
            self.check_signable(&[args.terms.fee_owner]).await?;
        }
        self.send(&[operator::register(&key, &key, args)], authority, &[]).await
    }

    /// Changes an operator's conditions for channels that open from now on.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::Unsignable`] for a new fee owner that cannot sign.
    pub async fn update_operator(
        &self,
        authority: &DynSigner,
        terms: OperatorTerms,
    ) -> Result<ConfirmedTransaction, Error> {
        let key = authority.pubkey();
        if self.operator(&key).await?.fee_owner != terms.fee_owner {
            self.check_signable(&[terms.fee_owner]).await?;
        }
        self.send(&[operator::update(&key, terms)], authority, &[]).await
    }

    /// Replaces an operator's settle key or receipt key after [`Operator::ROTATION_SECONDS`].
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn rotate_operator_key(
        &self,
        authority: &DynSigner,
        which: OperatorKey,
        new_key: Pubkey,
    ) -> Result<ConfirmedTransaction, Error> {
        let rotate = operator::rotate_key(&authority.pubkey(), which, new_key);
        self.send(&[rotate], authority, &[]).await
    }
}
