use std::path::Path;

use motif_sdk::{
    channel::ChannelAccount, client::Client, credentials::SigningIdentity, receipt::SignedReceipt,
};

use crate::{
    credentials::{Licensed, Naming},
    error::CliError,
    session::Session,
};

/// Signs outputs of one license with content credentials.
pub struct Press {
    identity: SigningIdentity,
    naming: Naming,
}

impl Press {
    /// Reads the identity in a folder, and what the license is for.
    ///
    /// # Errors
    /// [`CliError`] without such an identity or work.
    pub async fn new(
        folder: &Path,
        client: &Client,
        account: &ChannelAccount,
        license: u16,
        session: &Session,
    ) -> Result<Self, CliError> {
        let identity = SigningIdentity::read(folder).map_err(motif_sdk::Error::from)?;
        let licensed = account.licenses.get(usize::from(license));
        let works = licensed.map(|license| (license.work, Some(license.terms_number)));
        let works: Vec<_> = works.into_iter().collect();
        Ok(Self { identity, naming: Naming::read(client, &works, session.now()).await? })
    }

    /// The output with credentials that name its receipt.
    ///
    /// # Errors
    /// [`CliError::Unsigned`].
    pub fn sign(
        &self,
        output: &[u8],
        name: &str,
        receipt: &SignedReceipt,
    ) -> Result<Vec<u8>, CliError> {
        let provenance = self.naming.of_output(output, Licensed::Receipt(receipt));
        self.naming.sign(output, name, &provenance, &self.identity)
    }
}
