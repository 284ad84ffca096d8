use std::path::PathBuf;

use clap::Args;
use motif_localnet::{Faucet, Localnet, LocalnetConfig, Program, TestDollar};
use motif_sdk::{Pubkey, channel::Currency, client::Client, keypair, licensing::InitializeArgs};
use serde_json::json;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    answer::{self, pairs},
    error::CliError,
    reference::read_file,
    session::Session,
    stopping::stop_signal,
};

const DEPLOYER_LAMPORTS: u64 = 1_000_000_000;
const DISPUTE_BOND_LAMPORTS: u64 = 100_000_000;
const DISPUTE_SECONDS: u32 = 14 * 86_400;

/// Where to listen, and what to load.
#[derive(Args)]
pub struct LocalnetArgs {
    /// Port of the JSON-RPC server on loopback [default: the one of --rpc-url].
    #[arg(long, value_name = "PORT")]
    rpc_port: Option<u16>,

    /// Port of the websocket server on loopback [default: the one after --rpc-port].
    #[arg(long, value_name = "PORT")]
    ws_port: Option<u16>,

    /// Load another program, or other bytecode for one of Motif's.
    #[arg(long, value_name = "ID=PATH", value_parser = parse_program)]
    program: Vec<(Pubkey, PathBuf)>,

    /// Leave the programs as deployed: no config, no vault for the test dollar.
    #[arg(long)]
    bare: bool,

    /// Keypair of the config's authority, who is also the arbiter at first [default: a key that
    /// nobody keeps, so that nobody decides disputes].
    #[arg(long, value_name = "FILE", conflicts_with = "bare")]
    authority: Option<PathBuf>,
}

pub async fn run(args: LocalnetArgs, session: &Session) -> Result<(), CliError> {
    let rpc_port = match args.rpc_port {
        Some(port) => port,
        None => port_of(&session.rpc_url)?,
    };
    let mut config = LocalnetConfig::new().with_motif_programs().with_rpc_port(rpc_port);
    config.ws_port = args.ws_port;
    for (id, path) in args.program {
        config = config.with_program(Program { id, elf: read_file(&path)? });
    }

    let authority = args.authority.as_deref().map(keypair::read).transpose()?;
    let localnet = Localnet::start(config).await?;
    if !args.bare {
        let authority = authority.unwrap_or_else(Keypair::new);
        prepare(&Client::new(&localnet.rpc_url()), &localnet.faucet(), &authority).await?;
    }
    let stopped = stop_signal()?;
    announce(&localnet, session);
    stopped.await;
    session.say("stopping");
    localnet.stop().await?;
    Ok(())
}

/// Initialises the programs and admits the test dollar, as the first user of a deployment would.
pub async fn prepare(client: &Client, faucet: &Faucet, deployer: &Keypair) -> Result<(), CliError> {
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

fn announce(localnet: &Localnet, session: &Session) {
    let mint = TestDollar::new().mint.to_string();
    let (rpc_url, ws_url) = (localnet.rpc_url(), localnet.ws_url());
    if session.json {
        let ready = json!({ "rpc_url": rpc_url, "ws_url": ws_url, "test_dollar": mint });
        answer::print_json(&ready);
        return;
    }
    let facts = pairs([
        ("JSON-RPC", rpc_url),
        ("websocket", ws_url),
        ("test dollar", mint),
        ("licensing", motif_sdk::licensing::PROGRAM_ID.to_string()),
        ("payments", motif_sdk::channel::PROGRAM_ID.to_string()),
    ]);
    answer::print_text(format!("localnet is up; Ctrl-C stops it and forgets everything\n{facts}"));
}

fn port_of(url: &str) -> Result<u16, CliError> {
    let authority = url.split("://").nth(1).unwrap_or(url).split('/').next().unwrap_or_default();
    let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    port.ok_or_else(|| {
        CliError::usage(format!("`{url}` names no port to listen on"), "pass --rpc-port")
    })
}

fn parse_program(text: &str) -> Result<(Pubkey, PathBuf), String> {
    let wrong = || format!("`{text}` is no program; write PROGRAM_ID=path/to/program.so");
    let (id, path) = text.split_once('=').ok_or_else(wrong)?;
    Ok((id.parse().map_err(|_| wrong())?, PathBuf::from(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_to_listen_on_is_the_one_of_the_url() {
        for (url, port) in [
            ("http://127.0.0.1:8899", Some(8899)),
            ("http://localhost:1234/", Some(1234)),
            ("http://example.org", None),
        ] {
            assert_eq!(port_of(url).ok(), port, "{url}");
        }
    }
}
