//! `motif authenticate`: works, content credentials and receipts behind a file.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use clap::Args;
use motif_sdk::{
    Error,
    channel::Channel,
    client::Client,
    credentials::Digests,
    fingerprint::{
        ContentError, Examined, MAX_CONTENT_BYTES, Perceived, WorkerError, content_digest,
    },
    gateway::{
        GatewayClient, authentication, confidence,
        wire::{
            AlikeWork, Authentication, AuthenticationRequest, CredentialsFacts, Digest,
            FingerprintParts, OutputReceipt, ReceiptParts, WorkFacts,
        },
    },
    operator::ReceiptKeys,
    receipt::{
        SignedReceipt,
        proof::{ProofError, ReceiptProof},
    },
    recognition::Index,
};
use serde::Serialize;

use crate::{
    amount::{Money, Scale, grouped},
    credentials::{AnchorArgs, inspect, summary},
    currency::Scales,
    error::CliError,
    output::{pairs, table},
    receipt::{Prover, read_receipts},
    reference::{digest_path, read_file},
    session::Session,
};

/// Arguments of `motif authenticate`.
#[derive(Args)]
pub struct AuthenticateArgs {
    /// Any file; only its digest and fingerprints leave this machine
    pub file: PathBuf,

    /// Read all works from the chain and compare here, without a gateway
    #[arg(long)]
    pub on_chain: bool,

    /// Also look for the file's receipt in this file, as `motif generate --receipts` writes it
    #[arg(long, value_name = "FILE")]
    pub receipts: Option<PathBuf>,

    #[command(flatten)]
    pub anchors: AnchorArgs,
}

/// Output of `motif authenticate`.
#[derive(Serialize)]
pub struct AuthenticateOutput {
    digest: Digest,
    media_type: Option<String>,
    unreadable: Option<String>,
    credentials: Option<CredentialsFacts>,
    /// Works with exactly this content.
    exact: Vec<WorkFacts>,
    conflict: bool,
    first_unknown: bool,
    /// Works with similar content.
    alike: Vec<AlikeWork>,
    receipts: Vec<ReceiptOutput>,
    truncated: bool,
    /// Number of works that were compared.
    works: u64,
    read_at: i64,
    #[serde(skip)]
    text: Text,
}

/// What only the text output shows.
struct Text {
    path: String,
    /// Uses that each work is licensed for, exact ones first, then alike ones.
    uses: Vec<String>,
}

/// What a receipt proves.
#[derive(Serialize)]
pub struct ReceiptOutput {
    receipt: ReceiptParts,
    standing: &'static str,
    about: String,
    #[serde(skip)]
    digest: String,
    #[serde(skip)]
    price: Money,
}

pub async fn run(args: AuthenticateArgs, session: &Session) -> Result<(), CliError> {
    let found = std::fs::metadata(&args.file);
    let found = found.map_err(|error| CliError::unreadable(&args.file, error))?;
    let output = if found.is_file() && found.len() <= MAX_CONTENT_BYTES as u64 {
        authenticate_content(read_file(&args.file)?, args, session).await?
    } else {
        // Content that is not decoded, such as a model, is compared by its digest only.
        let digest = digest_path(&args.file)?;
        let length = usize::try_from(found.len()).unwrap_or(usize::MAX);
        let reason = match found.is_dir() {
            true => "a folder has no fingerprint".to_owned(),
            false => ContentError::TooLong(length).to_string(),
        };
        let perceived = Err(WorkerError::Refused(reason));
        let examined = Examined { perceived, credentials: None };
        authenticate_examined(digest, examined, args, session).await?
    };
    session.print(&output);
    Ok(())
}

/// Finds the works, content credentials and receipts behind the content of `args.file`.
///
/// # Errors
/// Those of `motif authenticate`.
pub async fn authenticate_content(
    content: Vec<u8>,
    args: AuthenticateArgs,
    session: &Session,
) -> Result<AuthenticateOutput, CliError> {
    let digest = content_digest(&content);
    let examined = args.anchors.worker()?.examine(content).await;
    authenticate_examined(digest, examined, args, session).await
}

async fn authenticate_examined(
    digest: [u8; 32],
    Examined { perceived, credentials }: Examined,
    args: AuthenticateArgs,
    session: &Session,
) -> Result<AuthenticateOutput, CliError> {
    let bare_digest = credentials.as_ref().map(|credentials| credentials.bare_digest);
    let digests = Digests { whole: digest, bare: bare_digest.map(|digest| digest.0) };
    let mut receipts = OutputReceipts::default();
    if let Some(path) = &args.receipts {
        receipts = OutputReceipts::read(path, &digests)?;
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
        answer.credentials = Some(inspect(credentials, digests, &client).await?);
    }
    let is_known = !answer.exact.is_empty() || !receipts.is_empty() || answer.credentials.is_some();
    set_media_type(&mut answer, perceived, is_known, &args.file)?;
    let gateway = if args.on_chain { None } else { Some(session.gateway().await) };
    let mut scales = Scales::new(&client);
    let receipts = receipts.verify(&client, gateway.as_ref(), &mut scales).await?;
    let uses = uses(&answer, &mut scales).await?;
    let path = args.file.display().to_string();
    Ok(AuthenticateOutput {
        digest: answer.digest,
        media_type: answer.media_type,
        unreadable: answer.unreadable,
        credentials: answer.credentials,
        exact: answer.exact,
        conflict: answer.conflict,
        first_unknown: answer.first_unknown,
        alike: answer.alike,
        receipts,
        truncated: answer.truncated,
        works: answer.works,
        read_at: answer.read_at,
        text: Text { path, uses },
    })
}

/// Returns what a receipt proves, against its channel's account and with a proof of the gateway.
///
/// # Errors
/// Those of reading accounts.
pub async fn receipt_standing(
    receipt: SignedReceipt,
    session: &Session,
) -> Result<Option<ReceiptOutput>, CliError> {
    let client = session.client().await?;
    let gateway = session.gateway().await;
    let receipts = OutputReceipts { of_output: vec![receipt], all: Vec::new() };
    Ok(receipts.verify(&client, Some(&gateway), &mut Scales::new(&client)).await?.pop())
}

/// Sets the media type of the content. Content that cannot be compared is an error only if nothing
/// else is known about it.
fn set_media_type(
    answer: &mut Authentication,
    perceived: Result<Perceived, WorkerError>,
    is_known: bool,
    path: &Path,
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

/// Answers as a gateway does, without the receipts that a gateway has.
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

/// Returns the uses that each work is licensed for, with their prices.
async fn uses(answer: &Authentication, scales: &mut Scales<'_>) -> Result<Vec<String>, CliError> {
    let works = answer.exact.iter().chain(answer.alike.iter().map(|alike| &alike.work));
    let mut all = Vec::new();
    for work in works {
        let mut uses = Vec::new();
        if let Some(terms) = &work.terms {
            let scale = scales.get(&terms.currency.0).await?;
            uses.extend(terms.uses.iter().map(|priced| {
                format!("{} {}/{}", priced.licensed_use, scale.money(priced.price.0), priced.unit)
            }));
        }
        all.push(if uses.is_empty() { "nothing".to_owned() } else { uses.join(", ") });
    }
    Ok(all)
}

impl fmt::Display for AuthenticateOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let media_type = self.media_type.as_deref().unwrap_or("unreadable");
        let mut sections = vec![pairs(&[
            ("file", &format_args!("{} ({media_type})", self.text.path)),
            ("SHA-256", &self.digest),
            ("compared with", &format_args!("{} works", grouped(self.works))),
        ])];
        if let Some(reason) = &self.unreadable {
            sections.push(format!("similar works were not looked for: {reason}"));
        }
        if let Some(credentials) = &self.credentials {
            sections.push(summary(credentials));
        }
        let (exact_uses, alike_uses) = self.text.uses.split_at(self.exact.len());
        if !self.exact.is_empty() {
            let note = match (self.conflict, self.first_unknown) {
                (true, true) => " (several, in the same second: their order is unknown)",
                (true, false) => " (several; the first was registered first)",
                _ => "",
            };
            sections.push(format!("works with exactly this content{note}"));
            let rows = self.exact.iter().zip(exact_uses).map(|(work, uses)| row(work, uses));
            sections.push(table(["work", "kind", "status", "creator", "licensed for"], &[], rows));
        }
        if !self.alike.is_empty() {
            sections.push("works with similar content (an indication, not a proof)".to_owned());
            let rows = self.alike.iter().zip(alike_uses).map(|(alike, uses)| {
                let [work, kind, status, creator, uses] = row(&alike.work, uses);
                let distance = format!("{} of {}", alike.distance, alike.distance_at_most);
                [work, kind, status, creator, uses, distance, coincidences(alike, self.works)]
            });
            let header =
                ["work", "kind", "status", "creator", "licensed for", "distance", "by chance"];
            sections.push(table(header, &[], rows));
        }
        for receipt in &self.receipts {
            sections.push(pairs(&[
                ("licensed by receipt", &receipt.digest),
                ("work", &receipt.receipt.work),
                ("price", &receipt.price),
                ("standing", &receipt.about),
            ]));
        }
        if self.exact.is_empty() && self.alike.is_empty() && self.receipts.is_empty() {
            sections.push("no registered work has this or similar content".to_owned());
        }
        if self.truncated {
            sections.push("more works match; those registered first are listed".to_owned());
        }
        formatter.write_str(&sections.join("\n\n"))
    }
}

fn row(work: &WorkFacts, uses: &str) -> [String; 5] {
    let (kind, status) = (work.kind.to_string(), work.status.to_string());
    [work.work.to_string(), kind, status, work.creator.to_string(), uses.to_owned()]
}

/// Returns how many unrelated works are expected to be this similar, among those compared.
fn coincidences(alike: &AlikeWork, works: u64) -> String {
    let Some(confidence) = confidence(alike) else { return "not measured".to_owned() };
    let coincidences = confidence.coincidences(works);
    if coincidences < 0.01 {
        "less than 1 in 100".to_owned()
    } else {
        format!("at most {coincidences:.2}")
    }
}

/// Receipts of generations whose output is the file.
#[derive(Default)]
struct OutputReceipts {
    of_output: Vec<SignedReceipt>,
    /// All receipts of the file of receipts, from which proofs can be built.
    all: Vec<SignedReceipt>,
}

/// What a receipt proves.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// Signed by the operator, and part of a statement that is settled on chain.
    Settled,
    /// Signed by the operator; not settled, or not provable here.
    Signed,
    /// Invalid, with the reason.
    False(String),
    /// Unknown, since the channel's account no longer exists.
    ChannelGone,
}

impl OutputReceipts {
    /// Reads a file of receipts, and selects those whose output has one of these digests.
    ///
    /// # Errors
    /// [`CliError::Unreadable`].
    fn read(path: &Path, output: &Digests) -> Result<Self, CliError> {
        let all = read_receipts(path)?;
        let is_of_output = |signed: &&SignedReceipt| output.contains(&signed.receipt.output_digest);
        Ok(Self { of_output: all.iter().filter(is_of_output).copied().collect(), all })
    }

    /// Adds receipts from a gateway.
    fn add(&mut self, receipts: &[OutputReceipt]) {
        for found in receipts {
            let signed = SignedReceipt::from(&found.receipt);
            if !self.of_output.contains(&signed) {
                self.of_output.push(signed);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.of_output.is_empty()
    }

    /// Verifies each receipt against its channel's account.
    ///
    /// # Errors
    /// [`Error::Transport`].
    async fn verify(
        self,
        client: &Client,
        gateway: Option<&GatewayClient>,
        scales: &mut Scales<'_>,
    ) -> Result<Vec<ReceiptOutput>, CliError> {
        let mut outputs = Vec::with_capacity(self.of_output.len());
        for signed in &self.of_output {
            let (standing, scale) = match client.channel(&signed.receipt.channel).await {
                Ok(account) => {
                    let channel = account.channel;
                    let keys = client.operator(&channel.operator).await?.receipt_keys;
                    let standing = self.standing(signed, &channel, &keys, gateway).await;
                    (standing, scales.get(&channel.mint).await?)
                }
                // Only the channel states the currency.
                Err(Error::NotFound { .. }) => (Standing::ChannelGone, Scale::BaseUnits),
                Err(error) => return Err(error.into()),
            };
            outputs.push(ReceiptOutput {
                receipt: ReceiptParts::from(signed),
                standing: standing.name(),
                about: standing.description(),
                digest: hex::encode(signed.receipt.digest()),
                price: scale.money(signed.receipt.amount),
            });
        }
        Ok(outputs)
    }

    async fn standing(
        &self,
        signed: &SignedReceipt,
        channel: &Channel,
        keys: &ReceiptKeys,
        gateway: Option<&GatewayClient>,
    ) -> Standing {
        if !signed.verifies_with(keys) {
            return Standing::False("not signed by the channel's operator".to_owned());
        }
        match self.proof(signed, channel, gateway).await {
            None => Standing::Signed,
            Some(proof) => match proof.verify(&signed.receipt.channel, channel, keys) {
                Ok(()) => Standing::Settled,
                Err(ProofError::NotSettled) => Standing::Signed,
                Err(error) => Standing::False(error.to_string()),
            },
        }
    }

    /// Returns the proof of a receipt: built from the file if it has all receipts of the channel,
    /// else the gateway's.
    async fn proof(
        &self,
        signed: &SignedReceipt,
        channel: &Channel,
        gateway: Option<&GatewayClient>,
    ) -> Option<ReceiptProof> {
        let address = signed.receipt.channel;
        let of_channel = self.all.iter().filter(|other| other.receipt.channel == address);
        let of_channel: Vec<_> = of_channel.copied().collect();
        if let Ok(prover) = Prover::new(&address, channel, &of_channel)
            && let Some(proof) = prover.proofs().find(|proof| proof.signed == *signed)
        {
            return Some(proof);
        }
        let parts = gateway?.proof(&signed.receipt.digest()).await.ok()?;
        let proof = ReceiptProof::from(&parts);
        (proof.signed.receipt == signed.receipt)
            .then_some(ReceiptProof { signed: *signed, ..proof })
    }
}

impl Standing {
    fn name(&self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Signed => "signed",
            Self::False(_) => "false",
            Self::ChannelGone => "channel-gone",
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Settled => "signed by the operator, settled on chain".to_owned(),
            Self::Signed => "signed by the operator, not proved to be settled".to_owned(),
            Self::False(reason) => format!("FALSE: {reason}"),
            Self::ChannelGone => "unknown: the channel's account no longer exists".to_owned(),
        }
    }
}
