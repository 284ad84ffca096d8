use std::fmt;

use clap::Args;
use motif_sdk::{
    Pubkey,
    channel::License,
    client::{Client, PublishedTerms},
    licensing::{Work, WorkStatus},
};
use serde::Serialize;
use solana_keypair::Keypair;

use crate::{
    error::CliError,
    output::{pairs, table},
    reference::WorkArgs,
    session::Session,
    time::{duration, utc, utc_or},
};

/// Arguments of `motif work withdraw`.
#[derive(Args)]
pub struct WithdrawArgs {
    #[command(flatten)]
    work: WorkArgs,
}

/// Output of `motif work withdraw`.
#[derive(Serialize)]
struct WithdrawOutput {
    work: String,
    withdrawn_at: Option<i64>,
    licenses_end: Vec<LicenseEnd>,
}

/// End of the licenses of one version of the terms.
#[derive(Serialize)]
struct LicenseEnd {
    terms: u32,
    notice_seconds: u32,
    ends_at: i64,
    /// Number of licenses.
    licenses: usize,
}

pub async fn run(args: WithdrawArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let client = session.client().await?;
    let address = args.work.address(&client).await?;
    if client.work(&address).await?.status != WorkStatus::Withdrawn {
        client.withdraw_work(&owner, &address).await?;
    }
    let work = client.work(&address).await?;
    let licenses = end_licenses(&client, &owner, &address).await?;
    let mut licenses_end = Vec::new();
    for number in 1..=work.latest_terms {
        match client.terms(&address, number).await {
            Ok(published) => licenses_end.push(LicenseEnd::new(&work, &published, &licenses)),
            Err(motif_sdk::Error::NotFound { .. }) => {} // skipped by a verdict
            Err(error) => return Err(error.into()),
        }
    }
    session.print(&WithdrawOutput {
        work: address.to_string(),
        withdrawn_at: Some(work.withdrawn_at).filter(|at| *at != i64::MAX),
        licenses_end,
    });
    Ok(())
}

/// Ends the work's licenses on every channel after their notice, and returns these licenses.
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

impl LicenseEnd {
    fn new(work: &Work, published: &PublishedTerms, licenses: &[License]) -> Self {
        let offer = &published.terms.offer;
        let number = published.terms.number;
        let expires_at = offer.expires_at.unwrap_or(i64::MAX);
        let notice_end = work.head().license_end(expires_at, number, offer.notice_seconds);
        let binding = number >= work.verdict_terms;
        let notice_seconds = if binding { offer.notice_seconds } else { 0 };
        let of_terms = licenses.iter().filter(|license| license.terms_number == number);
        let ends: Vec<_> = of_terms.map(|license| license.expires_at).collect();
        Self {
            terms: number,
            notice_seconds: notice_seconds.max(Work::MIN_NOTICE_SECONDS),
            ends_at: ends.iter().copied().max().unwrap_or(notice_end),
            licenses: ends.len(),
        }
    }
}

impl fmt::Display for WithdrawOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[
            ("work", &self.work),
            ("withdrawn", &utc_or(self.withdrawn_at, "no")),
            ("from now on", &"no new licenses, derivatives and terms"),
        ]);
        if self.licenses_end.is_empty() {
            return write!(
                formatter,
                "{facts}\n\nThe work has no terms, so it has no licenses to end."
            );
        }
        let rows = self.licenses_end.iter().map(|end| {
            [
                end.terms.to_string(),
                end.licenses.to_string(),
                duration(end.notice_seconds),
                utc(end.ends_at),
            ]
        });
        let table = table(["terms", "licenses", "notice", "end at the latest"], &[0, 1], rows);
        write!(formatter, "{facts}\n\n{table}")
    }
}
