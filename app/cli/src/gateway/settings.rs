use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use motif_gateway::{
    GatewayConfig,
    config::{Faults, Layers},
};
use motif_sdk::{Pubkey, keypair};

use crate::session::Session;

/// How a gateway is configured. A flag goes before a variable of the environment, and that
/// before the file; `motif gateway check --example` prints a file with everything there is.
#[derive(Args)]
pub struct SettingsArgs {
    /// TOML file with settings.
    #[arg(long, value_name = "FILE", env = "MOTIF_GATEWAY_CONFIG")]
    config: Option<PathBuf>,

    /// Where to listen; port 0 takes a free one [default: the address of --gateway-url].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// Where operators are listened to; takes a secret, too [default: nowhere].
    #[arg(long, value_name = "ADDRESS:PORT")]
    admin_listen: Option<SocketAddr>,

    /// File with the operators' secret, 32 bytes at least.
    #[arg(long, value_name = "FILE")]
    admin_secret_file: Option<PathBuf>,

    /// Where a model server is sold; takes --paywall-routes, too [default: nowhere].
    #[arg(long, value_name = "ADDRESS:PORT")]
    paywall_listen: Option<SocketAddr>,

    /// TOML file with the server behind and what its routes cost.
    #[arg(long, value_name = "FILE")]
    paywall_routes: Option<PathBuf>,

    /// OTLP/HTTP URL that traces of requests go to [default: nowhere].
    #[arg(long, value_name = "URL")]
    traces_endpoint: Option<String>,

    /// Its store: a file, created where there is none and gone on with where there is, or a
    /// postgres:// URL [default: motif-gateway.sqlite].
    #[arg(long, value_name = "PLACE")]
    store: Option<PathBuf>,

    /// The fee a channel must give, basis points on top of prices [default: 200].
    #[arg(long, value_name = "BPS", value_parser = clap::value_parser!(u16).range(..=5_000))]
    operator_fee_bps: Option<u16>,

    /// The least grace period a channel must have [default: 3600].
    #[arg(long, value_name = "SECONDS")]
    min_grace_seconds: Option<u32>,

    /// The least time vouchers and licenses must still be valid for [default: 600].
    #[arg(long, value_name = "SECONDS")]
    min_voucher_seconds: Option<u32>,

    /// Serve only channels in these mints [default: any].
    #[arg(long, value_name = "MINT")]
    mint: Vec<Pubkey>,

    /// Settle a channel once it owes this many base units more.
    #[arg(long, value_name = "BASE_UNITS")]
    settle_at_amount: Option<u64>,

    /// Settle a channel once its oldest open generation is this old [default: 3600].
    #[arg(long, value_name = "SECONDS")]
    settle_at_age_seconds: Option<u32>,

    /// Settle a channel once it has this many open receipts [default: 500000].
    #[arg(long, value_name = "RECEIPTS")]
    settle_at_receipts: Option<u32>,
}

impl SettingsArgs {
    /// Reads everything that was given.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn read(self, session: &Session) -> Result<GatewayConfig, Faults> {
        let mut layers = Layers::default();
        if let Some(path) = &self.config {
            layers.file(path);
        }
        layers.environment(std::env::vars_os().filter_map(|(name, text)| {
            // What is no text is nothing that a gateway reads.
            Some((name.into_string().ok()?, text.into_string().ok()?))
        }));
        let text = |value: Option<u64>| value.map(|value| value.to_string());
        let path = |path: Option<PathBuf>| path.map(|path| path.display().to_string());
        let mints: Vec<_> = self.mint.iter().map(ToString::to_string).collect();
        let mints = (!mints.is_empty()).then(|| mints.join(","));
        for (key, given) in [
            ("rpc_url", session.given_rpc_url()),
            ("keypair", path(session.given_keypair())),
            ("listen", self.listen.map(|address| address.to_string())),
            ("admin.listen", self.admin_listen.map(|address| address.to_string())),
            ("admin.secret_file", path(self.admin_secret_file)),
            ("paywall.listen", self.paywall_listen.map(|address| address.to_string())),
            ("paywall.routes", path(self.paywall_routes)),
            ("traces.endpoint", self.traces_endpoint),
            ("store", path(self.store)),
            ("operator_fee_bps", text(self.operator_fee_bps.map(u64::from))),
            ("min_grace_seconds", text(self.min_grace_seconds.map(u64::from))),
            ("min_voucher_seconds", text(self.min_voucher_seconds.map(u64::from))),
            ("mints", mints),
            ("settle.at_amount", text(self.settle_at_amount)),
            ("settle.at_age_seconds", text(self.settle_at_age_seconds.map(u64::from))),
            ("settle.at_receipts", text(self.settle_at_receipts.map(u64::from))),
        ] {
            layers.flag(key, given);
        }
        if layers.given("listen").is_none() {
            // A gateway on this machine is found where its clients look for it.
            let own = address_of(session.gateway_url()).map(|address| address.to_string());
            layers.flag("listen", own);
        }
        let keypair = layers.given("keypair").map(PathBuf::from);
        let keypair = keypair.map_or_else(|| session.keypair_path(), Ok);
        let operator = keypair.map_err(|error| error.to_string());
        let operator = operator.and_then(|path| keypair::read(&path).map_err(|e| e.to_string()));
        GatewayConfig::read(&layers, operator)
    }
}

/// The address a URL names, if it names one.
fn address_of(url: &str) -> Option<SocketAddr> {
    let authority = url.split("://").nth(1).unwrap_or(url).split('/').next().unwrap_or_default();
    authority.replace("localhost", "127.0.0.1").parse().ok()
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
            assert_eq!(address_of(url), expected, "{url}");
        }
    }
}
