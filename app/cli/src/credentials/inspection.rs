use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use motif_sdk::{
    Error,
    client::Client,
    credentials::{
        Credentials, CredentialsState, Digests, Evidence, Findings, Provenance, are_anchors,
    },
    fingerprint::DecodingWorker,
    gateway::wire::CredentialsFacts,
};

use crate::{decode_worker, error::CliError, output::pairs, reference::read_file};

/// Certificates that are trusted in content credentials.
#[derive(Args, Default)]
pub struct AnchorArgs {
    /// PEM file of trusted certificates, such as an identity's anchor.pem
    #[arg(long, env = "MOTIF_ANCHORS", hide_env_values = true, value_name = "FILE")]
    anchors: Option<PathBuf>,
}

impl AnchorArgs {
    /// Returns a worker that trusts the certificates.
    ///
    /// # Errors
    /// [`CliError::Unreadable`] if the file is missing or holds no certificate.
    pub fn worker(&self) -> Result<DecodingWorker, CliError> {
        let Some(path) = &self.anchors else { return Ok(decode_worker::worker(None)) };
        if !are_anchors(&String::from_utf8_lossy(&read_file(path)?)) {
            return Err(CliError::unreadable(path, "the file holds no PEM certificates"));
        }
        Ok(decode_worker::worker(Some(path)))
    }
}

/// Checks what credentials name against the chain.
///
/// # Errors
/// [`Error::Transport`].
pub async fn inspect(
    credentials: Credentials,
    digests: Digests,
    client: &Client,
) -> Result<CredentialsFacts, CliError> {
    let findings = match &credentials.provenance {
        Some(provenance) => Some(findings(provenance, digests, client).await?),
        None => None,
    };
    Ok(CredentialsFacts::new(credentials, findings))
}

async fn findings(
    provenance: &Provenance,
    digests: Digests,
    client: &Client,
) -> Result<Findings, CliError> {
    let cluster = client.config().await?.cluster;
    let (mut works, mut channel) = (BTreeMap::new(), None);
    if provenance.is_of(&cluster) {
        for named in &provenance.works {
            match client.work(&named.work.0).await {
                Ok(work) => _ = works.insert(named.work.0, work.content_digest),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(receipt) = &provenance.receipt {
            match client.channel(&receipt.channel.0).await {
                Ok(account) => {
                    let keys = client.operator(&account.channel.operator).await?.receipt_keys;
                    channel = Some((account.channel, keys));
                }
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    let channel = channel.as_ref().map(|(channel, keys)| (channel, keys));
    let evidence = Evidence { cluster, digests, works: &works, channel };
    Ok(Findings::new(provenance, evidence))
}

/// Renders credentials as text.
pub fn summary(facts: &CredentialsFacts) -> String {
    const UNCHECKED: &str = "as the signer claims";
    let state = match facts.state {
        CredentialsState::Intact => "intact: unchanged since signing".to_owned(),
        CredentialsState::Altered => "ALTERED since signing".to_owned(),
        CredentialsState::Invalid => "INVALID".to_owned(),
        CredentialsState::Unreadable => "UNREADABLE".to_owned(),
    };
    let faults = facts.faults.join(", ");
    let state = if faults.is_empty() { state } else { format!("{state} ({faults})") };
    let signer = facts.signer.as_ref().map_or("unknown".to_owned(), |signer| {
        let name = signer.name.as_deref().or(signer.organisation.as_deref());
        let name = name.unwrap_or("unnamed");
        if signer.trusted { name.to_owned() } else { format!("{name} (not trusted)") }
    });
    let mut rows = vec![("credentials", state), ("signed by", signer)];
    match &facts.provenance {
        None => rows.push(("names", "no work or receipt of Motif".to_owned())),
        Some(provenance) => {
            let findings = facts.findings.as_ref();
            for (position, named) in provenance.works.iter().enumerate() {
                let finding = findings.and_then(|findings| findings.works.get(position));
                let standing = finding.map_or(UNCHECKED, |finding| finding.standing.sentence());
                rows.push(("names work", format!("{} ({standing})", named.work)));
            }
            if let Some(receipt) = &provenance.receipt {
                let finding = findings.and_then(|findings| findings.receipt.as_ref());
                let standing = finding.map_or(UNCHECKED, |finding| finding.standing.sentence());
                let digest = finding.map_or(receipt.digest, |finding| finding.receipt.digest);
                rows.push(("names receipt", format!("{digest} ({standing})")));
            }
        }
    }
    let rows: Vec<_> =
        rows.iter().map(|(name, value)| (*name, value as &dyn std::fmt::Display)).collect();
    pairs(&rows)
}
