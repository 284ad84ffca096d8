use std::path::Path;

use motif_sdk::{
    channel::ChannelAccount, client::Client, credentials::SigningIdentity, receipt::SignedReceipt,
};

use crate::{
    credentials::{LicenseEvidence, WorkClaims},
    error::CliError,
    session::Session,
};

/// Signs outputs of one license with content credentials.
pub struct OutputSigner {
    identity: SigningIdentity,
    claims: WorkClaims,
}

impl OutputSigner {
    /// Reads the identity in a folder, and the work of the license.
    ///
    /// # Errors
    /// [`motif_sdk::Error::File`] without such an identity; [`motif_sdk::Error::NotFound`] without
    /// such a work.
    pub async fn new(
        folder: &Path,
        client: &Client,
        account: &ChannelAccount,
        license: u16,
        session: &Session,
    ) -> Result<Self, CliError> {
        let identity = SigningIdentity::read(folder)?;
        let licensed = account.licenses.get(usize::from(license));
        let works = licensed.map(|license| (license.work, Some(license.terms_number)));
        let works: Vec<_> = works.into_iter().collect();
        Ok(Self { identity, claims: WorkClaims::read(client, &works, session.now()).await? })
    }

    /// Returns the output with credentials that name its receipt.
    ///
    /// # Errors
    /// [`CliError::Unsigned`].
    pub fn sign(
        &self,
        output: &[u8],
        name: &str,
        receipt: &SignedReceipt,
    ) -> Result<Vec<u8>, CliError> {
        let provenance = self.claims.provenance(output, LicenseEvidence::Receipt(receipt));
        self.claims.sign(output, name, &provenance, &self.identity)
    }
}
