use std::path::Path;

use motif_sdk::{
    Error, Pubkey,
    channel::ChannelAccount,
    client::{Client, PublishedTerms},
    credentials::{NamedWork, Provenance, SigningIdentity, sign},
    fingerprint::content_digest,
    gateway::wire::{Address, Digest},
    receipt::{SignedReceipt, proof::ReceiptProof},
    terms::cawg,
};
use serde_json::Value;

use crate::{currency::denomination, error::CliError, session::Session};

/// Claims about works that content credentials make, as the chain has them.
pub struct WorkClaims {
    pub cluster: [u8; 32],
    pub works: Vec<NamedWork>,
    /// Assertion about training and data mining that follows from the works' terms.
    mining: Option<Value>,
}

/// Evidence that an output was licensed.
pub enum LicenseEvidence<'a> {
    None,
    /// Receipt that has not settled, or cannot be proved here.
    Receipt(&'a SignedReceipt),
    /// Receipt that has settled, with its proof.
    Proof(&'a ReceiptProof),
}

impl WorkClaims {
    /// Reads works, each with the given version of its terms or the latest.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such work; [`Error::Transport`].
    pub async fn read(
        client: &Client,
        works: &[(Pubkey, Option<u32>)],
        now: i64,
    ) -> Result<Self, CliError> {
        let cluster = client.config().await?.cluster;
        let (mut named, mut mining) = (Vec::new(), Vec::new());
        for (address, number) in works {
            let work = client.work(address).await?;
            let terms = terms(client, address, *number).await?;
            if let Some(PublishedTerms { terms, .. }) = &terms {
                let currency = denomination(client, &terms.currency).await?;
                let source = format!("Motif terms {} of {address}", terms.number);
                mining.push(cawg::assertion(&terms.offer, &currency, &source, now));
            }
            named.push(NamedWork {
                work: Address(*address),
                content_digest: Digest(work.content_digest),
                terms_number: terms.map(|published| published.terms.number),
            });
        }
        Ok(Self { cluster, works: named, mining: cawg::strictest(mining) })
    }

    /// Returns the provenance of an output that was generated with these works.
    pub fn provenance(&self, output: &[u8], evidence: LicenseEvidence<'_>) -> Provenance {
        let provenance =
            Provenance::from_output(self.cluster, content_digest(output), self.works.clone());
        match evidence {
            LicenseEvidence::None => provenance,
            LicenseEvidence::Receipt(signed) => provenance.with_receipt(signed),
            LicenseEvidence::Proof(proof) => provenance.with_proof(proof),
        }
    }

    /// Returns a file with credentials that state its provenance.
    ///
    /// # Errors
    /// [`CliError::Unsigned`].
    pub fn sign(
        &self,
        content: &[u8],
        title: &str,
        provenance: &Provenance,
        identity: &SigningIdentity,
    ) -> Result<Vec<u8>, CliError> {
        let signed = sign(content, title, provenance, self.mining.as_ref(), identity);
        signed.map_err(|error| CliError::Unsigned { path: title.to_owned(), error })
    }
}

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
        let identity = SigningIdentity::read(folder).map_err(Error::from)?;
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

async fn terms(
    client: &Client,
    work: &Pubkey,
    number: Option<u32>,
) -> Result<Option<PublishedTerms>, CliError> {
    let read = match number {
        Some(number) => client.terms(work, number).await,
        None => client.latest_terms(work).await,
    };
    match read {
        Ok(terms) => Ok(Some(terms)),
        Err(Error::NotFound { kind: "terms", .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
