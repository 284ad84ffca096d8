//! `motif split`: changes to who earns from a work, with the consent of recipients who would earn
//! less.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use motif_sdk::{
    Error, Pubkey,
    bps::WHOLE_BPS,
    client::{Client, awaited},
    earnings::{self, EarningsAccount},
    licensing::{Share, SplitChange, Work, split_digest},
};
use serde::Serialize;
use solana_signer::Signer;

use crate::{
    amount::percent,
    error::CliError,
    output::{pairs, table},
    reference::{ShareArg, ShareList, UnsignableArgs, WorkArgs, read_file, recipients},
    session::Session,
    time::{parse_time, utc_or},
};

/// Commands of `motif split`.
#[derive(Subcommand)]
pub enum SplitCommand {
    /// Propose a new split of a work you own
    Propose(ProposeArgs),
    /// Consent, as a recipient, to the proposed split
    Approve(ApproveArgs),
    /// Take back, as a recipient, your consent to the proposed split
    Revoke(RevokeArgs),
    /// Put the proposed split in force once all required consents are given
    ///
    /// Any keypair may sign. Earlier earnings stay divided by the old split, in every currency.
    Apply(ApplyArgs),
    /// Show the current split, the proposed one and the missing consents
    Show(ShowArgs),
    /// Cancel the proposed split
    Cancel(CancelArgs),
}

/// Arguments of `motif split propose`.
#[derive(Args)]
pub struct ProposeArgs {
    #[command(flatten)]
    work: WorkArgs,

    /// Recipients and their shares, 100% in total; an address or a keypair file each
    #[arg(long, value_name = "ADDRESS=SHARE,...", required_unless_present = "file")]
    to: Vec<ShareList>,

    #[command(flatten)]
    unsignable: UnsignableArgs,

    /// Read recipients from a file, one ADDRESS=SHARE per line; `#` starts a comment line
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    file: Option<PathBuf>,

    /// Last second in which the proposal is consented to or applied, as UTC or Unix seconds
    /// [default: never]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<i64>,
}

/// Arguments of `motif split approve`.
#[derive(Args)]
pub struct ApproveArgs {
    #[command(flatten)]
    work: WorkArgs,

    /// Consent only if the proposed split has this digest, as `motif split show` prints it
    #[arg(long, value_name = "HEX")]
    digest: Option<String>,
}

/// Arguments of `motif split revoke`.
#[derive(Args)]
pub struct RevokeArgs {
    #[command(flatten)]
    work: WorkArgs,
}

/// Arguments of `motif split apply`.
#[derive(Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    work: WorkArgs,
}

/// Arguments of `motif split show`.
#[derive(Args)]
pub struct ShowArgs {
    #[command(flatten)]
    work: WorkArgs,
}

/// Arguments of `motif split cancel`.
#[derive(Args)]
pub struct CancelArgs {
    #[command(flatten)]
    work: WorkArgs,
}

impl SplitCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Propose(args) => propose(args, session).await,
            Self::Approve(args) => approve(args, session).await,
            Self::Revoke(args) => revoke(args, session).await,
            Self::Apply(args) => apply(args, session).await,
            Self::Show(args) => show(args, session).await,
            Self::Cancel(args) => cancel(args, session).await,
        }
    }
}

async fn propose(args: ProposeArgs, session: &Session) -> Result<(), CliError> {
    let shares = match &args.file {
        Some(path) => read_shares(path)?,
        None => ShareList::all(args.to),
    };
    let total: u32 = shares.iter().map(|share| u32::from(share.share_bps)).sum();
    if total != u32::from(WHOLE_BPS) {
        let what = format!("the shares add up to {}.{:02}%", total / 100, total % 100);
        return Err(CliError::usage(what, "pass every recipient, with shares of 100% in total"));
    }
    let share = |(recipient, share_bps)| Share { recipient, share_bps };
    let split: Vec<_> = recipients(&shares)?.into_iter().map(share).collect();
    let owner = session.keypair()?;
    let client = args.unsignable.allow(session.client().await?);
    let work = args.work.address(&client).await?;
    client.propose_split(&owner, &work, &split, args.until).await?;
    session.print(&SplitOutput::read(&client, work).await?);
    Ok(())
}

fn read_shares(path: &Path) -> Result<Vec<ShareArg>, CliError> {
    let text = String::from_utf8(read_file(path)?);
    let text = text.map_err(|error| CliError::unreadable(path, error))?;
    let lines = (1..).zip(text.lines().map(str::trim));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let share = |(number, line): (u32, &str)| {
        let invalid = |error| CliError::unreadable(path, format_args!("line {number}: {error}"));
        line.parse().map_err(invalid)
    };
    lines.map(share).collect()
}

async fn approve(args: ApproveArgs, session: &Session) -> Result<(), CliError> {
    let recipient = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let proposed = client.split_change(&work).await?.split;
    let digest = hex::encode(split_digest(&proposed));
    if let Some(expected) = args.digest.filter(|expected| !expected.eq_ignore_ascii_case(&digest)) {
        return Err(CliError::SplitDigestMismatch { work, expected, digest });
    }
    client.approve_split_change(&recipient, &work, &proposed).await?;
    session.print(&SplitOutput::read(&client, work).await?);
    Ok(())
}

async fn revoke(args: RevokeArgs, session: &Session) -> Result<(), CliError> {
    let recipient = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    client.revoke_split_approval(&recipient, &work).await?;
    session.print(&SplitOutput::read(&client, work).await?);
    Ok(())
}

async fn apply(args: ApplyArgs, session: &Session) -> Result<(), CliError> {
    let payer = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    client.apply_split_change(&payer, &work).await?;
    let version = client.work(&work).await?.split_version;
    let accounts = client.earnings_of(&work).await?;
    let old = accounts.iter().filter(|account| account.earnings.split_version != version);
    let apply = |account: &EarningsAccount| {
        earnings::apply_split(&payer.pubkey(), &work, &account.earnings.mint)
    };
    client.send_packed(old.map(apply).collect(), &payer).await?;
    session.print(&SplitOutput::read(&client, work).await?);
    Ok(())
}

async fn show(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    session.print(&SplitOutput::read(&client, work).await?);
    Ok(())
}

async fn cancel(args: CancelArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    client.cancel_split_change(&owner, &work).await?;
    session.print(&SplitOutput::read(&client, work).await?);
    Ok(())
}

/// Output of every command of `motif split`: the split of a work, and the proposed one.
#[derive(Serialize)]
struct SplitOutput {
    work: String,
    split_version: u32,
    split: Vec<ShareOutput>,
    proposed: Option<ProposedOutput>,
}

#[derive(Clone, Serialize)]
struct ShareOutput {
    recipient: String,
    share_bps: u16,
}

#[derive(Serialize)]
struct ProposedOutput {
    proposer: String,
    split: Vec<ShareOutput>,
    digest: String,
    /// Whether all recipients are stored: a long split takes several transactions.
    complete: bool,
    /// Whether the split or the owner has changed since the proposal.
    stale: bool,
    /// Last unix second in which it is consented to or applied.
    expires_at: Option<i64>,
    /// Recipients whose consent is missing.
    awaited: Vec<String>,
}

impl SplitOutput {
    async fn read(client: &Client, address: Pubkey) -> Result<Self, CliError> {
        let work = client.work(&address).await?;
        let change = match client.split_change(&address).await {
            Ok(change) => Some(change),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            work: address.to_string(),
            split_version: work.split_version,
            split: shares(&work.split),
            proposed: change.map(|change| ProposedOutput::new(&change, &work)),
        })
    }

    /// Returns a table of the recipients of both splits.
    fn comparison(&self, proposed: &ProposedOutput) -> String {
        let awaited: BTreeSet<_> = proposed.awaited.iter().collect();
        let share_of = |split: &[ShareOutput], recipient: &String| {
            split.iter().find(|share| share.recipient == *recipient).map_or(0, |one| one.share_bps)
        };
        let current: BTreeSet<_> = self.split.iter().map(|share| &share.recipient).collect();
        let added = proposed.split.iter().map(|share| &share.recipient);
        let added = added.filter(|recipient| !current.contains(recipient));
        let recipients = self.split.iter().map(|share| &share.recipient).chain(added);
        let rows = recipients.map(|recipient| {
            let (now, then) =
                (share_of(&self.split, recipient), share_of(&proposed.split, recipient));
            let consent = if awaited.contains(recipient) {
                "missing"
            } else if then < now {
                "given"
            } else {
                "not needed"
            };
            [recipient.clone(), percent(now), percent(then), consent.to_owned()]
        });
        table(["recipient", "now", "proposed", "consent"], &[1, 2], rows)
    }
}

impl ProposedOutput {
    fn new(change: &SplitChange, work: &Work) -> Self {
        Self {
            proposer: change.proposer.to_string(),
            split: shares(&change.split),
            digest: hex::encode(split_digest(&change.split)),
            complete: change.split.len() == usize::from(change.recipients),
            stale: change.split_version != work.split_version || change.proposer != work.owner,
            expires_at: change.expires_at,
            awaited: awaited(change, work).iter().map(Pubkey::to_string).collect(),
        }
    }

    /// Returns the next step, as a sentence.
    fn next_step(&self, work: &str) -> String {
        if self.stale {
            return format!(
                "The split or the owner has changed since; cancel with `motif split cancel {work}`."
            );
        }
        if !self.complete {
            return format!(
                "The proposal is incomplete; cancel with `motif split cancel {work}` and propose it \
                 again."
            );
        }
        if self.awaited.is_empty() {
            format!("All consents are given; apply with `motif split apply {work}`.")
        } else {
            format!("Recipients who would earn less consent with `motif split approve {work}`.")
        }
    }
}

impl fmt::Display for SplitOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[("work", &self.work), ("split version", &self.split_version)]);
        let Some(proposed) = &self.proposed else {
            let rows =
                self.split.iter().map(|share| [share.recipient.clone(), percent(share.share_bps)]);
            let table = table(["recipient", "share"], &[1], rows);
            return write!(formatter, "{facts}\n\n{table}\n\nNo other split is proposed.");
        };
        let (comparison, digest) = (self.comparison(proposed), &proposed.digest);
        let next_step = proposed.next_step(&self.work);
        let until = utc_or(proposed.expires_at, "never");
        write!(
            formatter,
            "{facts}\n\n{comparison}\n\nproposed  {digest}\nexpires   {until}\n{next_step}"
        )
    }
}

fn shares(split: &[Share]) -> Vec<ShareOutput> {
    let share = |share: &Share| ShareOutput {
        recipient: share.recipient.to_string(),
        share_bps: share.share_bps,
    };
    split.iter().map(share).collect()
}
