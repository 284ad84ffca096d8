//! `motif credentials`: content credentials (C2PA) of files.

mod claims;
mod inspection;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use motif_sdk::{
    Error, Pubkey,
    client::{Client, WorkFilter},
    credentials::{Digests, Evidence, Findings, Provenance, ReceiptStanding, SigningIdentity},
    fingerprint::{Examined, content_digest},
    gateway::wire::{CredentialsFacts, Digest},
    receipt::{SignedReceipt, proof::ReceiptProof},
};
use serde::Serialize;

pub use claims::{LicenseEvidence, OutputSigner, WorkClaims};
pub use inspection::{AnchorArgs, inspect, summary};

use crate::{
    channel::ChannelSnapshot,
    error::CliError,
    output::pairs,
    receipt::{Prover, read_receipts},
    reference::{WorkReference, read_file},
    session::Session,
};

/// Commands of `motif credentials`.
#[derive(Subcommand)]
pub enum CredentialsCommand {
    /// Create a signing certificate with its key, and an anchor for readers to trust
    Identity(IdentityArgs),
    /// Sign a registered work's file, or an output with its receipt
    Sign(SignArgs),
    /// Show the content credentials of a file, offline
    Show(ShowArgs),
}

/// Arguments of `motif credentials identity`.
#[derive(Args)]
pub struct IdentityArgs {
    /// Folder for certificate.pem, key.pem (readable by you alone) and anchor.pem
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Name of the signer, as readers see it
    #[arg(long)]
    name: String,
}

/// Arguments of `motif credentials sign`.
#[derive(Args)]
pub struct SignArgs {
    /// JPEG, PNG, WebP, WAV or MP3 file; it stays unchanged, the signed copy is a new file
    file: PathBuf,

    /// Work that the file was generated with, an address or a file; repeat for several
    ///
    /// The work of the file's receipt need not be named. Without works and receipts, the file must
    /// itself be a registered work.
    #[arg(long, value_name = "WORK")]
    work: Vec<WorkReference>,

    /// File of receipts, as `motif generate --receipts` writes it, with the file's own receipt
    ///
    /// If the receipt has settled, its proof is included.
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,

    /// Folder of the signing identity, as `motif credentials identity` creates it
    #[arg(long, env = "MOTIF_IDENTITY", hide_env_values = true, value_name = "DIR")]
    identity: PathBuf,

    /// Path of the signed copy [default: FILE with `signed` before its extension]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Arguments of `motif credentials show`.
#[derive(Args)]
pub struct ShowArgs {
    /// Signed JPEG, PNG, WebP, WAV or MP3 file
    file: PathBuf,

    /// Prove the file's receipt, against a snapshot that `motif channel show --snapshot` wrote
    #[arg(long, value_name = "FILE")]
    channel_snapshot: Option<PathBuf>,

    #[command(flatten)]
    anchors: AnchorArgs,
}

impl CredentialsCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Identity(args) => identity(&args, session),
            Self::Sign(args) => sign(args, session).await,
            Self::Show(args) => show(args, session).await,
        }
    }
}

/// Output of `motif credentials identity`: paths of the files.
#[derive(Serialize)]
struct IdentityOutput {
    #[serde(skip)]
    folder: String,
    certificate: String,
    key: String,
    anchor: String,
}

fn identity(args: &IdentityArgs, session: &Session) -> Result<(), CliError> {
    let issued = SigningIdentity::issue(&args.name, session.now());
    let issued = issued.map_err(|error| {
        let what = format!("cannot issue a certificate for `{}`: {error}", args.name);
        CliError::usage(what, "choose another --name")
    })?;
    issued.write(&args.folder).map_err(Error::from)?;
    let file = |name: &str| args.folder.join(name).display().to_string();
    session.print(&IdentityOutput {
        folder: args.folder.display().to_string(),
        certificate: file(SigningIdentity::CERTIFICATE),
        key: file(SigningIdentity::KEY),
        anchor: file(SigningIdentity::ANCHOR),
    });
    Ok(())
}

impl fmt::Display for IdentityOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[
            ("sign with", &self.folder),
            ("give to readers", &self.anchor),
            ("keep secret", &self.key),
        ]))
    }
}

/// Output of `motif credentials sign`.
#[derive(Serialize)]
struct SignOutput {
    file: String,
    origin: serde_json::Value,
    content_digest: Digest,
    works: Vec<String>,
    receipt: Option<String>,
    /// Whether the proof of the receipt is included.
    proved: bool,
}

async fn sign(args: SignArgs, session: &Session) -> Result<(), CliError> {
    let content = read_file(&args.file)?;
    let identity = SigningIdentity::read(&args.identity).map_err(Error::from)?;
    let output = args.output.clone().unwrap_or_else(|| signed_path(&args.file));
    if output.exists() {
        return Err(CliError::unwritable(&output, "the file exists"));
    }
    let client = session.client().await?;
    let title = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let digest = content_digest(&content);
    let own = match &args.receipts {
        Some(path) => Some(own_receipt(path, &digest, &client).await?),
        None => None,
    };
    let mut works = Vec::new();
    for reference in &args.work {
        works.push((reference.address(&client).await?, None));
    }
    let (claims, provenance);
    if own.is_none() && is_registered(&client, &works, &digest).await? {
        let work = registered(&client, &works, &digest).await?;
        claims = WorkClaims::read(&client, &[(work, None)], session.now()).await?;
        let terms = claims.works[0].terms_number;
        provenance = Provenance::from_work(claims.cluster, &work, digest, terms);
    } else {
        if let Some((signed, _)) = &own {
            works.retain(|(work, _)| *work != signed.receipt.work);
            works.insert(0, (signed.receipt.work, Some(signed.receipt.terms_number)));
        }
        claims = WorkClaims::read(&client, &works, session.now()).await?;
        let evidence = match &own {
            None => LicenseEvidence::None,
            Some((signed, None)) => LicenseEvidence::Receipt(signed),
            Some((_, Some(proof))) => LicenseEvidence::Proof(proof),
        };
        provenance = claims.provenance(&content, evidence);
    }
    let signed = claims.sign(&content, &title, &provenance, &identity)?;
    std::fs::write(&output, signed).map_err(|error| CliError::unwritable(&output, error))?;
    session.print(&SignOutput {
        file: output.display().to_string(),
        origin: serde_json::json!(provenance.origin),
        content_digest: provenance.content_digest,
        works: provenance.works.iter().map(|named| named.work.to_string()).collect(),
        receipt: provenance.receipt.map(|receipt| receipt.digest.to_string()),
        proved: provenance.proof.is_some(),
    });
    Ok(())
}

impl fmt::Display for SignOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let receipt = match (&self.receipt, self.proved) {
            (None, _) => "none".to_owned(),
            (Some(receipt), false) => format!("{receipt}, not settled yet"),
            (Some(receipt), true) => format!("{receipt}, with its proof"),
        };
        formatter.write_str(&pairs(&[
            ("signed copy", &self.file),
            ("works", &self.works.join(", ")),
            ("receipt", &receipt),
        ]))
    }
}

/// Returns `picture.signed.jpg` for `picture.jpg`.
fn signed_path(path: &Path) -> PathBuf {
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
    path.with_extension(
        extension.map_or("signed".to_owned(), |extension| format!("signed.{extension}")),
    )
}

/// Returns the receipt of the file, and its proof if the receipt has settled and all receipts of its
/// channel are in `path`.
async fn own_receipt(
    path: &Path,
    digest: &[u8; 32],
    client: &Client,
) -> Result<(SignedReceipt, Option<ReceiptProof>), CliError> {
    let all = read_receipts(path)?;
    let own = all.iter().find(|signed| signed.receipt.output_digest == *digest).copied();
    let own = own.ok_or_else(|| CliError::unreadable(path, "it has no receipt of this file"))?;
    let address = own.receipt.channel;
    let channel = match client.channel(&address).await {
        Ok(account) => account.channel,
        Err(Error::NotFound { .. }) => return Ok((own, None)),
        Err(error) => return Err(error.into()),
    };
    let keys = client.operator(&channel.operator).await?.receipt_keys;
    let of_channel: Vec<_> =
        all.into_iter().filter(|signed| signed.receipt.channel == address).collect();
    let prover = Prover::new(&address, &channel, &of_channel).ok();
    let proof = prover.and_then(|prover| {
        let mut proofs = prover.proofs();
        proofs.find(|proof| proof.signed == own && proof.verify(&address, &channel, &keys).is_ok())
    });
    Ok((own, proof))
}

/// Returns whether the file is the one work that is named, or must be a work since none is named.
async fn is_registered(
    client: &Client,
    works: &[(Pubkey, Option<u32>)],
    digest: &[u8; 32],
) -> Result<bool, CliError> {
    match works {
        [] => Ok(true),
        [(work, _)] => Ok(client.work(work).await?.content_digest == *digest),
        _ => Ok(false),
    }
}

/// Returns the work with the file's content: the named one, or the only one.
async fn registered(
    client: &Client,
    works: &[(Pubkey, Option<u32>)],
    digest: &[u8; 32],
) -> Result<Pubkey, CliError> {
    if let Some((work, _)) = works.first() {
        return Ok(*work);
    }
    let filter = WorkFilter { content_digest: Some(*digest), ..WorkFilter::default() };
    let found = client.works(&filter).await?;
    match found.as_slice() {
        [(work, _)] => Ok(*work),
        [] => {
            let help = "register it, or pass --work or --receipts if it is an output";
            Err(CliError::usage("no work is registered with this content", help))
        }
        _ => {
            let works: Vec<_> = found.iter().map(|(work, _)| work.to_string()).collect();
            let what = format!("several works have this content: {}", works.join(", "));
            Err(CliError::usage(what, "choose one with --work"))
        }
    }
}

/// Output of `motif credentials show`.
#[derive(Serialize)]
struct ShowOutput {
    credentials: CredentialsFacts,
    receipt_standing: Option<ReceiptStanding>,
}

async fn show(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let content = read_file(&args.file)?;
    let path = || args.file.display().to_string();
    let whole = content_digest(&content);
    let Examined { perceived, credentials } = args.anchors.worker()?.examine(content).await;
    let credentials = match (credentials, perceived) {
        (Some(credentials), _) => credentials,
        (None, Ok(_)) => return Err(CliError::CredentialsMissing { path: path() }),
        (None, Err(error)) => return Err(CliError::unreadable(&args.file, error)),
    };
    let digests = Digests { whole, bare: Some(credentials.bare_digest.0) };
    let snapshot = args.channel_snapshot.as_deref().map(ChannelSnapshot::read).transpose()?;
    let finding = snapshot.as_ref().map(|(address, channel, keys)| {
        let provenance = credentials.provenance.as_ref()?;
        let receipt = provenance.receipt.as_ref()?;
        let channel = (receipt.channel.0 == *address).then_some((channel, keys));
        // A snapshot does not state its cluster; the credentials' cluster is assumed.
        let cluster = provenance.cluster.0;
        let evidence = Evidence { cluster, digests, works: &BTreeMap::new(), channel };
        Findings::new(provenance, evidence).receipt
    });
    let mut receipt_standing = None;
    if let Some(finding) = finding {
        let standing = finding.ok_or_else(|| CliError::ReceiptMissing { path: path() })?.standing;
        if standing != ReceiptStanding::Settled {
            let first = standing.sentence().to_owned();
            return Err(CliError::ReceiptsFailed { failed: 1, all: 1, first });
        }
        receipt_standing = Some(standing);
    }
    let credentials = CredentialsFacts::new(credentials, None);
    session.print(&ShowOutput { credentials, receipt_standing });
    Ok(())
}

impl fmt::Display for ShowOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&summary(&self.credentials))?;
        match &self.receipt_standing {
            Some(standing) => write!(formatter, "\n\nThe receipt is {}.", standing.sentence()),
            None => Ok(()),
        }
    }
}
