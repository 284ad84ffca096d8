use motif_sdk::gateway::wire::{
    AlikeWork, Authentication, AuthenticationRequest, Digest, OutputReceipt, ReceiptParts,
    TermsFacts, WorkFacts,
};
use motif_sdk::{
    Pubkey, client::CatalogueEntry, fingerprint::content_digest, licensing::Fingerprint,
};

use crate::{Gateway, problem::ApiError};

/// Receipts of one output that are named.
const MAX_RECEIPTS: u32 = 32;

impl Gateway {
    /// Whose content of this digest and these fingerprints is.
    ///
    /// # Errors
    /// [`ApiError::RecognitionNotReady`], [`ApiError::ChainUnreachable`],
    /// [`ApiError::StoreFailed`].
    pub async fn authenticate(
        &self,
        request: &AuthenticationRequest,
    ) -> Result<Authentication, ApiError> {
        let probes: Vec<_> = request.fingerprints.iter().map(Fingerprint::from).collect();
        let digest = request.digest.0;
        let (recognised, works, read_at) = self.recognition().recognise(&digest, &probes)?;
        let alike = recognised.alike.iter().map(|found| found.registered.work);
        let addresses: Vec<_> =
            recognised.exact.iter().map(|entry| entry.work).chain(alike).collect();
        let entries = self.chain().entries(&addresses).await?;
        let facts = |address: &Pubkey| entries.iter().find(|e| e.address == *address).map(facts);
        let exact: Vec<_> =
            recognised.exact.iter().filter_map(|entry| facts(&entry.work)).collect();
        let alike = recognised.alike.iter().filter_map(|found| {
            Some(AlikeWork::new(facts(&found.registered.work)?, found.likeness))
        });
        let receipts = self.store().by_output(&digest, MAX_RECEIPTS).await?;
        let receipts = receipts.iter().map(|(generation, settled)| OutputReceipt {
            receipt: ReceiptParts::from(&generation.receipt),
            settled: *settled,
        });
        Ok(Authentication {
            digest: Digest(digest),
            media_type: None,
            unreadable: None,
            conflict: exact.len() > 1,
            first_unknown: Authentication::is_first_unknown(&exact),
            exact,
            alike: alike.collect(),
            receipts: receipts.collect(),
            truncated: recognised.is_truncated,
            works,
            read_at,
        })
    }

    /// Whose content is. What cannot be decoded is still found by its digest.
    ///
    /// # Errors
    /// As [`Gateway::authenticate`]; [`ApiError::ContentUnreadable`],
    /// [`ApiError::ContentTooCostly`] when nothing is registered as exactly this.
    pub async fn authenticate_content(&self, content: Vec<u8>) -> Result<Authentication, ApiError> {
        use motif_sdk::fingerprint::WorkerError;

        let digest = Digest(content_digest(&content));
        let perceived = self.recognition().perceive(content).await;
        let probes = perceived.as_ref().map(|perceived| &perceived.probes[..]).unwrap_or_default();
        let fingerprints = probes.iter().map(Into::into).collect();
        let request = AuthenticationRequest { digest, fingerprints };
        let mut answer = self.authenticate(&request).await?;
        let is_known = !answer.exact.is_empty() || !answer.receipts.is_empty();
        match perceived {
            Ok(perceived) => answer.media_type = Some(perceived.media_type.to_owned()),
            Err(error) if is_known => answer.unreadable = Some(error.to_string()),
            Err(WorkerError::Refused(why)) => return Err(ApiError::ContentUnreadable(why)),
            Err(WorkerError::TooCostly) => return Err(ApiError::ContentTooCostly),
            Err(error @ WorkerError::Failed(_)) => {
                return Err(ApiError::Internal(Box::new(error)));
            }
        }
        Ok(answer)
    }
}

fn facts(entry: &CatalogueEntry) -> WorkFacts {
    let terms = entry.terms.as_ref();
    let terms = terms.map(|published| TermsFacts::new(&published.terms, published.digest));
    WorkFacts::new(entry.address, &entry.work, terms)
}
