//! `motif dispute`: claims to a work that another account registered, and their decision.

use std::{fmt, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use motif_sdk::{
    Pubkey,
    client::Client,
    licensing::{Award, Dispute, OpenDisputeArgs, Verdict},
};
use serde::Serialize;

use crate::{
    amount::{grouped, percent},
    error::CliError,
    output::{pairs, table},
    reference::{WorkArgs, WorkReference, digest_path},
    session::Session,
    time::utc,
};

/// Commands of `motif dispute`.
#[derive(Subcommand)]
pub enum DisputeCommand {
    /// Claim a work that another account registered, with evidence and a bond
    Open(OpenArgs),
    /// Show the dispute about a work
    Show(ShowArgs),
    /// Decide a dispute, as the arbiter
    Decide(DecideArgs),
    /// End a dispute whose deadline has passed, as if the claim had been rejected
    ///
    /// Any keypair may sign.
    Expire(ExpireArgs),
}

/// Arguments of `motif dispute open`.
#[derive(Args)]
pub struct OpenArgs {
    #[command(flatten)]
    work: WorkArgs,

    /// File with the evidence; its SHA-256 goes on chain
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,

    /// URI where the arbiter finds the evidence
    #[arg(long, default_value = "", value_name = "URI", hide_default_value = true)]
    evidence_uri: String,

    /// Maximum bond to deposit [default: the current bond]
    #[arg(long, value_name = "LAMPORTS")]
    max_bond: Option<u64>,
}

/// Arguments of `motif dispute show`.
#[derive(Args)]
pub struct ShowArgs {
    #[command(flatten)]
    work: WorkArgs,
}

/// Arguments of `motif dispute decide`.
#[derive(Args)]
pub struct DecideArgs {
    #[command(flatten)]
    work: WorkArgs,

    /// Decision about the claim; it is upheld 12 hours after it was made at the earliest
    #[arg(long)]
    verdict: VerdictArg,

    /// Parent that the work was not made from; its share becomes the work's own
    #[arg(long, value_name = "WORK")]
    drop_parent: Vec<WorkReference>,

    /// Give the claimant the owner's share only, and leave the other recipients theirs
    #[arg(long)]
    keep_recipients: bool,
}

/// Arguments of `motif dispute expire`.
#[derive(Args)]
pub struct ExpireArgs {
    #[command(flatten)]
    work: WorkArgs,
}

/// Decision about a claim.
#[derive(Clone, Copy, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum VerdictArg {
    /// The claimant gets the work, what it earned while disputed, and the bond back
    Upheld,
    /// The owner keeps the work and gets the bond
    Rejected,
}

impl DisputeCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Open(args) => open(args, session).await,
            Self::Show(args) => show(args, session).await,
            Self::Decide(args) => decide(args, session).await,
            Self::Expire(args) => expire(args, session).await,
        }
    }
}

/// Dispute about a work: output of `motif dispute open` and `show`.
#[derive(Serialize)]
pub struct DisputeOutput {
    work: String,
    claimant: String,
    bond_lamports: u64,
    opened_at: i64,
    deadline: i64,
    evidence_uri: String,
    evidence_digest: String,
    /// Earliest unix second in which the claim is upheld.
    hearing_ends_at: i64,
    /// Parents of the work, whose shares a verdict can take.
    parents: Vec<DisputedParent>,
}

#[derive(Serialize)]
struct DisputedParent {
    work: String,
    share_bps: u16,
    owner: String,
}

impl DisputeOutput {
    /// Reads the parents of the disputed work, with their owners, beside the dispute.
    ///
    /// # Errors
    /// [`motif_sdk::Error`].
    pub async fn read(dispute: &Dispute, client: &Client) -> Result<Self, CliError> {
        let mut parents = Vec::new();
        for parent in client.work(&dispute.work).await?.parents {
            parents.push(DisputedParent {
                work: parent.work.to_string(),
                share_bps: parent.share_bps,
                owner: client.work(&parent.work).await?.owner.to_string(),
            });
        }
        let hearing_seconds = i64::from(Dispute::HEARING_SECONDS);
        Ok(Self {
            work: dispute.work.to_string(),
            claimant: dispute.claimant.to_string(),
            bond_lamports: dispute.bond_lamports,
            opened_at: dispute.opened_at,
            deadline: dispute.deadline,
            evidence_uri: dispute.evidence_uri.clone(),
            evidence_digest: hex::encode(dispute.evidence_digest),
            hearing_ends_at: dispute.opened_at.saturating_add(hearing_seconds),
            parents,
        })
    }
}

impl fmt::Display for DisputeOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deadline = utc(self.deadline);
        formatter.write_str(&pairs(&[
            ("work", &self.work),
            ("claimant", &self.claimant),
            ("bond", &format_args!("{} lamports", grouped(self.bond_lamports))),
            ("opened", &utc(self.opened_at)),
            ("deadline", &format_args!("{deadline}; then end it with `motif dispute expire`")),
            ("evidence", if self.evidence_uri.is_empty() { &"-" } else { &self.evidence_uri }),
            ("its SHA-256", &self.evidence_digest),
            ("upheld from", &utc(self.hearing_ends_at)),
            ("until decided", &"the work's new earnings are held back"),
        ]))?;
        if self.parents.is_empty() {
            return Ok(());
        }
        let rows = self
            .parents
            .iter()
            .map(|parent| [parent.work.clone(), percent(parent.share_bps), parent.owner.clone()]);
        write!(formatter, "\n\n{}", table(["parent", "share", "owner"], &[1], rows))
    }
}

async fn open(args: OpenArgs, session: &Session) -> Result<(), CliError> {
    CliError::check_visible("evidence URI", &args.evidence_uri)?;
    let evidence_digest = digest_path(&args.evidence)?;
    let claimant = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let max_bond = match args.max_bond {
        Some(lamports) => lamports,
        None => client.config().await?.dispute_bond_lamports,
    };
    let opening = OpenDisputeArgs { evidence_uri: args.evidence_uri, evidence_digest, max_bond };
    client.open_dispute(&claimant, &work, opening).await?;
    session.print(&DisputeOutput::read(&client.dispute(&work).await?, &client).await?);
    Ok(())
}

async fn show(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    client.work(&work).await?; // distinguishes an unknown work from an undisputed one
    session.print(&DisputeOutput::read(&client.dispute(&work).await?, &client).await?);
    Ok(())
}

/// Output of `motif dispute decide`.
#[derive(Serialize)]
struct DecideOutput {
    work: String,
    verdict: VerdictArg,
    claimant: String,
    owner: String,
    signature: String,
}

async fn decide(args: DecideArgs, session: &Session) -> Result<(), CliError> {
    let arbiter = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let claimant = client.dispute(&work).await?.claimant;
    let verdict = match args.verdict {
        VerdictArg::Rejected => Verdict::Rejected,
        VerdictArg::Upheld => Verdict::Upheld(Award {
            kept_parents: kept_parents(&args.drop_parent, &work, &client).await?,
            keeps_recipients: args.keep_recipients,
        }),
    };
    let landed = client.decide_dispute(&arbiter, &work, verdict).await?;
    session.print(&DecideOutput {
        work: work.to_string(),
        verdict: args.verdict,
        claimant: claimant.to_string(),
        owner: client.work(&work).await?.owner.to_string(),
        signature: landed.signature.to_string(),
    });
    Ok(())
}

/// Returns the bits of all parents but these.
///
/// # Errors
/// [`CliError::Usage`] if one is no parent of the work.
async fn kept_parents(
    dropped: &[WorkReference],
    work: &Pubkey,
    client: &Client,
) -> Result<u8, CliError> {
    let parents = client.work(work).await?.parents;
    let mut kept = u8::MAX;
    for reference in dropped {
        let address = reference.address(client).await?;
        let position = parents.iter().position(|parent| parent.work == address);
        let Some(position) = position else {
            let what = format!("{address} is no parent of {work}");
            return Err(CliError::usage(what, "`motif dispute show` lists the parents"));
        };
        kept &= !(1 << position); // at most 8 parents
    }
    Ok(kept)
}

impl fmt::Display for DecideOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, bond) = match self.verdict {
            VerdictArg::Upheld => ("upheld", "returned to the claimant"),
            VerdictArg::Rejected => ("rejected", "paid to the owner"),
        };
        formatter.write_str(&pairs(&[
            ("work", &self.work),
            ("verdict", &verdict),
            ("owner", &self.owner),
            ("bond", &bond),
        ]))
    }
}

/// Output of `motif dispute expire`.
#[derive(Serialize)]
struct ExpireOutput {
    work: String,
    owner: String,
    signature: String,
}

async fn expire(args: ExpireArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let landed = client.expire_dispute(&payer, &work).await?;
    session.print(&ExpireOutput {
        work: work.to_string(),
        owner: client.work(&work).await?.owner.to_string(),
        signature: landed.signature.to_string(),
    });
    Ok(())
}

impl fmt::Display for ExpireOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[
            ("work", &self.work),
            ("owner", &format_args!("{}, unchanged", self.owner)),
            ("bond", &"paid to the owner"),
        ]))
    }
}
