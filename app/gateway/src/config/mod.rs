//! How a gateway runs: one structure, filled from a file, the environment and flags.
//!
//! - [`GatewayConfig`]: the structure; [`Limits`], [`SettlePolicy`], [`AdminConfig`],
//!   [`PaywallConfig`], [`TraceConfig`]: its parts.
//! - [`Layers`]: what was given where, and [`SETTINGS`]: everything that can be given.
//! - [`Faults`]: everything that is wrong with it, at once.
//! - [`Secret`]: what is never shown.

mod admin;
mod fault;
mod layers;
mod limits;
mod origin;
mod paywall;
mod reading;
mod secret;
mod setting;
mod settle;
mod store;
mod traces;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use ipnet::IpNet;
use motif_sdk::{Pubkey, fingerprint::DecodingWorker};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{chain::Endpoint, ledger::Margins};

pub use admin::AdminConfig;
pub use fault::{Fault, Faults};
pub use layers::Layers;
pub use limits::{Limits, Rate};
pub use origin::Origin;
pub use paywall::PaywallConfig;
pub use secret::{Secret, WeakSecret};
pub use setting::{NoSuchSetting, SETTINGS, Setting, example};
pub use settle::SettlePolicy;
pub use store::{DatabaseUrl, StorePlace};
pub use traces::TraceConfig;

/// How a gateway runs.
#[derive(Clone)]
pub struct GatewayConfig {
    /// JSON-RPC nodes of the cluster, the preferred one first. They may hold a provider's key:
    /// they are never shown whole.
    pub rpc_urls: Vec<String>,
    /// Signs receipts and settlements, and pays for transactions.
    pub operator: Arc<Keypair>,
    /// Where it keeps what it must not lose.
    pub store: StorePlace,
    /// Where clients find this process; other processes on the same store send them here. `None`
    /// for where it listens.
    pub public_url: Option<String>,
    /// How long a channel stays this process's when nothing is heard of it.
    pub lease: Duration,
    /// Where to listen; port 0 for any free one.
    pub listen: SocketAddr,
    /// Where operators are listened to, and how they prove themselves; `None` for nowhere.
    pub admin: Option<AdminConfig>,
    /// The least fee a channel must give, on top of prices.
    pub operator_fee_bps: u16,
    /// The least grace period a channel must have.
    pub min_grace_seconds: u32,
    /// The least a voucher and its license must still be valid for: time to settle in.
    pub min_voucher_seconds: u32,
    /// Mints it serves channels of; empty for any.
    pub mints: Vec<Pubkey>,
    /// Whether only holders of API keys are served.
    pub api_keys_required: bool,
    /// Pages of these origins may ask from a browser.
    pub cors_origins: Vec<Origin>,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Who decodes what is to be recognised.
    pub decoding: DecodingWorker,
    /// What one client may take.
    pub limits: Limits,
    /// When to settle without being asked.
    pub settle: SettlePolicy,
    /// A price in front of a model server; `None` for none.
    pub paywall: Option<PaywallConfig>,
    /// Where traces of requests go; `None` for nowhere.
    pub traces: Option<TraceConfig>,
}

impl GatewayConfig {
    /// The greatest fee a gateway may ask for.
    pub const MAX_FEE_BPS: u16 = 5_000;

    /// A gateway on a free loopback port that takes no fee, with an hour of grace, vouchers
    /// valid for ten minutes at least, any mint, nobody to administer it, and the default
    /// limits and policy.
    pub fn new(rpc_url: &str, operator: Arc<Keypair>, store: impl Into<StorePlace>) -> Self {
        Self {
            rpc_urls: vec![rpc_url.to_owned()],
            operator,
            store: store.into(),
            public_url: None,
            lease: Duration::from_secs(10),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            admin: None,
            operator_fee_bps: 0,
            min_grace_seconds: 3_600,
            min_voucher_seconds: 600,
            mints: Vec::new(),
            api_keys_required: false,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            decoding: DecodingWorker::default(),
            limits: Limits::default(),
            settle: SettlePolicy::default(),
            paywall: None,
            traces: None,
        }
    }

    /// What it leaves time and room for.
    pub(crate) fn margins(&self) -> Margins {
        let (min_voucher_seconds, max_exposure) =
            (self.min_voucher_seconds, self.settle.max_exposure);
        Margins { min_voucher_seconds, max_exposure }
    }

    /// Everything in it that contradicts something else, or could not work.
    pub fn faults(&self) -> Faults {
        let mut faults = Faults::default();
        let mut check = |holds: bool, key: &str, what: &str| {
            if !holds {
                faults.add(key, "", what);
            }
        };
        let is_url = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        let are_urls = !self.rpc_urls.is_empty() && self.rpc_urls.iter().all(is_url);
        check(are_urls, "rpc_url", "must begin with http:// or https://, each of them");
        let fee = self.operator_fee_bps;
        check(fee <= Self::MAX_FEE_BPS, "operator_fee_bps", "must be 5000 at most");
        check(
            self.min_voucher_seconds < self.min_grace_seconds,
            "min_voucher_seconds",
            "must be less than min_grace_seconds: what is taken last must settle in the grace",
        );
        let is_url = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        let found = self.public_url.as_ref().is_none_or(is_url);
        check(found, "public_url", "must begin with http:// or https://");
        let is_shared = self.store.file().is_none();
        let findable = self.public_url.is_some() || !self.listen.ip().is_unspecified();
        check(
            findable || !is_shared,
            "public_url",
            "is needed on a shared store: no client finds an unspecified address",
        );
        let lasts = !self.lease.is_zero() && self.lease <= Duration::from_secs(600);
        check(lasts, "lease_seconds", "must be 1 to 600");
        let own = self.admin.as_ref().is_none_or(|admin| admin.listen != self.listen);
        let own = own || self.listen.port() == 0;
        check(own, "admin.listen", "must be another address than `listen`");
        check(
            !self.api_keys_required || self.admin.is_some(),
            "api_keys.required",
            "needs admin.listen: keys are made there",
        );
        self.limits.check(&mut check);
        self.settle.check(&mut check);
        if let Some(paywall) = &self.paywall {
            paywall.check(&mut check);
            let taken = [Some(self.listen), self.admin.as_ref().map(|admin| admin.listen)];
            let own = paywall.listen.port() == 0 || !taken.contains(&Some(paywall.listen));
            check(own, "paywall.listen", "must be another address than the other listeners'");
        }
        if let Some(traces) = &self.traces {
            traces.check(&mut check);
        }
        faults
    }
}

impl fmt::Debug for GatewayConfig {
    /// Without anything secret: the operator's address for its key, the node's host for its URL.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GatewayConfig")
            .field("rpc", &self.rpc_urls.iter().map(|url| Endpoint::new(url)).collect::<Vec<_>>())
            .field("operator", &self.operator.pubkey())
            .field("store", &self.store)
            .field("public_url", &self.public_url)
            .field("lease", &self.lease)
            .field("listen", &self.listen)
            .field("admin", &self.admin)
            .field("operator_fee_bps", &self.operator_fee_bps)
            .field("min_grace_seconds", &self.min_grace_seconds)
            .field("min_voucher_seconds", &self.min_voucher_seconds)
            .field("mints", &self.mints)
            .field("api_keys_required", &self.api_keys_required)
            .field("cors_origins", &self.cors_origins)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("decoding", &self.decoding)
            .field("limits", &self.limits)
            .field("settle", &self.settle)
            .field("paywall", &self.paywall)
            .field("traces", &self.traces)
            .finish()
    }
}
