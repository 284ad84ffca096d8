//! Whose content is, on what terms, and whether it was paid for.

mod report;
mod standing;

use std::path::PathBuf;

use clap::Args;
use motif_sdk::{
    client::Client,
    credentials::Digests,
    fingerprint::{Examined, Perceived, WorkerError, content_digest},
    gateway::{
        authentication,
        wire::{Authentication, AuthenticationRequest, Digest, FingerprintParts},
    },
    recognition::Index,
};

use crate::{
    credentials::{AnchorArgs, facts_of},
    error::CliError,
    reference::read_file,
    session::Session,
};
use standing::Receipts;

/// What to look at, and whom to ask.
#[derive(Args)]
pub struct AuthenticateArgs {
    /// Any file. It stays on this machine: only its digest and fingerprints are sent.
    file: PathBuf,

    /// Ask no gateway: read all works from the chain and compare here.
    #[arg(long)]
    on_chain: bool,

    /// Receipts to look for the file's own among, as `motif generate --receipts` writes them.
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,

    #[command(flatten)]
    anchors: AnchorArgs,
}

pub async fn run(args: AuthenticateArgs, session: &Session) -> Result<(), CliError> {
    let content = read_file(&args.file)?;
    let digest = content_digest(&content);
    let Examined { perceived, credentials } = args.anchors.worker()?.examine(content).await;
    let bare_digest = credentials.as_ref().map(|credentials| credentials.bare_digest);
    let digests = Digests { whole: digest, bare: bare_digest.map(|digest| digest.0) };
    let mut receipts = Receipts::default();
    if let Some(path) = &args.receipts {
        receipts = Receipts::read(path, &digests)?;
    }
    let probes = perceived.as_ref().map(|perceived| &perceived.probes[..]).unwrap_or_default();
    let fingerprints = probes.iter().map(FingerprintParts::from).collect();
    let request = AuthenticationRequest { digest: Digest(digest), bare_digest, fingerprints };
    let client = session.client().await?;
    let mut answer = if args.on_chain {
        authenticate(&client, &request, session.now()).await?
    } else {
        session.gateway().await.authenticate(&request).await?
    };
    receipts.add(&answer.receipts);
    if let Some(credentials) = credentials {
        answer.credentials = Some(facts_of(credentials, digests, &client).await?);
    }
    let is_known = !answer.exact.is_empty() || !receipts.is_empty() || answer.credentials.is_some();
    say_what_it_is(&mut answer, perceived, is_known, &args.file)?;
    let gateway = if args.on_chain { None } else { Some(session.gateway().await) };
    let standings = receipts.verify(&client, gateway.as_ref()).await?;
    report::answer(&answer, &standings, &args.file, session);
    Ok(())
}

/// What cannot be compared is an error only where nothing else is known of it.
fn say_what_it_is(
    answer: &mut Authentication,
    perceived: Result<Perceived, WorkerError>,
    is_known: bool,
    path: &std::path::Path,
) -> Result<(), CliError> {
    match perceived {
        Ok(perceived) => answer.media_type = Some(perceived.media_type.to_owned()),
        Err(error) if is_known => answer.unreadable = Some(error.to_string()),
        Err(error) => {
            let (path, reason) = (path.display().to_string(), error.to_string());
            return Err(CliError::Incomparable { path, reason });
        }
    }
    Ok(())
}

/// What a gateway would answer, but for the receipts that it has.
async fn authenticate(
    client: &Client,
    request: &AuthenticationRequest,
    now: i64,
) -> Result<Authentication, CliError> {
    let index = Index::new(client.registered().await?);
    let probes: Vec<_> = request.fingerprints.iter().map(Into::into).collect();
    let recognised = index.recognise(request.digests().iter(), &probes);
    let entries = client.entries(&recognised.works()).await?;
    Ok(authentication(request, &recognised, &entries, index.len() as u64, now))
}
