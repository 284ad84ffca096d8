use std::{
    fs,
    path::{Path, PathBuf},
};

use motif_sdk::{
    Pubkey,
    client::Client,
    credentials::{CredentialsState, Digests, SigningIdentity, WorkStanding},
    fingerprint::content_digest,
    gateway::wire::ReceiptParts,
    receipt::{SignedReceipt, proof::ReceiptProof},
};
use serde_json::json;

use crate::{
    channel::Snapshot,
    credentials::{Licensed, Naming, facts_of},
    decoding,
    error::CliError,
};

/// What the platform is called in what it signs.
const PLATFORM: &str = "The platform of the demo";

/// The last output, as the platform hands it on.
pub struct Handover<'a> {
    pub client: &'a Client,
    pub channel: &'a Pubkey,
    pub model: &'a Pubkey,
    pub output: &'a [u8],
    pub proof: &'a ReceiptProof,
    pub now: i64,
}

impl Handover<'_> {
    /// Signs the output, and reads it back like a stranger who trusts the platform's anchor: how
    /// many of one credentials held, and where what was made is.
    pub async fn sign(&self, folder: &Path) -> Result<(u32, PathBuf), CliError> {
        let unwritable = |path: &Path, error: String| CliError::Unwritable {
            path: path.display().to_string(),
            reason: error,
        };
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, error.to_string()))?;
        let issued = SigningIdentity::issue(PLATFORM, self.now);
        let issued = issued.map_err(|error| unwritable(folder, error.to_string()))?;
        let identity = issued.identity().map_err(|error| unwritable(folder, error.to_string()))?;

        let terms_number = self.proof.signed.receipt.terms_number;
        let works = [(*self.model, Some(terms_number))];
        let naming = Naming::read(self.client, &works, self.now).await?;
        let provenance = naming.of_output(self.output, Licensed::Proof(self.proof));
        let signed = naming.sign(self.output, "output.png", &provenance, &identity)?;

        let (output, anchor) = (folder.join("output.png"), folder.join("anchor.pem"));
        for (path, content) in [(&output, &signed[..]), (&anchor, issued.anchor.as_bytes())] {
            fs::write(path, content).map_err(|error| unwritable(path, error.to_string()))?;
        }
        Snapshot::take(self.client, self.channel).await?.write(&folder.join("channel.json"))?;
        Ok((self.read_back(signed, &anchor).await?, output))
    }

    async fn read_back(&self, signed: Vec<u8>, anchor: &Path) -> Result<u32, CliError> {
        let whole = content_digest(&signed);
        let examined = decoding::worker(Some(anchor)).examine(signed).await;
        let Some(credentials) = examined.credentials else { return Ok(0) };
        let bare = credentials.bare_digest.0;
        let digests = Digests { whole, bare: Some(bare) };
        let facts = facts_of(credentials, digests, self.client).await?;
        let is_trusted = facts.signer.as_ref().is_some_and(|signer| signer.trusted);
        let is_intact = facts.state == CredentialsState::Intact && is_trusted;
        let is_licensed = facts.findings.is_some_and(|findings| {
            let works = &findings.works;
            let receipt = findings.receipt.is_some_and(|receipt| receipt.standing.is_proved());
            receipt && works.iter().all(|work| work.standing == WorkStanding::Licensed)
        });
        let is_of_output = bare == self.proof.signed.receipt.output_digest;
        Ok(u32::from(is_intact && is_licensed && is_of_output))
    }
}

/// Writes receipts as `motif receipt verify` reads them.
pub fn write_receipts(folder: &Path, receipts: &[SignedReceipt]) -> Result<(), CliError> {
    let path = folder.join("receipts.jsonl");
    let lines = receipts.iter().map(|signed| format!("{}\n", json!(ReceiptParts::from(signed))));
    fs::write(&path, lines.collect::<String>()).map_err(|error| CliError::Unwritable {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}
