use std::collections::BTreeMap;

use motif_sdk::{
    Error,
    client::Client,
    credentials::{Credentials, CredentialsState, Digests, Evidence, Findings, Provenance},
    gateway::wire::CredentialsFacts,
};

use crate::{answer::pairs, error::CliError};

/// Credentials, with what the chain says to what they name.
///
/// # Errors
/// [`Error::Transport`].
pub async fn facts_of(
    credentials: Credentials,
    digests: Digests,
    client: &Client,
) -> Result<CredentialsFacts, CliError> {
    let findings = match &credentials.provenance {
        Some(provenance) => Some(findings_of(provenance, digests, client).await?),
        None => None,
    };
    Ok(CredentialsFacts::new(credentials, findings))
}

async fn findings_of(
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
                Ok(account) => channel = Some(account.channel),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    let evidence = Evidence { cluster, digests, works: &works, channel: channel.as_ref() };
    Ok(Findings::new(provenance, evidence))
}

/// Credentials, for people.
pub fn said(facts: &CredentialsFacts) -> String {
    let state = match facts.state {
        CredentialsState::Intact => "intact: as it was signed".to_owned(),
        CredentialsState::Altered => "ALTERED since it was signed".to_owned(),
        CredentialsState::Invalid => "INVALID".to_owned(),
        CredentialsState::Unreadable => "UNREADABLE".to_owned(),
    };
    let faults = facts.faults.join(", ");
    let state = if faults.is_empty() { state } else { format!("{state} ({faults})") };
    let signer = facts.signer.as_ref().map_or("nobody can tell".to_owned(), |signer| {
        let name = signer.name.as_deref().or(signer.organisation.as_deref());
        let name = name.unwrap_or("without a name");
        if signer.trusted { name.to_owned() } else { format!("{name}, whom nobody vouches for") }
    });
    let mut rows = vec![("credentials", state), ("signed by", signer)];
    match &facts.provenance {
        None => rows.push(("names", "nothing of Motif's".to_owned())),
        Some(provenance) => named(provenance, facts.findings.as_ref(), &mut rows),
    }
    pairs(rows)
}

fn named(
    provenance: &Provenance,
    findings: Option<&Findings>,
    rows: &mut Vec<(&'static str, String)>,
) {
    for (place, named) in provenance.works.iter().enumerate() {
        let finding = findings.and_then(|findings| findings.works.get(place));
        let standing = finding.map_or("the signer says so", |finding| finding.standing.sentence());
        rows.push(("names work", format!("{} ({standing})", named.work)));
    }
    if let Some(receipt) = &provenance.receipt {
        let finding = findings.and_then(|findings| findings.receipt.as_ref());
        let standing = finding.map_or("the signer says so", |finding| finding.standing.sentence());
        let digest = finding.map_or(receipt.digest, |finding| finding.receipt.digest);
        rows.push(("names receipt", format!("{digest} ({standing})")));
    }
}
