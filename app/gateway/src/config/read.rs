use std::{fmt::Display, path::PathBuf, str::FromStr, time::Duration};

use motif_paywall::{PaidRoutes, PaywallConfig, SaleConfig, SaleNetwork};
use motif_sdk::{Pubkey, client::PriorityFee, fingerprint::DecodingWorker};
use solana_keypair::Keypair;

use crate::admission::ForwardingHeader;

use super::{
    AdminConfig, EventsConfig, Faults, GatewayConfig, HostingConfig, KeyConfig, KeySource, Layers,
    Limits, PaywallListener, Rate, RotatingKey, SalesConfig, Secret, Setting, SettlePolicy,
    SponsorConfig, StorePlace, TraceConfig, keys::OpenKey,
};

impl GatewayConfig {
    /// Reads a configuration from its layers. `keypair` is the result of reading the file of the
    /// setting `keypair`, which is not needed if `keys.settle` is set.
    ///
    /// # Errors
    /// All faults at once.
    pub fn read(layers: &Layers, keypair: Result<Keypair, String>) -> Result<Self, Faults> {
        let mut reader = Reader { layers, faults: layers.faults() };
        let (operator, mut keys) = reader.keys(keypair);
        let sponsor = reader.sponsor(&mut keys);
        let config = Self {
            rpc_urls: reader.list_or_default("rpc_url"),
            operator,
            keys,
            store: reader.one("store"),
            skip_frames: reader.list("skip_frames"),
            replace_digest_key: reader.one("replace_digest_key"),
            public_url: reader.maybe("public_url"),
            lease: Duration::from_secs(reader.one("lease_seconds")),
            drain: Duration::from_secs(reader.one("drain_seconds")),
            listen: reader.one("listen"),
            admin: reader.admin(),
            operator_fee_bps: reader.one("operator_fee_bps"),
            min_grace_seconds: reader.one("min_grace_seconds"),
            min_voucher_seconds: reader.one("min_voucher_seconds"),
            min_useful_seconds: reader.one("min_useful_seconds"),
            min_price: reader.one("min_price"),
            min_deposit: reader.one("min_deposit"),
            mints: reader.list::<Pubkey>("mints"),
            api_keys_required: reader.one("api_keys.required"),
            cors_origins: reader.list("cors.origins"),
            trusted_proxies: reader.list("proxies.trusted"),
            forwarding_header: reader.one("proxies.header"),
            catalogue_seconds: reader.one("catalogue_seconds"),
            decoding: DecodingWorker::default(),
            limits: reader.limits(),
            settle: reader.settle(),
            paywall: reader.paywall(),
            sales: reader.sales(),
            traces: reader.traces(),
            studio: reader.one("studio"),
            hosting: reader.hosting(),
            events: reader.events(),
            faucet: None,
            sponsor,
        };
        if config.keys.authority.is_none() {
            reader.refuse_account_settings();
        }
        let mut faults = reader.faults;
        if faults.is_empty() {
            faults.extend(config.faults());
        }
        faults.or(config)
    }
}

struct Reader<'a> {
    layers: &'a Layers,
    faults: Faults,
}

/// Value of a setting that could not be read. It is never used, because of the fault.
trait Placeholder {
    fn placeholder() -> Self;
}

macro_rules! placeholders {
    ($($type:ty = $value:expr),* $(,)?) => {$(
        impl Placeholder for $type {
            fn placeholder() -> Self {
                $value
            }
        }
    )*};
}

placeholders! {
    String = String::new(),
    PathBuf = PathBuf::new(),
    StorePlace = StorePlace::File(PathBuf::new()),
    std::net::SocketAddr = std::net::SocketAddr::from(([0; 4], 0)),
    u16 = 1,
    u32 = 1,
    u64 = 1,
    bool = false,
    ForwardingHeader = ForwardingHeader::default(),
    PriorityFee = PriorityFee::Off,
    SaleNetwork = SaleNetwork::Mainnet,
}

impl Reader<'_> {
    /// Adds a fault for each given setting that only the operator's authority can put into effect.
    fn refuse_account_settings(&mut self) {
        for (key, flag) in
            [("operator_fee_bps", "--fee-bps"), ("min_grace_seconds", "--min-grace-seconds")]
        {
            if let Some(given) = self.layers.get(key) {
                let what = format!(
                    "the operator's account sets it: leave it out, and change it with `motif \
                     operator update {flag}`"
                );
                self.faults.add(key, &given.place, what);
            }
        }
    }

    /// Reads a setting with a default.
    fn one<T>(&mut self, key: &'static str) -> T
    where
        T: FromStr<Err: Display> + Placeholder,
    {
        if let Some(value) = self.maybe(key) {
            return value;
        }
        let default = Setting::from_key(key).map_or("", |setting| setting.default);
        default.trim_matches('"').parse().unwrap_or_else(|_| T::placeholder())
    }

    /// Reads an optional setting.
    fn maybe<T>(&mut self, key: &'static str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        let given = self.layers.get(key)?;
        let [text] = &given.texts[..] else {
            self.faults.add(key, &given.place, "expected one value, not a list");
            return None;
        };
        match text.trim().parse() {
            Ok(value) => Some(value),
            Err(_) if key.ends_with("listen") => {
                let what = "expected an IP address and a port, such as 127.0.0.1:8787";
                self.faults.add(key, &given.place, what);
                None
            }
            Err(error) => {
                self.faults.add(key, &given.place, error);
                None
            }
        }
    }

    /// Reads the keys of the operator. Returns its authority and the keys.
    fn keys(&mut self, keypair: Result<Keypair, String>) -> (Pubkey, KeyConfig) {
        let mut files = Vec::new();
        if let Some(path) = self.layers.given("keypair") {
            files.push(("keypair", PathBuf::from(path)));
        }
        let settle = self.key("keys.settle", &mut files).unwrap_or_else(|| {
            let keypair = keypair.unwrap_or_else(|error| {
                self.faults.add("keypair", "", error);
                Keypair::new_from_array([0; 32]) // never used, because of the fault
            });
            OpenKey::from(&keypair)
        });
        let mut signer = |key| self.key(key, &mut files).map(|open| open.signer);
        let [next_settle, receipt, next_receipt, fee_payer, authority] =
            ["next_settle", "receipt", "next_receipt", "fee_payer", "authority"].map(|name| {
                let setting = format!("keys.{name}");
                Setting::from_key(&setting).and_then(|setting| signer(setting.key))
            });
        let OpenKey { signer: settle, derived_digest } = settle;
        let digest_file: Option<PathBuf> = self.maybe("keys.digest_file");
        files.extend(digest_file.iter().map(|path| ("keys.digest_file", path.clone())));
        let operator = self.maybe("operator");
        let operator = operator.or_else(|| Some(authority.as_ref()?.public_key()));
        let operator = operator.unwrap_or_else(|| settle.public_key());
        let own = || (settle.public_key() == operator).then(|| settle.clone());
        let keys = KeyConfig {
            authority: authority.or_else(own),
            fee_payer: fee_payer.unwrap_or_else(|| settle.clone()),
            receipt: RotatingKey {
                present: receipt.unwrap_or_else(|| settle.clone()),
                next: next_receipt,
            },
            settle: RotatingKey { present: settle, next: next_settle },
            digest_file,
            derived_digest,
            account: None,
            files,
        };
        (operator, keys)
    }

    /// Opens the key that a setting names.
    fn key(
        &mut self,
        key: &'static str,
        files: &mut Vec<(&'static str, PathBuf)>,
    ) -> Option<OpenKey> {
        let source: KeySource = self.maybe(key)?;
        files.extend(source.file().map(|path| (key, path.to_owned())));
        match source.open() {
            Ok(open) => Some(open),
            Err(error) => {
                self.faults.add(key, "", error);
                None
            }
        }
    }

    fn list<T>(&mut self, key: &'static str) -> Vec<T>
    where
        T: FromStr<Err: Display>,
    {
        let Some(given) = self.layers.get(key) else { return Vec::new() };
        let separator = if given.is_list { '\0' } else { ',' };
        let texts = given.texts.iter().flat_map(|text| text.split(separator)).map(str::trim);
        let mut values = Vec::new();
        for text in texts.filter(|text| !text.is_empty()) {
            match text.parse() {
                Ok(value) => values.push(value),
                Err(error) => self.faults.add(key, &given.place, format!("`{text}`: {error}")),
            }
        }
        values
    }

    /// Reads a list with a default of one value.
    fn list_or_default(&mut self, key: &'static str) -> Vec<String> {
        match self.layers.get(key) {
            Some(_) => self.list(key),
            None => vec![self.one(key)],
        }
    }

    fn hosting(&mut self) -> Option<HostingConfig> {
        let keep_bytes = self.one("hosting.keep_bytes");
        (keep_bytes > 0).then(|| HostingConfig { folder: self.one("hosting.folder"), keep_bytes })
    }

    fn sponsor(&mut self, keys: &mut KeyConfig) -> Option<SponsorConfig> {
        let key = self.key("sponsor.key", &mut keys.files)?.signer;
        Some(SponsorConfig {
            key,
            daily_lamports: self.one("sponsor.daily_lamports"),
            wallet_lamports: self.one("sponsor.wallet_lamports"),
        })
    }

    fn events(&mut self) -> Option<EventsConfig> {
        let keep_days = self.one("events.keep_days");
        let events = EventsConfig {
            keep_days,
            every: Duration::from_secs(self.one("events.every_seconds")),
            chain_every: Duration::from_secs(self.one("events.chain_seconds")),
            low_bps: self.one("events.low_bps"),
            notice_days: self.one("events.notice_days"),
            streams: self.one("events.streams"),
            webhooks: self.one("events.webhooks"),
            allow_private: self.one("events.allow_private"),
            failing_days: self.one("events.failing_days"),
            ..EventsConfig::default()
        };
        (keep_days > 0).then_some(events)
    }

    fn admin(&mut self) -> Option<AdminConfig> {
        let file: Option<PathBuf> = self.maybe("admin.secret_file");
        let mut secret: Option<Secret> = self.maybe("admin.secret");
        if let Some(file) = file {
            let read = std::fs::read_to_string(&file).map_err(|error| error.to_string());
            let read = read.and_then(|text| text.parse().map_err(|error| format!("{error}")));
            match read {
                Ok(_) if secret.is_some() => {
                    let what = "conflicts with MOTIF_GATEWAY_ADMIN_SECRET: set one of them";
                    self.faults.add("admin.secret_file", "", what);
                }
                Ok(read) => secret = Some(read),
                Err(error) => {
                    let place = file.display().to_string();
                    self.faults.add("admin.secret_file", &place, error);
                    return None;
                }
            }
        }
        let listen = self.maybe("admin.listen")?;
        if secret.is_none() && self.layers.get("admin.secret").is_none() {
            let what = "requires a secret: admin.secret_file or MOTIF_GATEWAY_ADMIN_SECRET";
            self.faults.add("admin.listen", "", what);
        }
        Some(AdminConfig { listen, secret: secret? })
    }

    fn limits(&mut self) -> Limits {
        Limits {
            head_seconds: self.one("limits.head_seconds"),
            request_seconds: self.one("limits.request_seconds"),
            write_seconds: self.one("limits.write_seconds"),
            head_bytes: self.one("limits.head_bytes"),
            connections: self.one("limits.connections"),
            connections_per_address: self.one("limits.connections_per_address"),
            address: Rate::per_second(
                self.one("limits.address_per_second"),
                self.one("limits.address_burst"),
            ),
            reads: Rate::per_second(
                self.one("limits.reads_per_second"),
                self.one("limits.reads_burst"),
            ),
            channel: Rate::per_second(
                self.one("limits.channel_per_second"),
                self.one("limits.channel_burst"),
            ),
            key: Rate::per_second(self.one("limits.key_per_second"), self.one("limits.key_burst")),
            settlements: Rate::per_hour(
                self.one("limits.settlements_per_hour"),
                self.one("limits.settlements_burst"),
            ),
        }
    }

    fn settle(&mut self) -> SettlePolicy {
        SettlePolicy {
            at_amount: self.maybe("settle.at_amount"),
            min_amount: self.maybe("settle.min_amount"),
            min_lamports: self.one("settle.min_lamports"),
            at_age_seconds: self.one("settle.at_age_seconds"),
            at_receipts: self.one("settle.at_receipts"),
            look_every: Duration::from_secs(self.one("settle.look_every_seconds")),
            max_exposure: self.maybe("settle.max_exposure"),
            max_blind_seconds: self.one("settle.max_blind_seconds"),
            priority_fee: self.priority_fee(),
            daily_fee_cap: self.one("settle.daily_fee_cap"),
        }
    }

    fn priority_fee(&mut self) -> PriorityFee {
        let (floor, cap) =
            (self.one("settle.priority_fee_floor"), self.one("settle.priority_fee_cap"));
        match self.one("settle.priority_fee") {
            PriorityFee::Percentile { percentile, .. } => {
                PriorityFee::Percentile { percentile, floor, cap }
            }
            policy => policy,
        }
    }

    fn paywall(&mut self) -> Option<PaywallListener> {
        let listen = self.maybe("paywall.listen");
        let file: Option<PathBuf> = self.maybe("paywall.routes");
        let (listen, file) = match (listen, file) {
            (Some(listen), Some(file)) => (listen, file),
            (None, None) => return None,
            (Some(_), None) => {
                self.faults.add("paywall.listen", "", "requires paywall.routes");
                return None;
            }
            (None, Some(_)) => {
                self.faults.add("paywall.routes", "", "requires paywall.listen");
                return None;
            }
        };
        let place = file.display().to_string();
        let routes = match std::fs::read_to_string(&file) {
            Ok(text) => PaidRoutes::read(&text, &place),
            Err(error) => {
                self.faults.add("paywall.routes", &place, error);
                return None;
            }
        };
        let routes = match routes {
            Ok(routes) => routes,
            Err(faults) => {
                for fault in faults.iter() {
                    self.faults.add(&fault.key, faults.place(), &fault.what);
                }
                return None;
            }
        };
        let paywall = PaywallConfig {
            keep_bytes: self.one("paywall.keep_bytes"),
            keep_seconds: self.one("paywall.keep_seconds"),
            body_bytes: self.one("paywall.body_bytes"),
            running: self.one("paywall.running"),
            streams: self.one("paywall.streams"),
            unpaid: self.one("paywall.unpaid"),
            pause_seconds: self.one("paywall.pause_seconds"),
            ..PaywallConfig::new(routes, self.one("paywall.spool"))
        };
        Some(PaywallListener { listen, paywall })
    }

    fn sales(&mut self) -> Option<SalesConfig> {
        let url: Option<String> = self.maybe("sales.public_url");
        let paywall = SaleConfig {
            network: self.one("sales.network"),
            least_price: self.one("sales.least_price"),
            x402_v1: self.one("sales.x402_v1"),
            mpp: self.one("sales.mpp"),
            settle_seconds: self.one("sales.settle_seconds"),
            ..SaleConfig::new(url.clone().unwrap_or_default())
        };
        let fee_bps = self.maybe("sales.fee_bps");
        let daily_lamports = self.one("sales.daily_lamports");
        let facilitator_seconds = self.one("sales.facilitator_seconds");
        url.map(|_| SalesConfig { paywall, fee_bps, daily_lamports, facilitator_seconds })
    }

    fn traces(&mut self) -> Option<TraceConfig> {
        let sampled_bps = self.one("traces.sampled_bps");
        Some(TraceConfig { endpoint: self.maybe("traces.endpoint")?, sampled_bps })
    }
}

#[cfg(test)]
mod tests;
