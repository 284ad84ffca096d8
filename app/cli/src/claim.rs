use clap::Args;
use motif_localnet::TestDollar;
use motif_sdk::{
    Error, Pubkey,
    channel::{Currency, PaymentsError},
    client::{Client, WorkFilter},
    licensing::Work,
};
use serde_json::{Value, json};
use solana_keypair::Keypair;

use crate::{
    amount::{grouped, percent},
    answer::table,
    error::CliError,
    reference::{Somebody, WorkReference},
    session::Session,
};

/// For which work, and for whom.
#[derive(Args)]
pub struct ClaimArgs {
    /// Works' addresses, or the files they were registered from.
    #[arg(required = true, value_name = "WORK", value_parser = WorkReference::parse)]
    works: Vec<WorkReference>,

    /// Whom to pay [default: everybody who is owed, former recipients too].
    #[arg(long, value_name = "ADDRESS|FILE", value_parser = Somebody::parse)]
    recipient: Vec<Somebody>,

    /// In which mint [default: the localnet's test dollar].
    #[arg(long, env = "MOTIF_CURRENCY", value_name = "MINT")]
    currency: Option<Pubkey>,
}

/// What the recipients of one work were paid.
struct Claims {
    address: Pubkey,
    work: Work,
    paid: Vec<(Pubkey, u64)>,
}

pub async fn run(args: ClaimArgs, session: &Session) -> Result<(), CliError> {
    let fee_payer = session.keypair()?;
    let named = args.recipient.iter().map(Somebody::address).collect::<Result<Vec<_>, _>>()?;
    let client = session.client().await?;
    let mint = args.currency.unwrap_or_else(|| TestDollar::new().mint);
    let currency = client.currency(&mint).await?;
    let mut works = Vec::with_capacity(args.works.len());
    for reference in &args.works {
        let address = reference.address(&client).await?;
        works.push((address, client.work(&address).await?));
    }

    let mut claims = Vec::with_capacity(works.len());
    for (address, work) in works {
        bring_in(&client, &fee_payer, &address, &mint).await?;
        let recipients = if named.is_empty() {
            everybody(&client, &address, &work, &mint).await?
        } else {
            named.clone()
        };
        let paid = claim_for(&client, &fee_payer, &address, &recipients, &currency).await?;
        claims.push(Claims { address, work, paid });
    }
    answer(&claims, session);
    Ok(())
}

/// The recipients of the work's split, and former ones that its earnings still know.
async fn everybody(
    client: &Client,
    address: &Pubkey,
    work: &Work,
    mint: &Pubkey,
) -> Result<Vec<Pubkey>, CliError> {
    let mut everybody: Vec<_> = work.split.iter().map(|share| share.recipient).collect();
    let earnings = client.earnings(address, mint).await?;
    for part in earnings.iter().flat_map(|account| &account.recipients) {
        if !everybody.contains(&part.key) {
            everybody.push(part.key);
        }
    }
    Ok(everybody)
}

/// Moves everything that is on its way to a work into its earnings: credit of licenses on any
/// channel, and its share of what works made from it have earned.
async fn bring_in(
    client: &Client,
    fee_payer: &Keypair,
    work: &Pubkey,
    mint: &Pubkey,
) -> Result<(), CliError> {
    let works = client.works(&WorkFilter::default()).await?;
    let mut family = Vec::new();
    visit(work, &works, &mut family);
    for (channel, account) in client.channels(None, None).await? {
        let pending = account
            .licenses
            .iter()
            .any(|license| family.contains(&license.work) && license.settled > license.collected);
        if pending && account.channel.mint == *mint {
            client.collect(fee_payer, &channel).await?;
        }
    }
    for child in family.iter().filter(|member| *member != work) {
        client.pull(fee_payer, child, mint).await?;
    }
    Ok(())
}

/// Lists everything made from `work`, directly or not, and then `work`: each after all that was
/// made from it, so that shares travel all the way up in one pass.
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

async fn claim_for(
    client: &Client,
    fee_payer: &Keypair,
    work: &Pubkey,
    recipients: &[Pubkey],
    currency: &Currency,
) -> Result<Vec<(Pubkey, u64)>, CliError> {
    let mut claims = Vec::with_capacity(recipients.len());
    for recipient in recipients {
        let paid = match client.claim(work, recipient, currency).send(fee_payer).await {
            Ok((amount, _)) => amount,
            Err(Error::Rejected(refusal)) if refusal.is(PaymentsError::NothingToClaim) => 0,
            Err(Error::NotFound { kind: "earnings", .. }) => 0,
            Err(error) => return Err(error.into()),
        };
        claims.push((*recipient, paid));
    }
    Ok(claims)
}

fn answer(claims: &[Claims], session: &Session) {
    let total: u64 = claims.iter().map(Claims::total).sum(); // at most what the vault held
    let works: Vec<_> = claims.iter().map(Claims::json).collect();
    let rows = claims.iter().flat_map(Claims::rows).collect();
    let table = table(["work", "recipient", "share", "claimed"], &[2, 3], rows);
    let text = format!("{table}\n\nclaimed  {}", grouped(total));
    session.answer(&json!({ "claimed": total, "works": works }), text);
}

impl Claims {
    fn total(&self) -> u64 {
        self.paid.iter().map(|(_, amount)| amount).sum() // at most what the vault held
    }

    fn json(&self) -> Value {
        let recipients = self.paid.iter().map(
            |(recipient, amount)| json!({ "recipient": recipient.to_string(), "claimed": amount }),
        );
        json!({
            "work": self.address.to_string(),
            "claimed": self.total(),
            "recipients": recipients.collect::<Vec<_>>(),
        })
    }

    fn rows(&self) -> impl Iterator<Item = [String; 4]> + '_ {
        let share = |recipient: &Pubkey| {
            let mut shares = self.work.split.iter();
            let share = shares.find(|share| share.recipient == *recipient);
            share.map_or("-".to_owned(), |share| percent(share.share_bps))
        };
        self.paid.iter().map(move |(recipient, amount)| {
            let (work, who) = (self.address.to_string(), recipient.to_string());
            [work, who, share(recipient), grouped(*amount)]
        })
    }
}
