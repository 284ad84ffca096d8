use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::Args;
use motif_gateway::{
    GatewayConfig,
    config::{Faults, Layers},
};
use motif_sdk::{Pubkey, keypair};
use url::{Host, Url};

use crate::{amount::parse_base_units, reference::AccountReference, session::Session};

/// Settings of a gateway. An option overrides its environment variable, which overrides the file.
#[derive(Args)]
#[command(next_help_heading = "Settings")]
pub struct SettingsArgs {
    /// TOML settings file; `motif gateway check --example` prints one with every setting
    #[arg(long, value_name = "FILE", env = "MOTIF_GATEWAY_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,

    /// Listen address; port 0 selects a free port [default: the address of --gateway-url]
    #[arg(long, value_name = "IP:PORT", value_parser = parse_listen)]
    listen: Option<SocketAddr>,

    /// Listen address of the admin interface. Requires a secret [default: disabled]
    #[arg(long, value_name = "IP:PORT", value_parser = parse_listen)]
    admin_listen: Option<SocketAddr>,

    /// File with the admin secret, at least 32 bytes
    #[arg(long, value_name = "FILE")]
    admin_secret_file: Option<PathBuf>,

    /// Listen address of the paywall. Requires --paywall-routes [default: disabled]
    #[arg(long, value_name = "IP:PORT", value_parser = parse_listen)]
    paywall_listen: Option<SocketAddr>,

    /// TOML file with the paywall's upstream server and the prices of its routes
    #[arg(long, value_name = "FILE")]
    paywall_routes: Option<PathBuf>,

    /// OTLP/HTTP endpoint for request traces [default: disabled]
    #[arg(long, value_name = "URL")]
    traces_endpoint: Option<String>,

    /// Authority of the operator, an address or a keypair file [default: that of the keypair]
    #[arg(long, value_name = "ADDRESS|FILE")]
    operator: Option<AccountReference>,

    /// Keypair file of the operator's receipt key [default: the keypair]
    #[arg(long, value_name = "FILE")]
    receipt_keypair: Option<PathBuf>,

    /// Store: an SQLite file, created if missing, or a postgres:// URL [default:
    /// motif-gateway.sqlite]
    #[arg(long, value_name = "FILE|URL")]
    store: Option<PathBuf>,

    /// Frame of the store's journal that this start may drop, as named by the error of a failed
    /// start. Its contents are lost and logged. May be repeated
    #[arg(long = "skip-frame", value_name = "NUMBER")]
    skip_frames: Vec<u64>,

    /// Accept another digest key than the store's, and revoke all API keys. For a digest key that is lost or
    /// no longer secret
    #[arg(long)]
    replace_digest_key: bool,

    /// Minimum operator fee of a channel, in basis points on top of prices [default: 200]
    #[arg(long, value_name = "BPS", value_parser = clap::value_parser!(u16).range(..=5_000))]
    operator_fee_bps: Option<u16>,

    /// Minimum grace period of a channel [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    min_grace_seconds: Option<u32>,

    /// Minimum remaining validity of vouchers and licenses [default: 600]
    #[arg(long, value_name = "SECONDS")]
    min_voucher_seconds: Option<u32>,

    /// Serve only channels in these mints [default: all mints]
    #[arg(long, value_name = "MINT")]
    mint: Vec<Pubkey>,

    /// Settle a channel when it owes this amount, in base units such as 5000000u
    ///
    /// The amount applies to every mint, so it has no whole tokens.
    #[arg(long, value_name = "BASE_UNITS", value_parser = parse_base_units)]
    settle_at_amount: Option<u64>,

    /// Settle a channel when its oldest unsettled generation is this old [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    settle_at_age_seconds: Option<u32>,

    /// Settle a channel when it has this many unsettled receipts [default: 500000]
    #[arg(long, value_name = "RECEIPTS")]
    settle_at_receipts: Option<u32>,
}

impl SettingsArgs {
    /// Reads the settings from options, environment and file, with what each of them named.
    ///
    /// # Errors
    /// All invalid settings at once.
    pub fn read_layers(self, session: &Session) -> Result<(GatewayConfig, Layers), Faults> {
        let operator = self.operator.map(|operator| operator.address()).transpose();
        let operator = operator.map_err(|error| {
            let mut faults = Faults::default();
            faults.add("operator", "a flag", error);
            faults
        })?;
        let mut layers = Layers::default();
        if let Some(path) = &self.config {
            layers.file(path);
        }
        layers.environment(std::env::vars_os().filter_map(|(name, text)| {
            // No setting has a value that is not UTF-8.
            Some((name.into_string().ok()?, text.into_string().ok()?))
        }));
        let text = |value: Option<u64>| value.map(|value| value.to_string());
        let path = |path: Option<PathBuf>| path.map(|path| path.display().to_string());
        let frames: Vec<_> = self.skip_frames.iter().map(ToString::to_string).collect();
        let frames = (!frames.is_empty()).then(|| frames.join(","));
        let mints: Vec<_> = self.mint.iter().map(ToString::to_string).collect();
        let mints = (!mints.is_empty()).then(|| mints.join(","));
        for (key, given) in [
            ("rpc_url", session.given_rpc_url()),
            ("keypair", path(session.given_keypair())),
            ("operator", operator.map(|operator| operator.to_string())),
            ("keys.receipt", path(self.receipt_keypair)),
            ("listen", self.listen.map(|address| address.to_string())),
            ("admin.listen", self.admin_listen.map(|address| address.to_string())),
            ("admin.secret_file", path(self.admin_secret_file)),
            ("paywall.listen", self.paywall_listen.map(|address| address.to_string())),
            ("paywall.routes", path(self.paywall_routes)),
            ("traces.endpoint", self.traces_endpoint),
            ("store", path(self.store)),
            ("skip_frames", frames),
            ("replace_digest_key", self.replace_digest_key.then(|| "true".to_owned())),
            ("operator_fee_bps", text(self.operator_fee_bps.map(u64::from))),
            ("min_grace_seconds", text(self.min_grace_seconds.map(u64::from))),
            ("min_voucher_seconds", text(self.min_voucher_seconds.map(u64::from))),
            ("mints", mints),
            ("settle.at_amount", text(self.settle_at_amount)),
            ("settle.at_age_seconds", text(self.settle_at_age_seconds.map(u64::from))),
            ("settle.at_receipts", text(self.settle_at_receipts.map(u64::from))),
            ("settle.priority_fee", session.given_priority_fee().map(|fee| fee.to_string())),
        ] {
            layers.flag(key, given);
        }
        if layers.given("listen").is_none() {
            // Clients on this machine look for the gateway at --gateway-url.
            let own = address_of(session.gateway_url()).map(|address| address.to_string());
            layers.flag("listen", own);
        }
        if layers.given("rpc_url").is_none() {
            layers.flag("rpc_url", session.solana_rpc_url());
        }
        let default = session.keypair_path();
        if layers.given("keypair").is_none() {
            layers.flag("keypair", path(default.as_ref().ok().cloned()));
        }
        let keypair = layers.given("keypair").map(PathBuf::from).map_or(default, Ok);
        let keypair = keypair.map_err(|error| error.to_string());
        let keypair = keypair.and_then(|path| keypair::read(&path).map_err(|e| e.to_string()));
        let config = GatewayConfig::read(&layers, keypair)?;
        Ok((config, layers))
    }
}

/// Returns the listen address of a URL, unless the URL names another host.
fn address_of(url: &str) -> Option<SocketAddr> {
    let url = Url::parse(url).ok()?;
    let ip = match url.host()? {
        Host::Ipv4(ip) => ip.into(),
        Host::Ipv6(ip) => ip.into(),
        Host::Domain("localhost") => Ipv4Addr::LOCALHOST.into(),
        Host::Domain(_) => return None,
    };
    Some(SocketAddr::new(ip, url.port_or_known_default()?))
}

fn parse_listen(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "expected IP:PORT such as 127.0.0.1:8787")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_address_is_taken_from_the_url() {
        for (url, address) in [
            ("http://127.0.0.1:8787", Some("127.0.0.1:8787")),
            ("http://localhost:1234/", Some("127.0.0.1:1234")),
            ("https://gateway.example", None),
        ] {
            let expected = address.map(|address| address.parse().unwrap());
            assert_eq!(address_of(url), expected, "{url}");
        }
    }
}
