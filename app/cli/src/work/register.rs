use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
};

use clap::Args;
use motif_sdk::{
    bps::WHOLE_BPS,
    client::DynSigner,
    credentials::{Digests, digests},
    fingerprint::{
        Comparability, MAX_CONTENT_BYTES, Media, content_digest, decode_image, none, perceive,
        perceive_source,
    },
    licensing::{Fingerprint, Registration, Share, WorkKind},
    pda,
};
use serde::Serialize;
use solana_signer::Signer;

use super::{
    description::DescriptionArgs,
    parents::{LicenseReference, parents},
    style_model::StyleModelArgs,
};
use crate::{
    error::CliError,
    output::pairs,
    reference::{
        ShareArg, ShareList, UnsignableArgs, digest_path, read_file, read_keypairs, recipients,
        works_of,
    },
    session::Session,
    terms::{OfferArgs, PreparedOffer, confirm},
    time::parse_time,
};

/// Arguments of `motif work register`.
#[derive(Args)]
pub struct RegisterArgs {
    /// File with the content, or folder of a style model or dataset; only its SHA-256 and fingerprint
    /// go on chain
    file: PathBuf,

    /// Kind of work: image, recording, voice, text, video, dataset or style-model
    #[arg(long)]
    kind: WorkKind,

    /// Recipients and their shares, 100% in total; an address or a keypair file each [default: you,
    /// 100%]
    #[arg(long, value_name = "ADDRESS=SHARE,...")]
    split: Vec<ShareList>,

    #[command(flatten)]
    unsignable: UnsignableArgs,

    /// Parent that this work was made from, and its share of this work's earnings
    ///
    /// The right to derive is looked up: the owner's signature, the parent's terms, an approval, or
    /// a license that you have used.
    #[arg(long, value_name = "WORK=SHARE")]
    parent: Vec<ShareArg>,

    /// License that this work was generated with; its work becomes a parent
    ///
    /// The parent's share is the one of --parent, or else the minimum of the license's terms.
    #[arg(long, value_name = "[CHANNEL#]INDEX")]
    license: Vec<LicenseReference>,

    /// Keypair file of a parent's owner, whose signature permits the derivative
    #[arg(long, value_name = "FILE")]
    parent_owner: Vec<PathBuf>,

    /// Keypair file of the person whose voice or likeness the work has
    #[arg(long, value_name = "FILE")]
    consent: Option<PathBuf>,

    /// Expiry of the consent, as UTC or Unix seconds [default: never]
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "consent")]
    consent_until: Option<i64>,

    /// Title that lists show, at most 64 bytes
    #[arg(long, default_value = "", value_name = "TITLE", hide_default_value = true)]
    title: String,

    /// URI of the work's metadata
    #[arg(long, default_value = "", value_name = "URI", hide_default_value = true)]
    metadata_uri: String,

    /// File with the work's metadata; its SHA-256 goes on chain
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,

    /// Terms file to publish with the work; options override its values
    #[arg(long, value_name = "FILE")]
    terms: Option<PathBuf>,

    /// Publish terms from a file without confirmation
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    description: DescriptionArgs,

    #[command(flatten)]
    model: StyleModelArgs,

    #[command(flatten)]
    offer: OfferArgs,
}

/// Output of `motif work register`.
#[derive(Serialize)]
struct RegisterOutput {
    work: String,
    kind: WorkKind,
    content_digest: String,
    fingerprint_scheme: u16,
    /// How the work is found, in words.
    found: String,
    terms: Option<u32>,
    signature: String,
}

pub async fn run(args: RegisterArgs, session: &Session) -> Result<(), CliError> {
    CliError::check_visible("title", &args.title)?;
    CliError::check_visible("metadata URI", &args.metadata_uri)?;
    let kind = args.kind;
    args.model.check(kind == WorkKind::StyleModel, args.consent.is_some())?;
    if kind == WorkKind::Voice && args.consent.is_none() {
        let help = "pass the person's keypair with --consent FILE";
        return Err(CliError::usage("a voice requires the person's consent", help));
    }
    let Content { digest, bare_digest, fingerprint, comparability } =
        Content::read(kind, &args.file)?;
    let creator = session.keypair()?;
    let consent =
        args.consent.clone().map(|path| read_keypairs(&[path])).transpose()?.unwrap_or_default();
    let parent_owners = read_keypairs(&args.parent_owner)?;
    let described = args.description.read(&args.title)?;
    let metadata = match &described {
        Some(described) => Some(described.document.clone()),
        None => args.metadata.as_deref().map(read_file).transpose()?,
    };
    let hosted = described.as_ref().map(|described| described.uri(session.gateway_url()));
    let whole = (creator.pubkey(), WHOLE_BPS);
    let given = ShareList::all(args.split);
    let split = if given.is_empty() { vec![whole] } else { recipients(&given)? };
    let share = |(recipient, share_bps)| Share { recipient, share_bps };

    let client = args.unsignable.allow(session.client().await?);
    let address = pda::work(&creator.pubkey(), &digest);
    let path = || args.file.display().to_string();
    if client.account(&address).await?.is_some_and(|account| !account.data.is_empty()) {
        return Err(CliError::AlreadyRegistered { path: path(), work: address });
    }
    if let Some(bare) = bare_digest
        && let Some(work) = works_of(bare, &client).await?.first()
    {
        return Err(CliError::SignedCopy { path: path(), work: *work });
    }
    let parents = parents(&args.parent, &args.license, &client, session).await?;
    let (parents, rights): (Vec<_>, Vec<_>) =
        parents.into_iter().map(|parent| (parent.share, parent.right)).unzip();
    let model = args.model.model(&parents, &client).await?;
    let (model, previous_model) =
        model.map_or((None, None), |model| (Some(model.args), model.previous));
    let registration = Registration {
        kind,
        content_digest: digest,
        fingerprint,
        metadata_digest: metadata.map_or([0; 32], |bytes| content_digest(&bytes)),
        title: args.title,
        metadata_uri: hosted.unwrap_or(args.metadata_uri),
        consent_expires_at: args.consent_until,
        model,
        previous_model,
        min_expires_at: None,
        parents,
        split: split.into_iter().map(share).collect(),
    };
    let first_terms =
        args.offer.prepare_first(args.terms.as_deref(), &client, session.now()).await?;
    if let (Some(prepared), Some(_)) = (&first_terms, &args.terms) {
        confirm(prepared, args.yes, session)?;
    }
    let consent = consent.first().map(|person| person as &DynSigner);
    let owners = parent_owners.iter().map(|owner| owner as &DynSigner);
    let registration =
        client.register_work(registration).consent(consent).rights(rights).parent_owners(owners);
    let (work, landed) = registration.send(&creator).await?;
    if let Some(described) = described {
        // The work is registered, with or without a gateway that describes it.
        if let Err(error) = described.host(&work, &session.gateway().await).await {
            session.status(format_args!("the gateway does not host the metadata: {error}"));
        }
    }
    let terms = match first_terms {
        None => None,
        Some(PreparedOffer { currency, offer, .. }) => {
            Some(client.publish_terms(&work, &currency, offer).send(&creator).await?.0)
        }
    };

    session.print(&RegisterOutput {
        work: work.to_string(),
        kind: args.kind,
        content_digest: hex::encode(digest),
        fingerprint_scheme: fingerprint.scheme,
        found: comparability.to_string(),
        terms,
        signature: landed.signature.to_string(),
    });
    Ok(())
}

impl fmt::Display for RegisterOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = self.terms.map_or("none".to_owned(), |number| number.to_string());
        formatter.write_str(&pairs(&[
            ("work", &self.work),
            ("SHA-256", &self.content_digest),
            ("found", &self.found),
            ("terms", &terms),
        ]))
    }
}

/// What a work is registered with.
struct Content {
    digest: [u8; 32],
    /// Digest of what the file is the signed copy of.
    bare_digest: Option<[u8; 32]>,
    fingerprint: Fingerprint,
    /// How the work will be found.
    comparability: Comparability,
}

impl Content {
    /// Reads a file in bounded memory, whatever its size.
    ///
    /// # Errors
    /// [`CliError::Unreadable`]; [`CliError::InvalidImage`]; [`CliError::Usage`] for a folder of
    /// another kind than a style model or a dataset.
    fn read(kind: WorkKind, path: &Path) -> Result<Self, CliError> {
        let found = std::fs::metadata(path).map_err(|error| CliError::unreadable(path, error))?;
        let is_set = matches!(kind, WorkKind::StyleModel | WorkKind::Dataset);
        if found.is_dir() && !is_set {
            let what = format!("{} is a folder", path.display());
            let help = "pass a file; a style model or a dataset may be a folder of files";
            return Err(CliError::usage(what, help));
        }
        let Some(wanted) = Media::from_work_kind(kind) else {
            let (digest, comparability) = (digest_path(path)?, Comparability::NoScheme);
            return Ok(Self { digest, bare_digest: None, fingerprint: none(), comparability });
        };
        let file = File::open(path).map_err(|error| CliError::unreadable(path, error))?;
        let perceived = perceive_source(file);
        let comparability = Comparability::new(Some(wanted), &perceived);
        let fingerprint = match perceived {
            Ok(perceived) if perceived.media == wanted => perceived.fingerprint,
            // A picture that is none is a mistake of the kind or the file.
            _ if wanted == Media::Image => {
                let (path, reason) = (path.display().to_string(), comparability.to_string());
                return Err(CliError::InvalidImage { path, reason });
            }
            _ => none(),
        };
        let Digests { whole, bare } = match found.len() <= MAX_CONTENT_BYTES as u64 {
            true => digests(&read_file(path)?),
            false => Digests { whole: digest_path(path)?, bare: None },
        };
        Ok(Self { digest: whole, bare_digest: bare, fingerprint, comparability })
    }
}

/// Returns the fingerprint by which similar content is found, or none for content that has no
/// fingerprint.
///
/// # Errors
/// [`CliError::InvalidImage`] if an image cannot be decoded.
pub fn fingerprint(
    kind: WorkKind,
    content: &[u8],
    path: &std::path::Path,
) -> Result<Fingerprint, CliError> {
    let refuse = |error: motif_sdk::fingerprint::ImageError| CliError::InvalidImage {
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
