//! `motif mcp`: tools for agents.

mod budget;
mod http;
mod server;
mod shop;
mod x402;

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc};

use clap::Args;
use rmcp::{ServiceExt, transport::stdio};
use serde::Serialize;
use tokio::{net::TcpListener, sync::Mutex};
use url::Url;

use crate::{
    amount::AmountArg,
    channel::{ChannelArgs, VoucherKeyArgs},
    currency,
    error::CliError,
    output::pairs,
    session::{Session, stop_signal},
};
use budget::Budget;
use http::AccessToken;
use server::Server;
use shop::{Purse, Shop, resolve};

/// Environment variable with the token of HTTP clients.
const TOKEN: &str = "MOTIF_MCP_TOKEN";
const MIN_TOKEN_LENGTH: usize = 16;

/// Arguments of `motif mcp`.
#[derive(Args)]
pub struct McpArgs {
    /// Folder of the budget, of what was bought, and of receipts
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,

    /// URL of the paywall that purchases are made from
    #[arg(long, value_name = "URL")]
    paywall: Option<Url>,

    /// Maximum total cost of purchases from this folder; restarts do not reset it
    ///
    /// Without it, clients pay for their purchases by x402 themselves.
    #[arg(long, value_name = "AMOUNT", requires = "paywall")]
    budget: Option<AmountArg>,

    /// Maximum cost of one purchase
    #[arg(long, value_name = "AMOUNT", requires = "budget")]
    max_price: Option<AmountArg>,

    /// Serve streamable HTTP at this loopback address, in place of stdin and stdout
    ///
    /// Clients present the token of the environment variable MOTIF_MCP_TOKEN: `authorization: Bearer ...`.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    #[command(flatten)]
    channel: ChannelArgs,

    #[command(flatten)]
    voucher_key: VoucherKeyArgs,
}

/// Output of `motif mcp --listen`, once it is ready.
#[derive(Serialize)]
struct McpOutput {
    mcp_url: String,
}

pub async fn run(args: McpArgs, session: Arc<Session>) -> Result<(), CliError> {
    // What clients buy, and what it costs, is for the owner only: folders 0700, files 0600.
    // SAFETY: it changes a number of the process and fails never.
    unsafe { libc::umask(0o077) };
    let access = match args.listen {
        Some(address) => Some((address, access_token(address)?)),
        None => None,
    };
    let purse = match &args.budget {
        Some(budget) => Some(purse(&args, budget, &session).await?),
        None => None,
    };
    let shop = Arc::new(Shop {
        session: session.clone(),
        folder: args.folder,
        paywall: args.paywall,
        purse,
        reads_files: access.is_none(),
    });
    match access {
        Some((address, token)) => serve_http(shop, address, token, &session).await,
        None => serve_stdio(shop).await,
    }
}

/// Opens the budget, and the means that it is spent with.
async fn purse(args: &McpArgs, budget: &AmountArg, session: &Session) -> Result<Purse, CliError> {
    let client = session.client().await?;
    let (_, account) = args.channel.find(&client, session).await?;
    // Missing or unreadable, it is reported before the first purchase.
    args.voucher_key.read(session)?;
    let currency = account.channel.mint;
    let decimals = client.decimals(&currency).await?;
    let limit = budget.base_units(decimals)?;
    let mut budget = Budget::open(&args.folder, &currency.to_string(), limit)?;
    resolve(&mut budget, &args.folder)?;
    let max_price = args.max_price.as_ref().map(|price| price.base_units(decimals));
    Ok(Purse {
        channel: args.channel.clone(),
        voucher_key: args.voucher_key.clone(),
        currency,
        scale: currency::scale(&client, &currency).await?,
        max_price: max_price.transpose()?,
        budget: Mutex::new(budget),
    })
}

/// Serves one client until it closes stdin.
async fn serve_stdio(shop: Arc<Shop>) -> Result<(), CliError> {
    let ended = |error: &dyn fmt::Display| CliError::Runtime(error.to_string());
    let service = Server::new(shop).serve(stdio()).await.map_err(|error| ended(&error))?;
    service.waiting().await.map_err(|error| ended(&error))?;
    Ok(())
}

async fn serve_http(
    shop: Arc<Shop>,
    address: SocketAddr,
    token: AccessToken,
    session: &Session,
) -> Result<(), CliError> {
    let refuse = |error: std::io::Error| CliError::Runtime(error.to_string());
    let listener = TcpListener::bind(address).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    let stopped = stop_signal()?;
    session.print(&McpOutput { mcp_url: format!("http://{address}{}", http::PATH) });
    tokio::select! {
        served = axum::serve(listener, http::router(shop, token)) => served.map_err(refuse),
        () = stopped => Ok(()),
    }
}

/// Reads the token of HTTP clients.
fn access_token(address: SocketAddr) -> Result<AccessToken, CliError> {
    if !address.ip().is_loopback() {
        let help = "listen on 127.0.0.1; a proxy in front of it can add TLS";
        return Err(CliError::usage(format!("{address} is not a loopback address"), help));
    }
    let token = std::env::var(TOKEN).ok().filter(|token| token.len() >= MIN_TOKEN_LENGTH);
    let token = token.ok_or_else(|| {
        let help = format!("set {TOKEN} to a random text of {MIN_TOKEN_LENGTH} characters or more");
        CliError::usage("HTTP clients need a token", help)
    })?;
    Ok(AccessToken::new(&token))
}

impl fmt::Display for McpOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[("MCP", &self.mcp_url)]);
        write!(formatter, "tools are served; Ctrl-C stops\n{facts}")
    }
}
