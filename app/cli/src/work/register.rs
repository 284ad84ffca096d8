use std::path::PathBuf;

use clap::Args;
use motif_sdk::{
    client::DynSigner,
    fingerprint::{Media, content_digest, decode_image, none, perceive},
    gateway::wire::KindWord,
    licensing::{Fingerprint, Registration, Share, WorkKind},
    pda,
};
use serde_json::json;
use solana_signer::Signer;

use super::{
    rights::{LicenseReference, parents},
    training::StyleModelArgs,
};
use crate::{
    answer::pairs,
    error::CliError,
    instant::parse_instant,
    reference::{keypairs, parse_share, read_file, recipients},
    session::Session,
    terms::{OfferArgs, Offered, confirm},
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

    /// A work this one was made from, and its part of what this one earns. The right to it is
    /// looked up: its owner's signature, its terms, an approval, or a license you have used.
    #[arg(long, value_name = "WORK=20%", value_parser = parse_share)]
    parent: Vec<(String, u16)>,

    /// A license of yours that this was generated with: its work becomes a parent with the share
    /// that its terms ask for, or with that of --parent.
    #[arg(long, value_name = "[CHANNEL#]INDEX", value_parser = LicenseReference::parse)]
    license: Vec<LicenseReference>,

    /// Keypair of a parent's owner who agrees, where the parent's terms do not allow it.
    #[arg(long, value_name = "FILE")]
    parent_owner: Vec<PathBuf>,

    /// Keypair of the person whose voice or likeness this is.
    #[arg(long, value_name = "FILE")]
    consent: Option<PathBuf>,

    /// Last moment of that consent [default: no end].
    #[arg(long, value_name = "INSTANT", value_parser = parse_instant, requires = "consent")]
    consent_until: Option<i64>,

    /// Where a description of the work is.
    #[arg(long, default_value = "", value_name = "URI")]
    metadata_uri: String,

    /// The description itself; its SHA-256 goes on chain.
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,

    /// File of terms to publish at once; flags override what it says.
    #[arg(long, value_name = "FILE")]
    terms: Option<PathBuf>,

    /// Do not ask before terms from a file are published.
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    model: StyleModelArgs,

    #[command(flatten)]
    offer: OfferArgs,
}

pub async fn run(args: RegisterArgs, session: &Session) -> Result<(), CliError> {
    let kind = args.kind.into();
    args.model.check(kind == WorkKind::StyleModel, args.consent.is_some())?;
    if kind == WorkKind::Voice && args.consent.is_none() {
        let help = "have the person sign with --consent FILE";
        return Err(CliError::usage("a voice needs the consent of the person whose it is", help));
    }
    let content = read_file(&args.file)?;
    let fingerprint = fingerprint(kind, &content, &args.file)?;
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
    let parents = parents(&args.parent, &args.license, &client, session).await?;
    let (parents, rights): (Vec<_>, Vec<_>) =
        parents.into_iter().map(|parent| (parent.share, parent.right)).unzip();
    let model = args.model.model(&parents, &client).await?;
    let (model, previous_model) =
        model.map_or((None, None), |model| (Some(model.args), model.previous));
    let registration = Registration {
        kind,
        content_digest: content_digest(&content),
        fingerprint,
        metadata_digest: metadata.map_or([0; 32], |bytes| content_digest(&bytes)),
        metadata_uri: args.metadata_uri,
        consent_expires_at: args.consent_until,
        model,
        previous_model,
        parents,
        split: split.into_iter().map(share).collect(),
    };
    let first_terms = args.offer.first_terms(args.terms.as_deref(), &client, session.now()).await?;
    if let (Some(offered), Some(_)) = (&first_terms, &args.terms) {
        confirm(offered, args.yes, session)?;
    }
    let digest = registration.content_digest;
    let consent = consent.first().map(|person| person as &DynSigner);
    let owners = parent_owners.iter().map(|owner| owner as &DynSigner);
    let registration =
        client.register_work(registration).consent(consent).rights(rights).parent_owners(owners);
    let (work, landed) = registration.send(&creator).await?;
    let terms = match first_terms {
        None => None,
        Some(Offered { currency, offer, .. }) => {
            Some(client.publish_terms(&work, &currency, offer).send(&creator).await?.0)
        }
    };

    let json = json!({
        "work": work.to_string(),
        "kind": args.kind,
        "content_digest": hex::encode(digest),
        "fingerprint_scheme": fingerprint.scheme,
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

/// What look-alikes are found by. An image must be readable as one; what else cannot be read is
/// registered without.
pub fn fingerprint(
    kind: WorkKind,
    content: &[u8],
    path: &std::path::Path,
) -> Result<Fingerprint, CliError> {
    let refuse = |error: motif_sdk::fingerprint::ImageError| CliError::NotAnImage {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let wanted = match kind {
        WorkKind::Image => return Ok(decode_image(content).map_err(refuse)?.fingerprint),
        WorkKind::Recording | WorkKind::Voice => Media::Audio,
        WorkKind::Text => Media::Text,
        WorkKind::Video | WorkKind::Dataset | WorkKind::StyleModel => return Ok(none()),
    };
    let perceived = perceive(content).ok().filter(|perceived| perceived.media == wanted);
    Ok(perceived.map_or_else(none, |perceived| perceived.fingerprint))
}
