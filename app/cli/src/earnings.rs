use clap::Args;
use motif_localnet::TestDollar;
use motif_sdk::{Pubkey, earnings::EarningsAccount, licensing::WorkHead};
use serde_json::{Value, json};

use crate::{
    amount::{grouped, percent},
    answer::{pairs, table},
    error::CliError,
    reference::WorkReference,
    session::Session,
};

/// Whose earnings.
#[derive(Args)]
pub struct EarningsArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// In which mint [default: the localnet's test dollar].
    #[arg(long, env = "MOTIF_CURRENCY", value_name = "MINT")]
    currency: Option<Pubkey>,
}

/// One party's part of what a work has earned.
struct Part {
    role: &'static str,
    who: Pubkey,
    share_bps: u16,
    entitled: u64,
    taken: u64,
    /// Less than what is left where a dispute contests a part of it.
    claimable: u64,
}

pub async fn run(args: EarningsArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    // An address that is no work has not just earned nothing.
    let head = client.work(&work).await?.head();
    let mint = args.currency.unwrap_or_else(|| TestDollar::new().mint);
    let earnings = client.earnings(&work, &mint).await?;
    let (earned, parts) =
        earnings.as_ref().map_or((0, Vec::new()), |account| parts(account, &head));

    let text = pairs([("work", work.to_string()), ("earned", grouped(earned))]);
    let table = parts_table(&parts);
    session.answer(&json(&work, &mint, earned, &parts), format!("{text}\n\n{table}"));
    Ok(())
}

fn parts(account: &EarningsAccount, work: &WorkHead) -> (u64, Vec<Part>) {
    let parents = account.parents.iter().enumerate().map(|(position, part)| Part {
        role: "parent",
        who: part.key,
        share_bps: part.share_bps,
        entitled: account.parent_entitled(position),
        taken: part.taken,
        claimable: account.parent_entitled(position) - part.taken, // never less was taken
    });
    let recipients = account.recipients.iter().enumerate().map(|(position, part)| Part {
        role: if part.share_bps > 0 { "recipient" } else { "former recipient" },
        who: part.key,
        share_bps: part.share_bps,
        entitled: account.entitled(position),
        taken: part.taken,
        claimable: account.claimable(position, work),
    });
    (account.earnings.earned, parents.chain(recipients).collect())
}

fn json(work: &Pubkey, mint: &Pubkey, earned: u64, parts: &[Part]) -> Value {
    let parts = parts.iter().map(|part| {
        json!({
            "role": part.role,
            "address": part.who.to_string(),
            "share_bps": part.share_bps,
            "entitled": part.entitled,
            "taken": part.taken,
            "claimable": part.claimable,
        })
    });
    json!({
        "work": work.to_string(),
        "mint": mint.to_string(),
        "earned": earned,
        "parts": parts.collect::<Vec<_>>(),
    })
}

fn parts_table(parts: &[Part]) -> String {
    let rows = parts.iter().map(|part| {
        [
            part.role.to_owned(),
            part.who.to_string(),
            percent(part.share_bps),
            grouped(part.entitled),
            grouped(part.taken),
            grouped(part.claimable),
        ]
    });
    let header = ["", "who", "share", "entitled", "taken", "claimable"];
    table(header, &[2, 3, 4, 5], rows.collect())
}
