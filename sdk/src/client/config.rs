use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Client, Landed};
use crate::{
    Error,
    licensing::{self, InitializeArgs, UpdateConfigArgs},
    pda,
};

impl Client {
    /// Creates the deployment's config; `None` when there is one already.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn initialize(
        &self,
        authority: &Keypair,
        args: InitializeArgs,
    ) -> Result<Option<Landed>, Error> {
        if self.account(&pda::config()).await?.is_some_and(|account| !account.data.is_empty()) {
            return Ok(None);
        }
        let instruction = licensing::initialize(&authority.pubkey(), args);
        self.send(&[instruction], authority, &[]).await.map(Some)
    }

    /// Changes who decides disputes, what they put at stake, and how long they may take.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn update_config(
        &self,
        authority: &Keypair,
        args: UpdateConfigArgs,
    ) -> Result<Landed, Error> {
        let instruction = licensing::update_config(&authority.pubkey(), args);
        self.send(&[instruction], authority, &[]).await
    }

    /// Offers the config's authority to somebody, or to nobody any more.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn offer_authority(
        &self,
        authority: &Keypair,
        to: Option<Pubkey>,
    ) -> Result<Landed, Error> {
        let instruction = licensing::offer_authority(&authority.pubkey(), to);
        self.send(&[instruction], authority, &[]).await
    }

    /// Takes the authority that was offered.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn accept_authority(&self, accepter: &Keypair) -> Result<Landed, Error> {
        let instruction = licensing::accept_authority(&accepter.pubkey());
        self.send(&[instruction], accepter, &[]).await
    }
}
