use std::collections::BTreeMap;

use motif_sdk::gateway::authentication;
use motif_sdk::gateway::wire::{
    Authentication, AuthenticationRequest, CredentialsFacts, Digest, OutputReceipt, ReceiptParts,
};
use motif_sdk::{
    credentials::{Digests, Evidence, Findings, Provenance},
    fingerprint::{Examined, WorkerError, content_digest},
    licensing::Fingerprint,
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
        let digests = request.digests();
        let (recognised, works, read_at) = self.recognition().recognise(&digests, &probes)?;
        let entries = self.chain().entries(&recognised.works()).await?;
        let mut receipts = Vec::new();
        for digest in digests.iter() {
            receipts.extend(self.store().by_output(&digest, MAX_RECEIPTS).await?);
        }
        let receipts = receipts.iter().map(|(generation, settled)| OutputReceipt {
            receipt: ReceiptParts::from(&generation.receipt),
            settled: *settled,
        });
        let answer = authentication(request, &recognised, &entries, works, read_at);
        Ok(Authentication { receipts: receipts.collect(), ..answer })
    }

    /// Whose content is, and what it says of itself. What cannot be decoded is still found by its
    /// digest.
    ///
    /// # Errors
    /// As [`Gateway::authenticate`]; [`ApiError::ContentUnreadable`],
    /// [`ApiError::ContentTooCostly`] when nothing is registered as exactly
    /// this and it carries no credentials.
    pub async fn authenticate_content(&self, content: Vec<u8>) -> Result<Authentication, ApiError> {
        let digest = Digest(content_digest(&content));
        let Examined { perceived, credentials } = self.recognition().examine(content).await;
        let probes = perceived.as_ref().map(|perceived| &perceived.probes[..]).unwrap_or_default();
        let fingerprints = probes.iter().map(Into::into).collect();
        let bare_digest = credentials.as_ref().map(|credentials| credentials.bare_digest);
        let request = AuthenticationRequest { digest, bare_digest, fingerprints };
        let mut answer = self.authenticate(&request).await?;
        if let Some(credentials) = credentials {
            let findings = match &credentials.provenance {
                Some(provenance) => Some(self.findings(provenance, request.digests()).await?),
                None => None,
            };
            answer.credentials = Some(CredentialsFacts::new(credentials, findings));
        }
        let is_known =
            !answer.exact.is_empty() || !answer.receipts.is_empty() || answer.credentials.is_some();
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

    /// What the chain says to what credentials name.
    async fn findings(
        &self,
        provenance: &Provenance,
        digests: Digests,
    ) -> Result<Findings, ApiError> {
        let cluster = self.cluster().await?;
        let (mut works, mut channel) = (BTreeMap::new(), None);
        if provenance.is_of(&cluster) {
            let named: Vec<_> = provenance.works.iter().map(|named| named.work.0).collect();
            let entries = self.chain().entries(&named).await?;
            works.extend(entries.iter().map(|entry| (entry.address, entry.work.content_digest)));
            if let Some(receipt) = &provenance.receipt {
                channel = self.chain().channel(&receipt.channel.0).await?;
            }
        }
        let channel = channel.as_ref().map(|read| &read.account.channel);
        let evidence = Evidence { cluster, digests, works: &works, channel };
        Ok(Findings::new(provenance, evidence))
    }
}
