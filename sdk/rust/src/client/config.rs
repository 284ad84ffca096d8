use solana_pubkey::Pubkey;

use super::{Client, ConfirmedTransaction, DynSigner};
use crate::{
    Error,
    licensing::{self, InitializeArgs, UpdateConfigArgs},
    pda,
};

impl Client {
    /// Creates the deployment's config; returns `None` if it exists already.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn initialize(
        &self,
        authority: &DynSigner,
        args: InitializeArgs,
    ) -> Result<Option<ConfirmedTransaction>, Error> {
        if self.account(&pda::config()).await?.is_some_and(|account| !account.data.is_empty()) {
            return Ok(None);
        }
        let instruction = licensing::initialize(&authority.pubkey(), args);
        self.send(&[instruction], authority, &[]).await.map(Some)
    }

    /// Changes the arbiter, bond and duration of disputes.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn update_config(
        &self,
        authority: &DynSigner,
        args: UpdateConfigArgs,
    ) -> Result<ConfirmedTransaction, Error> {
        let instruction = licensing::update_config(&authority.pubkey(), args);
        self.send(&[instruction], authority, &[]).await
    }

    /// Offers the config's authority to another key; `None` cancels the offer.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn offer_authority(
        &self,
        authority: &DynSigner,
        to: Option<Pubkey>,
    ) -> Result<ConfirmedTransaction, Error> {
        let instruction = licensing::offer_authority(&authority.pubkey(), to);
        self.send(&[instruction], authority, &[]).await
    }

    /// Accepts the authority that was offered.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn accept_authority(
        &self,
        accepter: &DynSigner,
    ) -> Result<ConfirmedTransaction, Error> {
        let instruction = licensing::accept_authority(&accepter.pubkey());
        self.send(&[instruction], accepter, &[]).await
    }
}
