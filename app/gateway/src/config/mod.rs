//! Configuration: one struct, read from a file, the environment and flags.
//!
//! - [`GatewayConfig`]: the struct; [`Limits`], [`SettlePolicy`], [`AdminConfig`],
//!   [`PaywallListener`], [`TraceConfig`]: its parts.
//! - [`KeyConfig`], [`KeySource`]: keys of the operator, and where they are.
//! - [`Layers`]: given values by source; [`SETTINGS`]: all settings.
//! - [`Faults`]: all invalid settings at once.
//! - [`Secret`]: a text that is never shown.

mod admin;
mod effective;
mod events;
mod faucet;
mod fault;
mod host;
mod hosted_files;
mod keys;
mod layers;
mod limits;
mod origin;
mod paywall;
mod read;
mod sales;
mod secret;
mod setting;
mod settle;
mod sponsor;
mod store;
mod traces;
mod warnings;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use ipnet::IpNet;
use motif_sdk::{Pubkey, channel::Channel, fingerprint::DecodingWorker, operator::Operator};
use solana_keypair::Keypair;

use crate::{admission::ForwardingHeader, chain::Endpoint, ledger::Margins};

pub use admin::AdminConfig;
pub use effective::effective;
pub use events::EventsConfig;
pub use faucet::{Faucet, FaucetHandle};
pub use fault::{Fault, Faults};
pub use hosted_files::HostingConfig;
pub use keys::{InvalidKeySource, KeyConfig, KeySource, RotatingKey};
pub use layers::Layers;
pub use limits::{Limits, Rate};
pub use origin::Origin;
pub use paywall::PaywallListener;
pub use sales::SalesConfig;
pub use secret::{Secret, WeakSecret};
pub use setting::{SETTINGS, Setting, UnknownSetting, example};
pub use settle::SettlePolicy;
pub use sponsor::SponsorConfig;
pub use store::{DatabaseUrl, StorePlace};
pub use traces::TraceConfig;

/// Configuration of a gateway.
#[derive(Clone)]
pub struct GatewayConfig {
    /// URLs of the cluster's JSON-RPC nodes, in order of preference. They may contain a provider's
    /// key and are never shown whole.
    pub rpc_urls: Vec<String>,
    /// Authority of the operator that channels name.
    pub operator: Pubkey,
    /// Keys of the operator that this process signs with.
    pub keys: KeyConfig,
    /// Location of the store.
    pub store: StorePlace,
    /// Frames of the store's journal that may be dropped if they cannot be written into the tables.
    pub skip_frames: Vec<u64>,
    /// URL of this process, to which other processes on the same store redirect clients; `None`
    /// for the listen address.
    pub public_url: Option<String>,
    /// Duration of a channel's lease.
    pub lease: Duration,
    /// Time between the failure of readiness and the end of the listeners at shutdown.
    pub drain: Duration,
    /// Listen address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Admin listener; `None` to disable it.
    pub admin: Option<AdminConfig>,
    /// Minimum operator fee of a channel, basis points on top of prices.
    pub operator_fee_bps: u16,
    /// Minimum grace period of a channel, seconds.
    pub min_grace_seconds: u32,
    /// Minimum remaining validity of vouchers and licenses, which leaves time to settle, seconds.
    pub min_voucher_seconds: u32,
    /// Time by which vouchers outlast `min_voucher_seconds`, seconds: a channel settles at most once in
    /// that time because of expiring vouchers.
    pub min_useful_seconds: u32,
    /// Minimum price of a generation, base units.
    pub min_price: u64,
    /// Minimum deposit of a channel, base units.
    pub min_deposit: u64,
    /// Served mints; empty for all, which a public listener does not allow.
    pub mints: Vec<Pubkey>,
    /// Whether API keys are required.
    pub api_keys_required: bool,
    /// Web origins that may call the gateway from a browser.
    pub cors_origins: Vec<Origin>,
    /// Networks of proxies whose forwarding header is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Header in which trusted proxies name the client.
    pub forwarding_header: ForwardingHeader,
    /// Maximum age of works, terms and prices that are shown and sold, seconds; at most
    /// [`GatewayConfig::MAX_SALES_CATALOGUE_SECONDS`] with sales.
    pub catalogue_seconds: u32,
    /// Worker process that decodes content.
    pub decoding: DecodingWorker,
    /// Limits of clients.
    pub limits: Limits,
    /// Settlement policy.
    pub settle: SettlePolicy,
    /// Paywall in front of a model server; `None` to disable it.
    pub paywall: Option<PaywallListener>,
    /// Sales without a channel; `None` to disable them.
    pub sales: Option<SalesConfig>,
    /// Exporter of traces; `None` to disable it.
    pub traces: Option<TraceConfig>,
    /// Whether browsers find the studio, and a relay to the cluster, on the API's listener.
    pub studio: bool,
    /// Hosting of works' metadata and pictures; `None` to disable it.
    pub hosting: Option<HostingConfig>,
    /// Events that creators and payers are told; `None` to tell none.
    pub events: Option<EventsConfig>,
    /// Source of test tokens for the studio; `None` except on a localnet.
    pub faucet: Option<FaucetHandle>,
    /// Payment of creators' fees and rent; `None` to pay none.
    pub sponsor: Option<SponsorConfig>,
}

impl GatewayConfig {
    /// Maximum operator fee in basis points.
    pub const MAX_FEE_BPS: u16 = 5_000;
    /// Maximum of [`GatewayConfig::catalogue_seconds`] with sales. A price that was replaced on chain is
    /// sold for that long, and its payment has to land within 120 seconds of the replacement to prove the
    /// sale: an answer takes up to 40 of them, and a blockhash lives about 60.
    pub const MAX_SALES_CATALOGUE_SECONDS: u32 = 20;

    /// Creates a configuration of an operator with one key for everything, with a free loopback port, no fee, a grace period of at least one
    /// hour, vouchers valid for at least ten minutes, all mints, no admin listener, and the
    /// default limits and policy.
    pub fn new(rpc_url: &str, keypair: Arc<Keypair>, store: impl Into<StorePlace>) -> Self {
        let keys = KeyConfig::from_keypair(&keypair);
        Self {
            rpc_urls: vec![rpc_url.to_owned()],
            operator: keys.fee_payer.public_key(),
            keys,
            store: store.into(),
            skip_frames: Vec::new(),
            public_url: None,
            lease: Duration::from_secs(10),
            drain: Duration::ZERO,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            admin: None,
            operator_fee_bps: 0,
            min_grace_seconds: 3_600,
            min_voucher_seconds: 600,
            min_useful_seconds: 3_000,
            min_price: 0,
            min_deposit: 0,
            mints: Vec::new(),
            api_keys_required: false,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            forwarding_header: ForwardingHeader::default(),
            catalogue_seconds: 5,
            decoding: DecodingWorker::default(),
            limits: Limits::default(),
            settle: SettlePolicy::default(),
            paywall: None,
            sales: None,
            traces: None,
            studio: true,
            hosting: None,
            events: None,
            faucet: None,
            sponsor: None,
        }
    }

    /// Returns the ledger's margins.
    pub(crate) fn margins(&self) -> Margins {
        Margins {
            min_voucher_seconds: self.min_voucher_seconds,
            min_useful_seconds: self.min_useful_seconds,
            min_price: self.min_price,
            max_exposure: self.settle.max_exposure,
            max_licenses: self.keys.max_licenses(),
        }
    }

    /// Returns contradictory and invalid settings.
    pub fn faults(&self) -> Faults {
        let mut faults = Faults::default();
        let mut check = |holds: bool, key: &str, what: &str| {
            if !holds {
                faults.add(key, "", what);
            }
        };
        let is_url = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        let are_urls = !self.rpc_urls.is_empty() && self.rpc_urls.iter().all(is_url);
        check(are_urls, "rpc_url", "each must begin with http:// or https://");
        let fee = self.operator_fee_bps;
        check(fee <= Self::MAX_FEE_BPS, "operator_fee_bps", "must be at most 5000");
        check(
            self.min_voucher_seconds < self.min_grace_seconds,
            "min_voucher_seconds",
            "must be less than min_grace_seconds: the last voucher must settle within the grace period",
        );
        let longest = Channel::MAX_GRACE_SECONDS;
        check(self.min_grace_seconds <= longest, "min_grace_seconds", "must be at most 30 days");
        let url = self.public_url.as_deref().unwrap_or("http://");
        let is_http = url.starts_with("http://") || url.starts_with("https://");
        check(is_http, "public_url", "must begin with http:// or https://");
        let fits = url.len() <= Operator::MAX_URL_BYTES;
        check(
            fits,
            "public_url",
            "must have at most 128 bytes, as the operator's account has room for",
        );
        let is_printable = !url.chars().any(|one| one.is_control() || one.is_whitespace());
        check(is_printable, "public_url", "must have no control characters and no spaces");
        let is_shared = self.store.file().is_none();
        let findable = self.public_url.is_some() || !self.listen.ip().is_unspecified();
        check(
            findable || !is_shared,
            "public_url",
            "required on a shared store that listens on an unspecified address",
        );
        let paywall = self.paywall.as_ref().map(|paywall| paywall.listen);
        let mut listeners = [Some(self.listen), paywall].into_iter().flatten();
        check(
            !self.mints.is_empty() || listeners.all(|listen| listen.ip().is_loopback()),
            "mints",
            "required on a public listener: a worthless mint pays for nothing",
        );
        check(self.drain <= Duration::from_secs(600), "drain_seconds", "must be at most 600");
        let lasts = !self.lease.is_zero() && self.lease <= Duration::from_secs(600);
        check(lasts, "lease_seconds", "must be 1 to 600");
        let own = self.admin.as_ref().is_none_or(|admin| admin.listen != self.listen);
        let own = own || self.listen.port() == 0;
        check(own, "admin.listen", "must differ from `listen`");
        check(
            !self.api_keys_required || self.admin.is_some(),
            "api_keys.required",
            "requires admin.listen, where keys are created",
        );
        self.keys.check(&self.operator, &self.store, &mut check);
        self.limits.check(&mut check);
        self.settle.check(&mut check);
        if let Some(paywall) = &self.paywall {
            paywall.check(&mut check);
            let taken = [Some(self.listen), self.admin.as_ref().map(|admin| admin.listen)];
            let own = paywall.listen.port() == 0 || !taken.contains(&Some(paywall.listen));
            check(own, "paywall.listen", "must differ from the other listeners");
        }
        if let Some(sales) = &self.sales {
            sales.check(&mut check);
            let fee = sales.fee_bps.unwrap_or(0);
            check(fee <= Self::MAX_FEE_BPS, "sales.fee_bps", "must be at most 5000");
            let is_recent = self.catalogue_seconds <= Self::MAX_SALES_CATALOGUE_SECONDS;
            let what =
                "must be at most 20 with sales, which are paid within 120 seconds of a new price";
            check(is_recent, "catalogue_seconds", what);
        }
        if let Some(traces) = &self.traces {
            traces.check(&mut check);
        }
        if let Some(events) = &self.events {
            events.check(&mut check);
        }
        faults
    }
}

impl fmt::Debug for GatewayConfig {
    /// Hides secrets: shows the keys' addresses and the nodes' hosts.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GatewayConfig")
            .field("rpc", &self.rpc_urls.iter().map(|url| Endpoint::new(url)).collect::<Vec<_>>())
            .field("operator", &self.operator)
            .field("keys", &self.keys)
            .field("store", &self.store)
            .field("skip_frames", &self.skip_frames)
            .field("public_url", &self.public_url)
            .field("lease", &self.lease)
            .field("drain", &self.drain)
            .field("listen", &self.listen)
            .field("admin", &self.admin)
            .field("operator_fee_bps", &self.operator_fee_bps)
            .field("min_grace_seconds", &self.min_grace_seconds)
            .field("min_voucher_seconds", &self.min_voucher_seconds)
            .field("min_useful_seconds", &self.min_useful_seconds)
            .field("min_price", &self.min_price)
            .field("min_deposit", &self.min_deposit)
            .field("mints", &self.mints)
            .field("api_keys_required", &self.api_keys_required)
            .field("cors_origins", &self.cors_origins)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("forwarding_header", &self.forwarding_header)
            .field("catalogue_seconds", &self.catalogue_seconds)
            .field("decoding", &self.decoding)
            .field("limits", &self.limits)
            .field("settle", &self.settle)
            .field("paywall", &self.paywall)
            .field("sales", &self.sales)
            .field("traces", &self.traces)
            .field("studio", &self.studio)
            .field("hosting", &self.hosting)
            .field("events", &self.events)
            .field("faucet", &self.faucet)
            .field("sponsor", &self.sponsor)
            .finish()
    }
}
