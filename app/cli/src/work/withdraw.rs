use clap::Args;
use motif_sdk::{
    Pubkey,
    client::{Client, PublishedTerms},
    licensing::{Work, WorkStatus},
};
use serde_json::{Value, json};
use solana_keypair::Keypair;

use crate::{
    answer::{pairs, table},
    error::CliError,
    instant::{duration, utc, utc_or},
    reference::WorkReference,
    session::Session,
};

/// Which work.
#[derive(Args)]
pub struct WithdrawArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,
}

/// When licences of one version of the terms end.
struct Ending {
    terms_number: u32,
    notice_seconds: u32,
    ends_at: i64,
    licences: usize,
}

/// Withdraws, and has the licences that exist end when their notice is over. Asked for again, it
/// ends those that were forgotten.
pub async fn run(args: WithdrawArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let client = session.client().await?;
    let address = args.work.address(&client).await?;
    if client.work(&address).await?.status != WorkStatus::Withdrawn {
        client.withdraw_work(&owner, &address).await?;
    }
    let work = client.work(&address).await?;
    let licences = end_licences(&client, &owner, &address).await?;
    let mut endings = Vec::new();
    for number in 1..=work.latest_terms {
        match client.terms(&address, number).await {
            Ok(published) => endings.push(Ending::of(&work, &published, &licences)),
            Err(motif_sdk::Error::NotFound { .. }) => {} // a verdict took the number
            Err(error) => return Err(error.into()),
        }
    }
    answer(&address, &work, &endings, session);
    Ok(())
}

/// Has every channel with a licence of the work end it after its notice; returns the number of
/// the terms of each such licence.
async fn end_licences(
    client: &Client,
    fee_payer: &Keypair,
    work: &Pubkey,
) -> Result<Vec<u32>, CliError> {
    let mut numbers = Vec::new();
    for (channel, account) in client.channels(None, None).await? {
        let of_work = account.licences.iter().filter(|licence| licence.work == *work);
        let before = numbers.len();
        numbers.extend(of_work.map(|licence| licence.terms_number));
        if numbers.len() > before {
            client.apply_withdrawals(fee_payer, &channel).await?;
        }
    }
    Ok(numbers)
}

impl Ending {
    fn of(work: &Work, published: &PublishedTerms, licences: &[u32]) -> Self {
        let offer = &published.terms.offer;
        let terms_number = published.terms.number;
        let expires_at = offer.expires_at.unwrap_or(i64::MAX);
        Self {
            terms_number,
            notice_seconds: offer.notice_seconds.max(Work::MIN_NOTICE_SECONDS),
            ends_at: work.head().licence_end(expires_at, offer.notice_seconds),
            licences: licences.iter().filter(|number| **number == terms_number).count(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "terms": self.terms_number,
            "notice_seconds": self.notice_seconds,
            "ends_at": self.ends_at,
            "licences": self.licences,
        })
    }

    fn row(&self) -> [String; 4] {
        [
            self.terms_number.to_string(),
            self.licences.to_string(),
            duration(self.notice_seconds),
            utc(self.ends_at),
        ]
    }
}

fn answer(address: &Pubkey, work: &Work, endings: &[Ending], session: &Session) {
    let withdrawn_at = Some(work.withdrawn_at).filter(|at| *at != i64::MAX);
    let json = json!({
        "work": address.to_string(),
        "withdrawn_at": withdrawn_at,
        "licences_end": endings.iter().map(Ending::json).collect::<Vec<_>>(),
    });
    let facts = pairs([
        ("work", address.to_string()),
        ("withdrawn", utc_or(withdrawn_at, "no")),
        ("from now on", "no new licences, no new derivatives, no new terms".to_owned()),
    ]);
    let rows: Vec<_> = endings.iter().map(Ending::row).collect();
    let header = ["terms", "licences", "notice", "end at the latest"];
    let text = if rows.is_empty() {
        format!("{facts}\n\nIt never published terms, so there are no licences to end.")
    } else {
        format!("{facts}\n\n{}", table(header, &[0, 1], rows))
    };
    session.answer(&json, text);
}
