use clap::Args;
use motif_localnet::{Faucet, TestDollar};
use motif_sdk::Pubkey;
use serde_json::json;

use crate::{answer::table, error::CliError, reference::Somebody, session::Session};

/// What is given when nothing is said.
pub const SOL: u64 = 10;
/// What is given when nothing is said.
pub const DOLLARS: u64 = 100;

const LAMPORTS_PER_SOL: u64 = 1_000_000_000;
const BASE_UNITS_PER_DOLLAR: u64 = 1_000_000;

/// Whom to give what.
#[derive(Args)]
pub struct AirdropArgs {
    /// Addresses or keypair files.
    #[arg(required = true, value_name = "ADDRESS|FILE", value_parser = Somebody::parse)]
    recipients: Vec<Somebody>,

    /// Whole SOL for each.
    #[arg(long, default_value_t = SOL, value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    sol: u64,

    /// Whole test dollars for each.
    #[arg(long, default_value_t = DOLLARS, value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    dollars: u64,
}

pub async fn run(args: AirdropArgs, session: &Session) -> Result<(), CliError> {
    let recipients = args.recipients.iter().map(Somebody::address);
    let recipients = recipients.collect::<Result<Vec<_>, _>>()?;
    session.client().await?;
    for recipient in &recipients {
        give(session, recipient, args.sol, args.dollars).await?;
    }

    let json = recipients.iter().map(|address| {
        json!({
            "address": address.to_string(),
            "lamports": args.sol * LAMPORTS_PER_SOL,
            "base_units": args.dollars * BASE_UNITS_PER_DOLLAR,
            "mint": TestDollar::new().mint.to_string(),
        })
    });
    let rows = recipients
        .iter()
        .map(|address| [address.to_string(), args.sol.to_string(), args.dollars.to_string()]);
    let table = table(["address", "SOL", "test dollars"], &[1, 2], rows.collect());
    session.answer(&json.collect(), table);
    Ok(())
}

/// Gives whole SOL and whole test dollars.
///
/// # Errors
/// [`CliError::Faucet`]; [`motif_sdk::Error::NotFound`] on any cluster but a localnet.
pub async fn give(session: &Session, to: &Pubkey, sol: u64, dollars: u64) -> Result<(), CliError> {
    let faucet = Faucet::new(session.rpc_url.clone());
    session.wait_for(&faucet.dollar().mint).await?;
    if sol > 0 {
        faucet.airdrop_sol(to, sol * LAMPORTS_PER_SOL).await?;
    }
    if dollars > 0 {
        faucet.mint_dollars(to, dollars * BASE_UNITS_PER_DOLLAR).await?;
    }
    Ok(())
}
