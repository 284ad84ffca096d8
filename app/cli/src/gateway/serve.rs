use clap::Args;
use motif_gateway::{RunningGateway, serve};
use serde_json::json;
use solana_signer::Signer;

use super::settings::SettingsArgs;
use crate::{
    amount::percent,
    answer::{self, pairs},
    credentials::AnchorArgs,
    error::CliError,
    session::Session,
    stopping::stop_signal,
};

/// How to run it.
#[derive(Args)]
pub struct ServeArgs {
    #[command(flatten)]
    settings: SettingsArgs,

    #[command(flatten)]
    anchors: AnchorArgs,
}

pub async fn run(args: ServeArgs, session: &Session) -> Result<(), CliError> {
    let mut config = args.settings.read(session).map_err(CliError::GatewaySettings)?;
    config.decoding = args.anchors.worker()?;
    session.first_of(&config.rpc_urls).await?;
    let stopped = stop_signal()?;
    let gateway = serve(config).await?;
    announce(&gateway, session);
    stopped.await;
    session.say("finishing what was begun");
    gateway.shutdown().await;
    Ok(())
}

fn announce(gateway: &RunningGateway, session: &Session) {
    let config = &gateway.app().config;
    let (url, admin_url) = (gateway.url(), gateway.admin_url());
    let paywall_url = gateway.paywall_url();
    let (operator, fee_bps) = (config.operator.pubkey().to_string(), config.operator_fee_bps);
    if session.json {
        let ready = json!({
            "url": url,
            "admin_url": admin_url,
            "paywall_url": paywall_url,
            "operator": operator,
            "operator_fee_bps": fee_bps,
        });
        answer::print_json(&ready);
        return;
    }
    let fee = format!("{} on top of prices", percent(fee_bps));
    let admin = admin_url.unwrap_or_else(|| "nowhere".to_owned());
    let sold = paywall_url.unwrap_or_else(|| "nowhere".to_owned());
    let facts = pairs([
        ("URL", url),
        ("operators' URL", admin),
        ("paywall", sold),
        ("operator", operator),
        ("fee", fee),
    ]);
    answer::print_text(format!("gateway is up; Ctrl-C stops it, and its store stays\n{facts}"));
}
