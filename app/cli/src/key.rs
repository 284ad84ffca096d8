//! `motif key`: keypair files, in the format of the Solana command line.

use std::{fmt, path::PathBuf};

use clap::{Args, Subcommand};
use motif_localnet::Faucet;
use motif_sdk::{Pubkey, keypair};
use serde::Serialize;
use solana_signer::Signer;

use crate::{
    currency::test_dollar, error::CliError, key_serve, output::table, reference::AccountReference,
    session::Session,
};

const DEFAULT_SOL: u64 = 10;
const DEFAULT_DOLLARS: u64 = 100;
const LAMPORTS_PER_SOL: u64 = 1_000_000_000;
const BASE_UNITS_PER_DOLLAR: u64 = 1_000_000;

/// Commands of `motif key`.
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Create keypair files; fails if one of them exists
    New(NewArgs),
    /// Show the addresses of keypair files
    Show(ShowArgs),
    /// Sign for a gateway on a Unix socket, so that its process does not have the keys
    Serve(key_serve::ServeArgs),
    /// Send SOL and test dollars to accounts (localnet only)
    Airdrop(AirdropArgs),
}

/// Arguments of `motif key new`.
#[derive(Args)]
pub struct NewArgs {
    /// Files to create, readable by you alone
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Also send SOL and test dollars to each account (localnet only)
    #[arg(long)]
    airdrop: bool,
}

/// Arguments of `motif key show`.
#[derive(Args)]
pub struct ShowArgs {
    /// Keypair files; `-` reads stdin [default: the keypair that signs and pays]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Arguments of `motif key airdrop`.
#[derive(Args)]
pub struct AirdropArgs {
    /// Addresses, or keypair files
    #[arg(required = true, value_name = "ADDRESS|FILE")]
    recipients: Vec<AccountReference>,

    /// Whole SOL to send to each account
    #[arg(long, value_name = "SOL", default_value_t = DEFAULT_SOL, value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    sol: u64,

    /// Whole test dollars to send to each account
    #[arg(long, value_name = "DOLLARS", default_value_t = DEFAULT_DOLLARS, value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    dollars: u64,
}

impl KeyCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::New(args) => new(args, session).await,
            Self::Show(args) => show(&args, session),
            Self::Serve(args) => key_serve::run(args, session).await,
            Self::Airdrop(args) => airdrop(args, session).await,
        }
    }
}

/// Output of `motif key new` and `show`.
#[derive(Serialize)]
#[serde(transparent)]
struct KeysOutput(Vec<KeyOutput>);

#[derive(Serialize)]
struct KeyOutput {
    file: String,
    address: String,
}

async fn new(args: NewArgs, session: &Session) -> Result<(), CliError> {
    // Checked for all files first: the usual mistake is to run the command twice.
    if let Some(taken) = args.files.iter().find(|path| path.exists()) {
        return Err(CliError::unwritable(taken, "the file exists"));
    }
    // Connects first, so that no keys are left behind if the localnet does not respond.
    let client = if args.airdrop { Some(session.client().await?) } else { None };
    let mut created = Vec::new();
    for path in &args.files {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| CliError::unwritable(folder, error))?;
        }
        created.push((path, keypair::create(path)?.pubkey()));
    }
    if client.is_some() {
        for (_, address) in &created {
            send(session, address, DEFAULT_SOL, DEFAULT_DOLLARS).await?;
        }
    }
    let key = |(path, address): (&PathBuf, Pubkey)| KeyOutput {
        file: path.display().to_string(),
        address: address.to_string(),
    };
    session.print(&KeysOutput(created.into_iter().map(key).collect()));
    Ok(())
}

fn show(args: &ShowArgs, session: &Session) -> Result<(), CliError> {
    let read = |path: &PathBuf| {
        let address = keypair::read(path)?.pubkey().to_string();
        Ok(KeyOutput { file: path.display().to_string(), address })
    };
    let mut keys = args.files.iter().map(read).collect::<Result<Vec<_>, CliError>>()?;
    if keys.is_empty() {
        let (file, address) = (session.keypair_path()?, session.keypair()?.pubkey());
        keys.push(KeyOutput { file: file.display().to_string(), address: address.to_string() });
    }
    session.print(&KeysOutput(keys));
    Ok(())
}

impl fmt::Display for KeysOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.0.iter().map(|key| [key.file.clone(), key.address.clone()]);
        formatter.write_str(&table(["file", "address"], &[], rows))
    }
}

/// Output of `motif key airdrop`.
#[derive(Serialize)]
#[serde(transparent)]
struct AirdropsOutput(Vec<AirdropOutput>);

#[derive(Serialize)]
struct AirdropOutput {
    address: String,
    lamports: u64,
    base_units: u64,
    mint: String,
}

async fn airdrop(args: AirdropArgs, session: &Session) -> Result<(), CliError> {
    let recipients = args.recipients.iter().map(AccountReference::address);
    let recipients = recipients.collect::<Result<Vec<_>, _>>()?;
    session.client().await?;
    for recipient in &recipients {
        send(session, recipient, args.sol, args.dollars).await?;
    }
    let airdrop = |address: &Pubkey| AirdropOutput {
        address: address.to_string(),
        lamports: args.sol * LAMPORTS_PER_SOL,
        base_units: args.dollars * BASE_UNITS_PER_DOLLAR,
        mint: test_dollar().to_string(),
    };
    session.print(&AirdropsOutput(recipients.iter().map(airdrop).collect()));
    Ok(())
}

/// Sends whole SOL and whole test dollars.
///
/// # Errors
/// [`CliError::Faucet`]; [`motif_sdk::Error::NotFound`] on a cluster other than a localnet.
async fn send(session: &Session, to: &Pubkey, sol: u64, dollars: u64) -> Result<(), CliError> {
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

impl fmt::Display for AirdropsOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.0.iter().map(|airdrop| {
            let sol = airdrop.lamports / LAMPORTS_PER_SOL;
            let dollars = airdrop.base_units / BASE_UNITS_PER_DOLLAR;
            [airdrop.address.clone(), sol.to_string(), dollars.to_string()]
        });
        formatter.write_str(&table(["address", "SOL", "test dollars"], &[1, 2], rows))
    }
}
