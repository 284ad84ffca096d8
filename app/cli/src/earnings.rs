//! `motif earnings`: what works have earned, and payment of their recipients.

use std::fmt;

use clap::{Args, Subcommand};
use motif_sdk::{
    Error, Pubkey, Refusal,
    channel::{Currency, PaymentsError},
    client::{Client, WorkFilter},
    earnings::EarningsAccount,
    licensing::{Work, WorkHead},
    text::visible,
};
use serde::Serialize;
use solana_keypair::Keypair;

use crate::{
    amount::{Money, Scale, percent},
    audit::{self, AuditArgs},
    currency::{self, CurrencyArgs},
    earned,
    error::CliError,
    output::{pairs, table},
    reference::{AccountReference, UnsignableArgs, WorkArgs, WorkReference},
    session::Session,
};

/// Arguments of `motif earnings`.
#[derive(Args)]
pub struct EarningsArgs {
    /// Person, an address or a keypair file [default: the keypair, which proves itself to the gateway]
    #[arg(long, value_name = "ADDRESS|FILE")]
    person: Option<AccountReference>,

    #[command(subcommand)]
    command: Option<EarningsCommand>,
}

impl EarningsArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self.command {
            Some(command) => command.run(session).await,
            None => earned::show(self.person, session).await,
        }
    }
}

/// Commands of `motif earnings`.
#[derive(Subcommand)]
pub enum EarningsCommand {
    /// Show what a work has earned, and what each party can claim
    Show(ShowArgs),
    /// Collect what is pending for works, and pay their recipients
    ///
    /// Any keypair may sign.
    Claim(ClaimArgs),
    /// Prove that the receipts of a work at the gateway are all that the chain credited to it
    ///
    /// The keypair is that of the work's owner or of a recipient.
    Audit(AuditArgs),
}

/// Arguments of `motif earnings show`.
#[derive(Args)]
pub struct ShowArgs {
    #[command(flatten)]
    work: WorkArgs,

    #[command(flatten)]
    currency: CurrencyArgs,
}

/// Arguments of `motif earnings claim`.
#[derive(Args)]
pub struct ClaimArgs {
    /// Addresses of the works, or the files they were registered from
    #[arg(required = true, value_name = "WORK")]
    works: Vec<WorkReference>,

    /// Pay only this recipient, an address or a keypair file [default: all, former ones too]
    #[arg(long, value_name = "ADDRESS|FILE")]
    recipient: Vec<AccountReference>,

    #[command(flatten)]
    currency: CurrencyArgs,

    #[command(flatten)]
    unsignable: UnsignableArgs,
}

impl EarningsCommand {
    async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Show(args) => show(args, session).await,
            Self::Claim(args) => claim(args, session).await,
            Self::Audit(args) => audit::run(args, session).await,
        }
    }
}

/// Output of `motif earnings show`.
#[derive(Serialize)]
struct EarningsOutput {
    work: String,
    mint: String,
    earned: Money,
    parts: Vec<PartOutput>,
}

/// Part of one party in what a work has earned.
#[derive(Serialize)]
struct PartOutput {
    role: &'static str,
    address: String,
    share_bps: u16,
    entitled: Money,
    taken: Money,
    /// Less than the rest of `entitled` while a dispute contests a part of it.
    claimable: Money,
}

async fn show(args: ShowArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let head = client.work(&work).await?.head(); // distinguishes an unknown work from one without earnings
    let mint = args.currency.mint();
    let scale = currency::scale(&client, &mint).await?;
    let account = client.earnings(&work, &mint).await?;
    session.print(&EarningsOutput {
        work: work.to_string(),
        mint: mint.to_string(),
        earned: scale.money(account.as_ref().map_or(0, |account| account.earnings.earned)),
        parts: account.map_or_else(Vec::new, |account| parts(&account, &head, scale)),
    });
    Ok(())
}

fn parts(account: &EarningsAccount, work: &WorkHead, scale: Scale) -> Vec<PartOutput> {
    let parents = account.parents.iter().enumerate().map(|(position, part)| PartOutput {
        role: "parent",
        address: part.key.to_string(),
        share_bps: part.share_bps,
        entitled: scale.money(account.parent_entitled(position)),
        taken: scale.money(part.taken),
        claimable: scale.money(account.pullable(position, work)),
    });
    let recipients = account.recipients.iter().enumerate().map(|(position, part)| PartOutput {
        role: if part.share_bps > 0 { "recipient" } else { "former recipient" },
        address: part.key.to_string(),
        share_bps: part.share_bps,
        entitled: scale.money(account.entitled(position)),
        taken: scale.money(part.taken),
        claimable: scale.money(account.claimable(position, work)),
    });
    parents.chain(recipients).collect()
}

impl fmt::Display for EarningsOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[("work", &self.work), ("earned", &self.earned)]);
        let rows = self.parts.iter().map(|part| {
            [
                part.role.to_owned(),
                part.address.clone(),
                percent(part.share_bps),
                part.entitled.to_string(),
                part.taken.to_string(),
                part.claimable.to_string(),
            ]
        });
        let header = ["party", "address", "share", "entitled", "claimed", "claimable"];
        write!(formatter, "{facts}\n\n{}", table(header, &[2, 3, 4, 5], rows))
    }
}

/// Output of `motif earnings claim`.
#[derive(Serialize)]
struct ClaimOutput {
    claimed: Money,
    works: Vec<ClaimedWork>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<FailedClaim>,
}

/// Claim that was refused. The other claims are paid.
#[derive(Serialize)]
struct FailedClaim {
    work: String,
    /// `None` if a part of the work's pending earnings could not be collected.
    recipient: Option<String>,
    reason: String,
}

/// Payments to the recipients of one work.
#[derive(Serialize)]
struct ClaimedWork {
    work: String,
    claimed: Money,
    recipients: Vec<ClaimedRecipient>,
}

#[derive(Serialize)]
struct ClaimedRecipient {
    recipient: String,
    claimed: Money,
    /// `None` for former recipients.
    #[serde(skip)]
    share_bps: Option<u16>,
}

async fn claim(args: ClaimArgs, session: &Session) -> Result<(), CliError> {
    let fee_payer = session.keypair()?;
    let named = args.recipient.iter().map(AccountReference::address);
    let named = named.collect::<Result<Vec<_>, _>>()?;
    let client = args.unsignable.allow(session.client().await?);
    let currency = client.currency(&args.currency.mint()).await?;
    let scale = currency::scale(&client, &currency.mint).await?;
    let mut works = Vec::with_capacity(args.works.len());
    for reference in &args.works {
        let address = reference.address(&client).await?;
        works.push((address, client.work(&address).await?));
    }

    let mut claimed = Vec::with_capacity(works.len());
    let mut failures = Vec::new();
    for (address, work) in works {
        for refusal in collect_pending(&client, &fee_payer, &address, &currency.mint).await? {
            failures.push(FailedClaim::new(&address, None, &refusal));
        }
        let recipients = if named.is_empty() {
            all_recipients(&client, &address, &work, &currency.mint).await?
        } else {
            named.clone()
        };
        let mut paid = Vec::with_capacity(recipients.len());
        for recipient in recipients {
            match pay(&client, &fee_payer, &address, &recipient, &currency).await {
                Ok(amount) => paid.push((recipient, amount)),
                Err(Error::Rejected(refusal)) => {
                    failures.push(FailedClaim::new(&address, Some(&recipient), &refusal));
                }
                Err(Error::Unsignable { address: recipient, what }) => {
                    let reason = format!("no key signs for {what} (--allow-unsignable pays it)");
                    failures.push(FailedClaim::new(&address, Some(&recipient), &reason));
                }
                Err(error) => return Err(error.into()),
            }
        }
        claimed.push(ClaimedWork::new(&address, &work, &paid, scale));
    }
    let total = claimed.iter().map(|work| work.claimed.base_units).sum(); // at most the vault's balance
    let failed = failures
        .first()
        .map(|first| CliError::ClaimsFailed { failed: failures.len(), first: first.to_string() });
    session.print(&ClaimOutput { claimed: scale.money(total), works: claimed, failures });
    failed.map_or(Ok(()), Err)
}

/// Returns the recipients of the work's split, and former ones that its earnings still list.
async fn all_recipients(
    client: &Client,
    address: &Pubkey,
    work: &Work,
    mint: &Pubkey,
) -> Result<Vec<Pubkey>, CliError> {
    let mut recipients: Vec<_> = work.split.iter().map(|share| share.recipient).collect();
    let earnings = client.earnings(address, mint).await?;
    for part in earnings.iter().flat_map(|account| &account.recipients) {
        if !recipients.contains(&part.key) {
            recipients.push(part.key);
        }
    }
    Ok(recipients)
}

/// Moves everything pending for a work into its earnings: credit of licenses on any channel, and its
/// share of the earnings of its derivatives. Returns what the programs rejected; the rest is moved.
async fn collect_pending(
    client: &Client,
    fee_payer: &Keypair,
    work: &Pubkey,
    mint: &Pubkey,
) -> Result<Vec<Refusal>, CliError> {
    let works = client.works(&WorkFilter::default()).await?;
    let (mut family, mut refusals) = (Vec::new(), Vec::new());
    visit(work, &works, &mut family);
    for (channel, account) in client.channels(None, None).await? {
        let pending = account
            .licenses
            .iter()
            .any(|license| family.contains(&license.work) && license.settled > license.collected);
        if pending && account.channel.mint == *mint {
            match client.collect(fee_payer, &channel).await {
                Err(Error::Rejected(refusal)) => refusals.push(*refusal),
                collected => drop(collected?),
            }
        }
    }
    for child in family.iter().filter(|member| *member != work) {
        match client.pull(fee_payer, child, mint).await {
            Err(Error::Rejected(refusal)) => refusals.push(*refusal),
            pulled => drop(pulled?),
        }
    }
    Ok(refusals)
}

/// Appends the descendants of `work` and then `work` itself, each after its own descendants, so that
/// one pass moves shares all the way up.
fn visit(work: &Pubkey, works: &[(Pubkey, Work)], family: &mut Vec<Pubkey>) {
    if family.contains(work) {
        return;
    }
    for (address, other) in works {
        if other.parents.iter().any(|parent| parent.work == *work) {
            visit(address, works, family);
        }
    }
    family.push(*work);
}

/// Pays one recipient; returns base units.
async fn pay(
    client: &Client,
    fee_payer: &Keypair,
    work: &Pubkey,
    recipient: &Pubkey,
    currency: &Currency,
) -> Result<u64, Error> {
    match client.claim(work, recipient, currency).send(fee_payer).await {
        Ok((amount, _)) => Ok(amount),
        Err(Error::Rejected(refusal)) if refusal.is(PaymentsError::NothingToClaim) => Ok(0),
        Err(Error::NotFound { kind: "earnings", .. }) => Ok(0),
        Err(error) => Err(error),
    }
}

impl FailedClaim {
    fn new(work: &Pubkey, recipient: Option<&Pubkey>, refusal: &impl fmt::Display) -> Self {
        Self {
            work: work.to_string(),
            recipient: recipient.map(ToString::to_string),
            reason: refusal.to_string(),
        }
    }
}

impl fmt::Display for FailedClaim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = visible(&self.reason);
        match &self.recipient {
            Some(recipient) => write!(formatter, "{recipient} of work {}: {reason}", self.work),
            None => write!(formatter, "pending earnings of work {}: {reason}", self.work),
        }
    }
}

impl ClaimedWork {
    fn new(address: &Pubkey, work: &Work, paid: &[(Pubkey, u64)], scale: Scale) -> Self {
        let share_of = |recipient: &Pubkey| {
            let mut shares = work.split.iter();
            shares.find(|share| share.recipient == *recipient).map(|share| share.share_bps)
        };
        let recipients = paid.iter().map(|(recipient, amount)| ClaimedRecipient {
            recipient: recipient.to_string(),
            claimed: scale.money(*amount),
            share_bps: share_of(recipient),
        });
        Self {
            work: address.to_string(),
            claimed: scale.money(paid.iter().map(|(_, amount)| amount).sum()), // at most the vault's balance
            recipients: recipients.collect(),
        }
    }
}

impl fmt::Display for ClaimOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.works.iter().flat_map(|work| {
            work.recipients.iter().map(|recipient| {
                [
                    work.work.clone(),
                    recipient.recipient.clone(),
                    recipient.share_bps.map_or("-".to_owned(), percent),
                    recipient.claimed.to_string(),
                ]
            })
        });
        let table = table(["work", "recipient", "share", "claimed"], &[2, 3], rows);
        write!(formatter, "{table}\n\nclaimed  {}", self.claimed)?;
        for failure in &self.failures {
            write!(formatter, "\nnot paid: {failure}")?;
        }
        Ok(())
    }
}
