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

use super::Recognizer;
use crate::error::{GatewayError, RecognitionError};

/// Maximum number of receipts per output.
const MAX_RECEIPTS: u32 = 32;

impl Recognizer {
    /// Returns the works and receipts of content with this digest and these fingerprints.
    ///
    /// # Errors
    /// [`RecognitionError::NotReady`], [`GatewayError::ChainUnreachable`],
    /// [`GatewayError::StoreFailed`].
    pub async fn authenticate(
        &self,
        request: &AuthenticationRequest,
    ) -> Result<Authentication, GatewayError> {
        let probes: Vec<_> = request.fingerprints.iter().map(Fingerprint::from).collect();
        let digests = request.digests();
        let (recognized, works, read_at) = self.recognize(&digests, &probes)?;
        let entries = self.entries(recognized.works()).await?;
        let mut receipts = Vec::new();
        for digest in digests.iter() {
            receipts
                .extend(self.store.reporting().lookup().by_output(&digest, MAX_RECEIPTS).await?);
        }
        let receipts = receipts.iter().map(|(generation, settled)| OutputReceipt {
            receipt: ReceiptParts::from(&generation.receipt),
            settled: *settled,
        });
        let answer = authentication(request, &recognized, &entries, works, read_at);
        Ok(Authentication { receipts: receipts.collect(), ..answer })
    }

    /// Returns the works, receipts and credentials of content. Content that cannot be decoded is
    /// still found by its digest.
    ///
    /// # Errors
    /// As [`Recognizer::authenticate`]; [`RecognitionError::Unreadable`],
    /// [`RecognitionError::TooCostly`] if the digest is not registered and the content has no
    /// credentials.
    pub async fn authenticate_content(
        &self,
        content: Vec<u8>,
    ) -> Result<Authentication, GatewayError> {
        let digest = Digest(content_digest(&content));
        let Examined { perceived, credentials } = self.examine(content).await;
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
            Err(WorkerError::Refused(why)) => return Err(RecognitionError::Unreadable(why).into()),
            Err(WorkerError::TooCostly) => return Err(RecognitionError::TooCostly.into()),
            Err(error @ WorkerError::Failed(_)) => {
                return Err(GatewayError::internal(error));
            }
        }
        Ok(answer)
    }

    /// Verifies credentials against the chain.
    async fn findings(
        &self,
        provenance: &Provenance,
        digests: Digests,
    ) -> Result<Findings, GatewayError> {
        let cluster = self.cluster.tag().await?;
        let (mut works, mut channel) = (BTreeMap::new(), None);
        if provenance.is_of(&cluster) {
            let named: Vec<_> = provenance.works.iter().map(|named| named.work.0).collect();
            let entries = self.cluster.chain().entries(&named).await?;
            works.extend(entries.iter().map(|entry| (entry.address, entry.work.content_digest)));
            if let Some(receipt) = &provenance.receipt {
                channel = self.cluster.chain().channel(&receipt.channel.0).await?;
            }
        }
        let mut operator = None;
        if let Some(read) = &channel {
            operator = self.cluster.chain().operator(&read.account.channel.operator).await?;
        }
        let channel = channel.as_ref().zip(operator.as_ref());
        let channel =
            channel.map(|(read, operator)| (&read.account.channel, &operator.receipt_keys));
        let evidence = Evidence { cluster, digests, works: &works, channel };
        Ok(Findings::new(provenance, evidence))
    }
}
