use std::path::{Path, PathBuf};

use clap::Args;
use motif_sdk::{
    Error, Pubkey,
    client::{Client, WorkFilter},
    credentials::{Provenance, SigningIdentity},
    fingerprint::content_digest,
    receipt::{SignedReceipt, proof::ReceiptProof},
};
use serde_json::json;

use super::naming::{Licensed, Naming};
use crate::{
    answer::pairs,
    error::CliError,
    receipt::{Prover, read_receipts},
    reference::{WorkReference, read_file},
    session::Session,
};

/// What to sign, as whom, and what to say of it.
#[derive(Args)]
pub struct SignArgs {
    /// A JPEG, PNG, WebP, WAV or MP3. It stays as it is; a signed copy is written beside it.
    file: PathBuf,

    /// A work that it was generated with, besides the receipt's. Without works and receipts, the
    /// file is a registered work itself.
    #[arg(long, value_name = "WORK", value_parser = WorkReference::parse)]
    work: Vec<WorkReference>,

    /// Receipts to find the file's own among, as `motif generate --receipts` writes them. Once it
    /// has settled, what proves it is put in as well.
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,

    /// Who signs: a folder with certificate.pem and key.pem, such as `motif credentials identity`
    /// makes.
    #[arg(long, env = "MOTIF_IDENTITY", value_name = "DIR")]
    identity: PathBuf,

    /// Where to write the signed copy [default: FILE with `signed` before its ending].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub async fn run(args: SignArgs, session: &Session) -> Result<(), CliError> {
    let content = read_file(&args.file)?;
    let identity = SigningIdentity::read(&args.identity).map_err(Error::from)?;
    let output = args.output.clone().unwrap_or_else(|| signed(&args.file));
    if output.exists() {
        let path = output.display().to_string();
        return Err(CliError::Unwritable { path, reason: "it exists already".to_owned() });
    }
    let client = session.client().await?;
    let title = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let digest = content_digest(&content);
    let proved = match &args.receipts {
        Some(path) => Some(own_receipt(path, &digest, &client).await?),
        None => None,
    };
    let mut works = Vec::new();
    for reference in &args.work {
        works.push((reference.address(&client).await?, None));
    }
    let (naming, provenance);
    if proved.is_none() && is_registered(&client, &works, &digest).await? {
        let work = registered(&client, &works, &digest).await?;
        naming = Naming::read(&client, &[(work, None)], session.now()).await?;
        let terms = naming.works[0].terms_number;
        provenance = Provenance::of_work(naming.cluster, &work, digest, terms);
    } else {
        if let Some((signed, _)) = &proved {
            works.retain(|(work, _)| *work != signed.receipt.work);
            works.insert(0, (signed.receipt.work, Some(signed.receipt.terms_number)));
        }
        naming = Naming::read(&client, &works, session.now()).await?;
        let licensed = match &proved {
            None => Licensed::Unproved,
            Some((signed, None)) => Licensed::Receipt(signed),
            Some((_, Some(proof))) => Licensed::Proof(proof),
        };
        provenance = naming.of_output(&content, licensed);
    }
    let signed = naming.sign(&content, &title, &provenance, &identity)?;
    std::fs::write(&output, signed).map_err(|error| {
        let path = output.display().to_string();
        CliError::Unwritable { path, reason: error.to_string() }
    })?;
    answer(&output, &provenance, session);
    Ok(())
}

/// `picture.jpg` becomes `picture.signed.jpg`.
fn signed(path: &Path) -> PathBuf {
    let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned());
    path.with_extension(ending.map_or("signed".to_owned(), |ending| format!("signed.{ending}")))
}

fn answer(output: &Path, provenance: &Provenance, session: &Session) {
    let works: Vec<_> = provenance.works.iter().map(|named| named.work.to_string()).collect();
    let receipt = provenance.receipt.map(|receipt| receipt.digest.to_string());
    let json = json!({
        "file": output.display().to_string(),
        "origin": provenance.origin,
        "content_digest": provenance.content_digest,
        "works": works,
        "receipt": receipt,
        "proved": provenance.proof.is_some(),
    });
    let said = match (&receipt, &provenance.proof) {
        (None, _) => "none".to_owned(),
        (Some(receipt), None) => format!("{receipt}, not settled yet"),
        (Some(receipt), Some(_)) => format!("{receipt}, with its proof"),
    };
    let text = pairs([
        ("signed copy", output.display().to_string()),
        ("works", works.join(", ")),
        ("receipt", said),
    ]);
    session.answer(&json, text);
}

/// The receipt of the file, and what proves it, where all of its channel's receipts are at hand
/// and it has settled.
async fn own_receipt(
    path: &Path,
    digest: &[u8; 32],
    client: &Client,
) -> Result<(SignedReceipt, Option<ReceiptProof>), CliError> {
    let all = read_receipts(path)?;
    let own = all.iter().find(|signed| signed.receipt.output_digest == *digest).copied();
    let own = own.ok_or_else(|| CliError::Unreadable {
        path: path.display().to_string(),
        reason: "none of its receipts is of this file".to_owned(),
    })?;
    let address = own.receipt.channel;
    let channel = match client.channel(&address).await {
        Ok(account) => account.channel,
        Err(Error::NotFound { .. }) => return Ok((own, None)),
        Err(error) => return Err(error.into()),
    };
    let of_channel: Vec<_> =
        all.into_iter().filter(|signed| signed.receipt.channel == address).collect();
    let prover = Prover::new(&address, &channel, &of_channel).ok();
    let proof = prover.and_then(|prover| {
        let mut proofs = prover.proofs();
        proofs.find(|proof| proof.signed == own && proof.verify(&address, &channel).is_ok())
    });
    Ok((own, proof))
}

/// Whether the file is one of these works, or, where none is named, has to be one.
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

/// The work whose content the file is: the one that is named, or the only one there is.
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
            let help = "register it, or name what it was generated with: --work, --receipts";
            Err(CliError::usage("nobody has registered a work with this content", help))
        }
        _ => {
            let works: Vec<_> = found.iter().map(|(work, _)| work.to_string()).collect();
            let help = "name the one you mean with --work";
            Err(CliError::usage(
                format!("several works have this content: {}", works.join(", ")),
                help,
            ))
        }
    }
}
