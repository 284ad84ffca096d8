use std::path::PathBuf;

use clap::Args;
use motif_sdk::{
    client::Client,
    fingerprint::{content_digest, decode_image, none},
    gateway::wire::KindWord,
    licensing::{Fingerprint, ParentShare, Registration, Share, WorkKind},
    pda,
};
use serde_json::json;
use solana_signer::Signer;

use crate::{
    answer::pairs,
    error::CliError,
    reference::{Somebody, WorkReference, keypairs, parse_share, read_file},
    session::Session,
    terms::OfferArgs,
};

const WHOLE_BPS: u16 = 10_000;

/// What to register, and who gets what.
#[derive(Args)]
pub struct RegisterArgs {
    /// The content. Only its SHA-256 and fingerprint go on chain.
    file: PathBuf,

    /// image, recording, voice, text, video, dataset or style-model.
    #[arg(long)]
    kind: KindWord,

    /// Who gets which part, 100% in total, as addresses or keypair files [default: you, all].
    #[arg(long, value_name = "ADDRESS=50%", value_delimiter = ',', value_parser = parse_share)]
    split: Vec<(String, u16)>,

    /// A work this one was made from, and its part of what this one earns.
    #[arg(long, value_name = "WORK=20%", value_parser = parse_share)]
    parent: Vec<(String, u16)>,

    /// Keypair of a parent's owner who agrees, where the parent's terms do not allow it.
    #[arg(long, value_name = "FILE")]
    parent_owner: Vec<PathBuf>,

    /// Keypair of the person whose voice or likeness this is.
    #[arg(long, value_name = "FILE")]
    consent: Option<PathBuf>,

    /// Where a description of the work is.
    #[arg(long, default_value = "", value_name = "URI")]
    metadata_uri: String,

    /// The description itself; its SHA-256 goes on chain.
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,

    #[command(flatten)]
    offer: OfferArgs,
}

pub async fn run(args: RegisterArgs, session: &Session) -> Result<(), CliError> {
    let content = read_file(&args.file)?;
    let fingerprint = fingerprint(args.kind.into(), &content, &args.file)?;
    let creator = session.keypair()?;
    let consent =
        args.consent.clone().map(|path| keypairs(&[path])).transpose()?.unwrap_or_default();
    let parent_owners = keypairs(&args.parent_owner)?;
    let metadata = args.metadata.as_deref().map(read_file).transpose()?;
    let whole = (creator.pubkey(), WHOLE_BPS);
    let split = if args.split.is_empty() { vec![whole] } else { recipients(&args.split)? };
    let share = |(recipient, share_bps)| Share { recipient, share_bps };

    let client = session.client().await?;
    let address = pda::work(&creator.pubkey(), &content_digest(&content));
    if client.account(&address).await?.is_some_and(|account| !account.data.is_empty()) {
        let path = args.file.display().to_string();
        return Err(CliError::AlreadyRegistered { path, work: address });
    }
    let registration = Registration {
        fingerprint,
        metadata_digest: metadata.map_or([0; 32], |bytes| content_digest(&bytes)),
        metadata_uri: args.metadata_uri,
        parents: parents(&args.parent, &client).await?,
        split: split.into_iter().map(share).collect(),
        ..Registration::new(args.kind.into(), content_digest(&content), &creator.pubkey())
    };
    let digest = registration.content_digest;
    let owners: Vec<_> = parent_owners.iter().collect();
    let (work, landed) =
        client.register_work(&creator, consent.first(), registration, &owners).await?;
    let terms = match args.offer.first_terms(&client).await? {
        None => None,
        Some((currency, offer)) => {
            Some(client.publish_terms(&creator, &work, &currency, offer).await?.0)
        }
    };

    let json = json!({
        "work": work.to_string(),
        "kind": args.kind,
        "content_digest": hex::encode(digest),
        "terms": terms,
        "signature": landed.signature.to_string(),
    });
    let text = pairs([
        ("work", work.to_string()),
        ("SHA-256", hex::encode(digest)),
        ("terms", terms.map_or("none yet".to_owned(), |number| format!("number {number}"))),
    ]);
    session.answer(&json, text);
    Ok(())
}

/// An image must be readable as one: its fingerprint is how look-alikes are found.
pub fn fingerprint(
    kind: WorkKind,
    content: &[u8],
    path: &std::path::Path,
) -> Result<Fingerprint, CliError> {
    if kind != WorkKind::Image {
        return Ok(none());
    }
    let refuse = |error: motif_sdk::fingerprint::ImageError| CliError::NotAnImage {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    Ok(decode_image(content).map_err(refuse)?.fingerprint)
}

fn recipients(split: &[(String, u16)]) -> Result<Vec<(motif_sdk::Pubkey, u16)>, CliError> {
    let mut recipients = Vec::with_capacity(split.len());
    for (whose, share_bps) in split {
        let somebody = Somebody::parse(whose);
        let somebody = somebody.map_err(|_| CliError::NeitherAddressNorFile(whose.clone()))?;
        recipients.push((somebody.address()?, *share_bps));
    }
    Ok(recipients)
}

async fn parents(named: &[(String, u16)], client: &Client) -> Result<Vec<ParentShare>, CliError> {
    let mut parents = Vec::with_capacity(named.len());
    for (which, share_bps) in named {
        let reference = WorkReference::parse(which);
        let reference = reference.map_err(|_| CliError::NeitherAddressNorFile(which.clone()))?;
        let work = reference.address(client).await?;
        parents.push(ParentShare { work, share_bps: *share_bps });
    }
    Ok(parents)
}
