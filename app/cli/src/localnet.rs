//! `motif localnet`: a local Solana network with Motif's programs.

use std::{fmt, path::PathBuf, str::FromStr};

use clap::{Args, Subcommand};
use motif_localnet::{Faucet, Localnet, LocalnetConfig, Program, clock};
use motif_sdk::{Pubkey, channel::Currency, client::Client, keypair, licensing::InitializeArgs};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signer::Signer;
use url::Url;

use crate::{
    currency::test_dollar,
    error::CliError,
    output::pairs,
    reference::read_file,
    session::{Session, stop_signal},
    time::{parse_duration, utc},
};

const DEPLOYER_LAMPORTS: u64 = 1_000_000_000;
const DISPUTE_BOND_LAMPORTS: u64 = 100_000_000;
const DISPUTE_SECONDS: u32 = 14 * 86_400;

/// Arguments of `motif localnet`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct LocalnetArgs {
    #[command(subcommand)]
    command: Option<LocalnetCommand>,

    /// Port of the JSON-RPC server on loopback [default: the port of --rpc-url]
    #[arg(long, value_name = "PORT")]
    rpc_port: Option<u16>,

    /// Port of the websocket server on loopback [default: the port after --rpc-port]
    #[arg(long, value_name = "PORT")]
    ws_port: Option<u16>,

    /// Load another program, or other bytecode for one of Motif's programs
    #[arg(long, value_name = "ID=PATH")]
    program: Vec<ProgramArg>,

    /// Leave the programs uninitialized: no configuration, no vault for the test dollar
    #[arg(long)]
    bare: bool,

    /// Keypair file of the configuration's authority, who is also the first arbiter
    ///
    /// By default a key that is discarded at once, so that disputes cannot be decided.
    #[arg(long, value_name = "FILE", conflicts_with = "bare")]
    authority: Option<PathBuf>,
}

/// Commands of `motif localnet`, on a localnet that runs.
#[derive(Subcommand)]
enum LocalnetCommand {
    /// Move the clock of the localnet at --rpc-url forward
    Advance(AdvanceArgs),
}

/// Arguments of `motif localnet advance`.
#[derive(Args)]
struct AdvanceArgs {
    /// Time to move it, with its unit: 90s, 15m, 12h or 14d
    #[arg(value_parser = parse_duration)]
    duration: u64,
}

/// Output of `motif localnet advance`.
#[derive(Serialize)]
struct AdvanceOutput {
    /// Time on chain, Unix seconds.
    now: i64,
}

/// Program to load: its id and the file with its bytecode.
#[derive(Clone)]
struct ProgramArg {
    id: Pubkey,
    path: PathBuf,
}

impl FromStr for ProgramArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected PROGRAM_ID=path/to/program.so";
        let (id, path) = text.split_once('=').ok_or(EXPECTED)?;
        Ok(Self { id: id.parse().map_err(|_| EXPECTED)?, path: PathBuf::from(path) })
    }
}

/// Output of `motif localnet`, once it is ready.
#[derive(Serialize)]
struct LocalnetOutput {
    rpc_url: String,
    ws_url: String,
    test_dollar: String,
}

pub async fn run(args: LocalnetArgs, session: &Session) -> Result<(), CliError> {
    if let Some(LocalnetCommand::Advance(args)) = args.command {
        session.client().await?; // waits for a localnet that is starting
        let now = clock::advance_seconds(&session.rpc_url, args.duration).await?;
        session.print(&AdvanceOutput { now });
        return Ok(());
    }
    let rpc_port = match args.rpc_port {
        Some(port) => port,
        None => port_of(&session.rpc_url)?,
    };
    let mut config = LocalnetConfig::new().with_motif_programs().with_rpc_port(rpc_port);
    config.ws_port = args.ws_port;
    for ProgramArg { id, path } in args.program {
        config = config.with_program(Program { id, elf: read_file(&path)? });
    }

    let authority = args.authority.as_deref().map(keypair::read).transpose()?;
    let localnet = Localnet::start(config).await?;
    if !args.bare {
        let authority = authority.unwrap_or_else(Keypair::new);
        initialize(&Client::new(&localnet.rpc_url()), &localnet.faucet(), &authority).await?;
    }
    let stopped = stop_signal()?;
    session.print(&LocalnetOutput {
        rpc_url: localnet.rpc_url(),
        ws_url: localnet.ws_url(),
        test_dollar: test_dollar().to_string(),
    });
    stopped.await;
    session.status("stopping");
    localnet.stop().await?;
    Ok(())
}

/// Initializes the programs and creates the vault of the test dollar.
///
/// # Errors
/// [`CliError::Faucet`]; as [`Client::initialize`].
pub async fn initialize(
    client: &Client,
    faucet: &Faucet,
    deployer: &Keypair,
) -> Result<(), CliError> {
    faucet.airdrop_sol(&deployer.pubkey(), DEPLOYER_LAMPORTS).await?;
    let cluster = client.rpc().get_genesis_hash().await;
    let cluster = cluster.map_err(motif_sdk::Error::from)?;
    let args = InitializeArgs {
        cluster: cluster.to_bytes(),
        arbiter: deployer.pubkey(),
        dispute_bond_lamports: DISPUTE_BOND_LAMPORTS,
        dispute_seconds: DISPUTE_SECONDS,
    };
    client.initialize(deployer, args).await?;
    client.create_vault(deployer, &Currency::spl(faucet.dollar().mint)).await?;
    Ok(())
}

impl fmt::Display for LocalnetOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[
            ("JSON-RPC", &self.rpc_url),
            ("websocket", &self.ws_url),
            ("test dollar", &self.test_dollar),
            ("licensing", &motif_sdk::licensing::PROGRAM_ID),
            ("payments", &motif_sdk::channel::PROGRAM_ID),
        ]);
        write!(formatter, "localnet is ready; Ctrl-C stops it and discards its state\n{facts}")
    }
}

impl fmt::Display for AdvanceOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[("time on chain", &utc(self.now))]))
    }
}

/// Returns the port that a URL states.
fn port_of(url: &str) -> Result<u16, CliError> {
    let port = Url::parse(url).ok().and_then(|url| url.port());
    port.ok_or_else(|| CliError::usage("the node's URL states no port", "pass --rpc-port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_is_taken_from_the_url() {
        for (url, port) in [
            ("http://127.0.0.1:8899", Some(8899)),
            ("http://localhost:1234/", Some(1234)),
            ("http://example.org", None),
            ("devnet", None),
        ] {
            assert_eq!(port_of(url).ok(), port, "{url}");
        }
    }
}
