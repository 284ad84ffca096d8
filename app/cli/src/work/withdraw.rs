use clap::Args;
use motif_sdk::{
    Pubkey,
    channel::License,
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

/// When licenses of one version of the terms end.
struct Ending {
    terms_number: u32,
    notice_seconds: u32,
    ends_at: i64,
    licenses: usize,
}

/// Withdraws, and has the licenses that exist end when their notice is over. Asked for again, it
/// ends those that were forgotten.
pub async fn run(args: WithdrawArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let client = session.client().await?;
    let address = args.work.address(&client).await?;
    if client.work(&address).await?.status != WorkStatus::Withdrawn {
        client.withdraw_work(&owner, &address).await?;
    }
    let work = client.work(&address).await?;
    let licenses = end_licenses(&client, &owner, &address).await?;
    let mut endings = Vec::new();
    for number in 1..=work.latest_terms {
        match client.terms(&address, number).await {
            Ok(published) => endings.push(Ending::of(&work, &published, &licenses)),
            Err(motif_sdk::Error::NotFound { .. }) => {} // a verdict took the number
            Err(error) => return Err(error.into()),
        }
    }
    answer(&address, &work, &endings, session);
    Ok(())
}

/// Has every channel with a license of the work end it after its notice; returns these licenses.
async fn end_licenses(
    client: &Client,
    fee_payer: &Keypair,
    work: &Pubkey,
) -> Result<Vec<License>, CliError> {
    let mut ending = Vec::new();
    for (channel, account) in client.channels(None, None).await? {
        if account.licenses.iter().any(|license| license.work == *work) {
            client.apply_withdrawals(fee_payer, &channel).await?;
            let licenses = client.channel(&channel).await?.licenses;
            ending.extend(licenses.into_iter().filter(|license| license.work == *work));
        }
    }
    Ok(ending)
}

impl Ending {
    fn of(work: &Work, published: &PublishedTerms, licenses: &[License]) -> Self {
        let offer = &published.terms.offer;
        let terms_number = published.terms.number;
        let expires_at = offer.expires_at.unwrap_or(i64::MAX);
        let notice_end = work.head().license_end(expires_at, offer.notice_seconds);
        let of_terms = licenses.iter().filter(|license| license.terms_number == terms_number);
        let ends: Vec<_> = of_terms.map(|license| license.expires_at).collect();
        Self {
            terms_number,
            notice_seconds: offer.notice_seconds.max(Work::MIN_NOTICE_SECONDS),
            ends_at: ends.iter().copied().max().unwrap_or(notice_end),
            licenses: ends.len(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "terms": self.terms_number,
            "notice_seconds": self.notice_seconds,
            "ends_at": self.ends_at,
            "licenses": self.licenses,
        })
    }

    fn row(&self) -> [String; 4] {
        [
            self.terms_number.to_string(),
            self.licenses.to_string(),
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
        "licenses_end": endings.iter().map(Ending::json).collect::<Vec<_>>(),
    });
    let facts = pairs([
        ("work", address.to_string()),
        ("withdrawn", utc_or(withdrawn_at, "no")),
        ("from now on", "no new licenses, no new derivatives, no new terms".to_owned()),
    ]);
    let rows: Vec<_> = endings.iter().map(Ending::row).collect();
    let header = ["terms", "licenses", "notice", "end at the latest"];
    let text = if rows.is_empty() {
        format!("{facts}\n\nIt never published terms, so there are no licenses to end.")
    } else {
        format!("{facts}\n\n{}", table(header, &[0, 1], rows))
    };
    session.answer(&json, text);
}
