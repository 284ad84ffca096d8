use clap::Args;
use motif_sdk::licensing::UpdateConfigArgs;

use super::report;
use crate::{error::CliError, reference::Somebody, session::Session};

/// What to change; the rest stays.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub struct UpdateArgs {
    /// Who decides disputes: an address, or a keypair file.
    #[arg(long, value_name = "ADDRESS|FILE", value_parser = Somebody::parse)]
    arbiter: Option<Somebody>,

    /// What a claimant puts at stake.
    #[arg(long, value_name = "LAMPORTS")]
    dispute_bond: Option<u64>,

    /// From the opening of a dispute to the last second of its verdict: 1 to 60 days.
    #[arg(long, value_name = "SECONDS")]
    dispute_seconds: Option<u32>,
}

pub async fn run(args: UpdateArgs, session: &Session) -> Result<(), CliError> {
    let authority = session.keypair()?;
    let arbiter = args.arbiter.as_ref().map(Somebody::address).transpose()?;
    let client = session.client().await?;
    let present = client.config().await?;
    let changed = UpdateConfigArgs {
        arbiter: arbiter.unwrap_or(present.arbiter),
        dispute_bond_lamports: args.dispute_bond.unwrap_or(present.dispute_bond_lamports),
        dispute_seconds: args.dispute_seconds.unwrap_or(present.dispute_seconds),
    };
    client.update_config(&authority, changed).await?;
    report::answer(&client, session).await
}
