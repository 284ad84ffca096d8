use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use motif_interface::{
    channel::{self, Channel},
    licensing,
    payments::ReceiptKeys,
    receipt::{SignedReceipt, proof::ProofError},
};

use super::{Address, Digests, Origin, Provenance, ReceiptParts};

/// Result of checking a provenance against the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Findings {
    /// Results for the works.
    pub works: Vec<WorkFinding>,
    /// Result for the receipt; `null` without one.
    pub receipt: Option<ReceiptFinding>,
}

/// Result for one work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkFinding {
    /// Work.
    pub work: Address,
    /// Relation to the content.
    pub standing: WorkStanding,
}

/// Relation of a named work to content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WorkStanding {
    /// The content is the work's, by its digest.
    Confirmed,
    /// A valid receipt states that the work licensed this content.
    Licensed,
    /// The work exists; only the signer claims that the content was made with it.
    Claimed,
    /// The work exists and has other content.
    OtherContent,
    /// The work does not exist.
    Unknown,
}

/// Result for a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptFinding {
    /// Receipt.
    pub receipt: ReceiptParts,
    /// Validity of the receipt.
    pub standing: ReceiptStanding,
}

/// Validity of a receipt in credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ReceiptStanding {
    /// For this content, signed by the operator, and proved to be settled.
    Settled,
    /// For this content and signed by the operator of its channel.
    Signed,
    /// For other content.
    OtherOutput,
    /// Not signed by the operator of its channel, or its proof is invalid.
    False,
    /// Its channel does not exist.
    ChannelGone,
    /// For another cluster or other programs; not checked.
    OtherCluster,
}

/// On-chain state that a provenance is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Tag of the cluster.
    pub cluster: [u8; 32],
    /// Digests of the content.
    pub digests: Digests,
    /// Content digests of the named works that exist.
    pub works: &'a BTreeMap<Pubkey, [u8; 32]>,
    /// Channel of the named receipt, and receipt keys of its operator, if it exists.
    pub channel: Option<(&'a Channel, &'a ReceiptKeys)>,
}

impl Findings {
    /// Checks a provenance against the content, the chain and the operator's signature.
    /// The signer of the credentials is ignored.
    pub fn new(provenance: &Provenance, evidence: Evidence<'_>) -> Self {
        let receipt = provenance.receipt.map(|claimed| {
            // Recomputed, since the credentials can contain any digest.
            let receipt = ReceiptParts::from(&SignedReceipt::from(&claimed));
            let standing = standing(provenance, &receipt, evidence);
            ReceiptFinding { receipt, standing }
        });
        let is_home = provenance.is_of(&evidence.cluster);
        let works = provenance.works.iter().map(|named| {
            let exists = evidence.works.get(&named.work.0).filter(|_| is_home);
            let licensed = receipt.as_ref().is_some_and(|finding| {
                finding.standing.holds() && finding.receipt.work == named.work
            });
            let standing = match (exists, provenance.origin) {
                (None, _) => WorkStanding::Unknown,
                (Some(digest), Origin::Registered) if evidence.digests.contains(digest) => {
                    WorkStanding::Confirmed
                }
                (Some(_), Origin::Registered) => WorkStanding::OtherContent,
                (Some(_), Origin::Generated) if licensed => WorkStanding::Licensed,
                (Some(_), Origin::Generated) => WorkStanding::Claimed,
            };
            WorkFinding { work: named.work, standing }
        });
        Self { works: works.collect(), receipt }
    }
}

impl Provenance {
    /// Whether the named accounts are on this cluster and of these programs.
    pub fn is_of(&self, cluster: &[u8; 32]) -> bool {
        self.cluster.0 == *cluster
            && self.licensing_program.0 == licensing::PROGRAM_ID
            && self.payments_program.0 == channel::PROGRAM_ID
    }
}

impl ReceiptStanding {
    /// Whether the operator states that this content was licensed.
    pub fn holds(self) -> bool {
        matches!(self, Self::Settled | Self::Signed)
    }

    /// Whether the chain proves the receipt.
    pub fn is_proved(self) -> bool {
        self == Self::Settled
    }

    /// Returns a description for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Settled => "signed by the operator, settled on chain",
            Self::Signed => "signed by the operator, not proved to be settled",
            Self::OtherOutput => "FALSE: it is for other content",
            Self::False => "FALSE: not signed by the channel's operator, or its proof is invalid",
            Self::ChannelGone => "its channel no longer exists, so it cannot be checked",
            Self::OtherCluster => "for another cluster, not checked",
        }
    }
}

fn standing(
    provenance: &Provenance,
    receipt: &ReceiptParts,
    evidence: Evidence<'_>,
) -> ReceiptStanding {
    if !evidence.digests.contains(&receipt.output_digest.0) {
        return ReceiptStanding::OtherOutput;
    }
    if !provenance.is_of(&evidence.cluster) {
        return ReceiptStanding::OtherCluster;
    }
    let Some((channel, keys)) = evidence.channel else { return ReceiptStanding::ChannelGone };
    let is_signed = SignedReceipt::from(receipt).verifies_with(keys);
    match provenance.receipt_proof().map(|proof| proof.verify(&receipt.channel.0, channel, keys)) {
        _ if !is_signed => ReceiptStanding::False,
        None | Some(Err(ProofError::NotSettled)) => ReceiptStanding::Signed,
        Some(Ok(())) => ReceiptStanding::Settled,
        Some(Err(_)) => ReceiptStanding::False,
    }
}

impl WorkStanding {
    /// Returns a description for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Confirmed => "this is its content",
            Self::Licensed => "licensed it, by a valid receipt",
            Self::Claimed => "exists; only the signer claims that this was made with it",
            Self::OtherContent => "FALSE: it has other content",
            Self::Unknown => "FALSE: it does not exist on this cluster",
        }
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::{Digest, NamedWork};
    use motif_interface::receipt::Receipt;

    const CLUSTER: [u8; 32] = [9; 32];
    const WORK: Pubkey = Pubkey::new_from_array([5; 32]);
    const OUTPUT: [u8; 32] = [7; 32];

    fn operator() -> SigningKey {
        SigningKey::from_bytes(&[3; 32])
    }

    fn keys() -> ReceiptKeys {
        ReceiptKeys::sole(Pubkey::new_from_array(operator().verifying_key().to_bytes()))
    }

    fn receipt(output_digest: [u8; 32]) -> Receipt {
        Receipt {
            channel: Pubkey::new_from_array([4; 32]),
            opened_slot: 2,
            statement: 3,
            position: 0,
            license: 4,
            units: 5,
            terms_number: 6,
            amount: 7,
            cumulative: 8,
            work: WORK,
            request_digest: [10; 32],
            output_digest,
            issued_at: 12,
        }
    }

    fn generated(signed: &SignedReceipt) -> Provenance {
        let (work, content_digest) = (Address(WORK), Digest([6; 32]));
        let named = NamedWork { work, content_digest, terms_number: Some(1) };
        let provenance = Provenance::from_output(CLUSTER, [6; 32], vec![named]);
        provenance.with_receipt(signed)
    }

    fn findings(
        provenance: &Provenance,
        channel: Option<&Channel>,
    ) -> (ReceiptStanding, WorkStanding) {
        let digests = Digests { whole: [8; 32], bare: Some(OUTPUT) };
        let works = BTreeMap::from([(WORK, [6; 32])]);
        let keys = keys();
        let channel = channel.map(|channel| (channel, &keys));
        let evidence = Evidence { cluster: CLUSTER, digests, works: &works, channel };
        let findings = Findings::new(provenance, evidence);
        (findings.receipt.unwrap().standing, findings.works[0].standing)
    }

    #[test]
    fn only_operator_receipt_licenses_content() {
        let (signed, channel) =
            (SignedReceipt::sign(receipt(OUTPUT), &operator()), Channel::zeroed());
        let good = generated(&signed);
        let expected = (ReceiptStanding::Signed, WorkStanding::Licensed);
        assert_eq!(findings(&good, Some(&channel)), expected);

        let other = SignedReceipt::sign(receipt([0; 32]), &operator());
        let stranger = SignedReceipt::sign(receipt(OUTPUT), &SigningKey::from_bytes(&[2; 32]));
        let elsewhere = Provenance { cluster: Digest([0; 32]), ..good.clone() };
        for (provenance, channel, standing, work) in [
            (
                generated(&other),
                Some(&channel),
                ReceiptStanding::OtherOutput,
                WorkStanding::Claimed,
            ),
            (generated(&stranger), Some(&channel), ReceiptStanding::False, WorkStanding::Claimed),
            (good, None, ReceiptStanding::ChannelGone, WorkStanding::Claimed),
            (elsewhere, Some(&channel), ReceiptStanding::OtherCluster, WorkStanding::Unknown),
        ] {
            assert_eq!(findings(&provenance, channel), (standing, work));
        }
    }

    #[test]
    fn receipt_digest_is_recomputed() {
        let signed = SignedReceipt::sign(receipt(OUTPUT), &operator());
        let mut provenance = generated(&signed);
        if let Some(receipt) = &mut provenance.receipt {
            receipt.digest = Digest([0; 32]);
        }
        let digests = Digests { whole: OUTPUT, bare: None };
        let works = BTreeMap::new();
        let evidence = Evidence { cluster: CLUSTER, digests, works: &works, channel: None };
        let named = Findings::new(&provenance, evidence).receipt.unwrap().receipt.digest;
        assert_eq!(named.0, signed.receipt.digest());
    }

    #[test]
    fn work_is_confirmed_by_digest_only() {
        let digests = Digests { whole: [8; 32], bare: Some(OUTPUT) };
        let provenance = Provenance::from_work(CLUSTER, &WORK, OUTPUT, None);
        for (works, expected) in [
            (BTreeMap::from([(WORK, OUTPUT)]), WorkStanding::Confirmed),
            (BTreeMap::from([(WORK, [8; 32])]), WorkStanding::Confirmed),
            (BTreeMap::from([(WORK, [0; 32])]), WorkStanding::OtherContent),
            (BTreeMap::new(), WorkStanding::Unknown),
        ] {
            let evidence = Evidence { cluster: CLUSTER, digests, works: &works, channel: None };
            assert_eq!(Findings::new(&provenance, evidence).works[0].standing, expected);
        }
    }
}
