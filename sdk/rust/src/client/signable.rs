use std::{collections::BTreeSet, sync::Arc};

use solana_pubkey::Pubkey;

use super::{Client, Unsignable};
use crate::Error;

impl Client {
    /// Addresses that may be paid although no key signs for them, such as the vault of a multisig.
    /// Default: none.
    ///
    /// Shares of works, fee owners of operators and claims to other such addresses are refused with
    /// [`Error::Unsignable`].
    pub fn allow_unsignable(self, addresses: impl IntoIterator<Item = Pubkey>) -> Self {
        let allowed: BTreeSet<_> = addresses.into_iter().collect();
        Self { allowed: Arc::new(allowed), ..self }
    }

    /// Returns those of the addresses that cannot sign and are not allowed by
    /// [`Client::allow_unsignable`], each with what it is.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn unsignable(
        &self,
        addresses: &[Pubkey],
    ) -> Result<Vec<(Pubkey, Unsignable)>, Error> {
        let asked = addresses.iter().filter(|address| !self.allowed.contains(address));
        let asked: Vec<_> = asked.copied().collect();
        let accounts = self.accounts(&asked).await?;
        let found = asked.iter().zip(&accounts);
        let found = found.filter_map(|(address, account)| {
            Some((*address, Unsignable::of(address, account.as_ref())?))
        });
        Ok(found.collect())
    }

    /// Checks that a key can sign for each of these addresses, or that they are allowed.
    ///
    /// # Errors
    /// [`Error::Unsignable`] for the first that is neither; [`Error::Transport`].
    pub async fn check_signable(&self, addresses: &[Pubkey]) -> Result<(), Error> {
        match self.unsignable(addresses).await?.first() {
            None => Ok(()),
            Some(&(address, what)) => Err(Error::Unsignable { address, what }),
        }
    }
}
