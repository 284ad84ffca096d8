use clap::Args;
use motif_sdk::licensing::Verdict;
use serde_json::json;

use crate::{answer::pairs, error::CliError, reference::WorkReference, session::Session, words};

/// Which work, and whose it is.
#[derive(Args)]
pub struct DecideArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// upheld: the work and what nobody has claimed of its earnings is the claimant's; rejected:
    /// it stays the owner's, who gets the bond.
    #[arg(long, value_name = "upheld|rejected", value_parser = words::parse_verdict)]
    verdict: Verdict,
}

pub async fn run(args: DecideArgs, session: &Session) -> Result<(), CliError> {
    let arbiter = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let claimant = client.dispute(&work).await?.claimant;
    let landed = client.decide_dispute(&arbiter, &work, args.verdict).await?;
    let owner = client.work(&work).await?.owner;

    let verdict = words::verdict(args.verdict);
    let json = json!({
        "work": work.to_string(),
        "verdict": verdict,
        "claimant": claimant.to_string(),
        "owner": owner.to_string(),
        "signature": landed.signature.to_string(),
    });
    let bond = match args.verdict {
        Verdict::Upheld => "returned to the claimant",
        Verdict::Rejected => "paid to the owner",
    };
    let text = pairs([
        ("work", work.to_string()),
        ("verdict", verdict.to_owned()),
        ("owner", owner.to_string()),
        ("bond", bond.to_owned()),
    ]);
    session.answer(&json, text);
    Ok(())
}
