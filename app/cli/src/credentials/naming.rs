use motif_sdk::{
    Error, Pubkey,
    client::{Client, PublishedTerms},
    credentials::{NamedWork, Provenance, SigningIdentity, sign},
    fingerprint::content_digest,
    gateway::wire::{Address, Digest},
    receipt::{SignedReceipt, proof::ReceiptProof},
    terms::cawg,
};
use serde_json::Value;

use crate::{error::CliError, terms::denomination};

/// What credentials say of works, as the chain has it.
pub struct Naming {
    pub cluster: [u8; 32],
    pub works: Vec<NamedWork>,
    /// The assertion about training and data mining that the works' terms come to.
    pub mining: Option<Value>,
}

/// What licensed an output.
pub enum Licensed<'a> {
    /// Nothing that is at hand.
    Unproved,
    /// A receipt that has not settled, or cannot be proved from here.
    Receipt(&'a SignedReceipt),
    /// A receipt that has settled.
    Proof(&'a ReceiptProof),
}

impl Naming {
    /// Reads works, each with the terms of that number or else its latest.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a work; [`Error::Transport`].
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

    /// What credentials name that say that an output was generated with these works.
    pub fn of_output(&self, output: &[u8], licensed: Licensed<'_>) -> Provenance {
        let provenance =
            Provenance::of_output(self.cluster, content_digest(output), self.works.clone());
        match licensed {
            Licensed::Unproved => provenance,
            Licensed::Receipt(signed) => provenance.with_receipt(signed),
            Licensed::Proof(proof) => provenance.with_proof(proof),
        }
    }

    /// A file with credentials that say this.
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
