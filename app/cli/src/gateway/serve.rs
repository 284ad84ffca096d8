use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use motif_gateway::{GatewayConfig, SettlePolicy, serve};
use motif_sdk::Pubkey;
use serde_json::json;
use solana_signer::Signer;

use crate::{
    amount::percent,
    answer::{self, pairs},
    error::CliError,
    session::Session,
    stopping::stop_signal,
};

/// How to run it.
#[derive(Args)]
pub struct ServeArgs {
    /// Where to listen; port 0 takes a free one [default: the address of --gateway-url].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// Its store; created where there is none, gone on with where there is.
    #[arg(long, value_name = "FILE", default_value = "motif-gateway.sqlite")]
    store: PathBuf,

    /// The fee a channel must give, basis points on top of prices.
    #[arg(long, default_value_t = 200, value_name = "BPS", value_parser = clap::value_parser!(u16).range(..=5_000))]
    operator_fee_bps: u16,

    /// The least grace period a channel must have.
    #[arg(long, default_value_t = 3_600, value_name = "SECONDS")]
    min_grace_seconds: u32,

    /// The least time vouchers and licences must still be valid for.
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    min_voucher_seconds: u32,

    /// Serve only channels in these mints [default: any].
    #[arg(long, value_name = "MINT")]
    mint: Vec<Pubkey>,

    /// Settle a channel once it owes this many base units more.
    #[arg(long, value_name = "BASE_UNITS")]
    settle_at_amount: Option<u64>,

    /// Settle a channel once its oldest open generation is this old.
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    settle_at_age_seconds: u32,

    /// Settle a channel once it has this many open receipts.
    #[arg(long, value_name = "RECEIPTS", default_value_t = 500_000)]
    settle_at_receipts: u32,
}

pub async fn run(args: ServeArgs, session: &Session) -> Result<(), CliError> {
    let operator = session.keypair()?;
    let address = operator.pubkey();
    session.client().await?;
    let listen = match args.listen {
        Some(listen) => listen,
        None => address_of(session.gateway_url())?,
    };
    let operator_fee_bps = args.operator_fee_bps;
    let config = GatewayConfig {
        rpc_url: session.rpc_url.clone(),
        operator: Arc::new(operator),
        store: args.store,
        listen,
        operator_fee_bps,
        min_grace_seconds: args.min_grace_seconds,
        min_voucher_seconds: args.min_voucher_seconds,
        mints: args.mint,
        settle: SettlePolicy {
            at_amount: args.settle_at_amount,
            at_age_seconds: args.settle_at_age_seconds,
            at_receipts: args.settle_at_receipts,
            look_every: Duration::from_secs(5),
        },
    };
    let stopped = stop_signal()?;
    let gateway = serve(config).await?;
    announce(&gateway.url(), &address, operator_fee_bps, session);
    stopped.await;
    session.say("finishing what was begun");
    gateway.shutdown().await;
    Ok(())
}

fn announce(url: &str, operator: &Pubkey, operator_fee_bps: u16, session: &Session) {
    let operator = operator.to_string();
    if session.json {
        let ready =
            json!({ "url": url, "operator": operator, "operator_fee_bps": operator_fee_bps });
        answer::print_json(&ready);
        return;
    }
    let fee = format!("{} on top of prices", percent(operator_fee_bps));
    let facts = pairs([("URL", url.to_owned()), ("operator", operator), ("fee", fee)]);
    answer::print_text(format!("gateway is up; Ctrl-C stops it, and its store stays\n{facts}"));
}

fn address_of(url: &str) -> Result<SocketAddr, CliError> {
    let authority = url.split("://").nth(1).unwrap_or(url).split('/').next().unwrap_or_default();
    authority.replace("localhost", "127.0.0.1").parse().map_err(|_| {
        let what = format!("`{url}` names no address and port to listen on");
        CliError::usage(what, "pass --listen, for example --listen 127.0.0.1:8787")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_to_listen_on_is_the_one_of_the_url() {
        for (url, address) in [
            ("http://127.0.0.1:8787", Some("127.0.0.1:8787")),
            ("http://localhost:1234/", Some("127.0.0.1:1234")),
            ("https://gateway.example", None),
        ] {
            let expected = address.map(|address| address.parse().unwrap());
            assert_eq!(address_of(url).ok(), expected, "{url}");
        }
    }
}
