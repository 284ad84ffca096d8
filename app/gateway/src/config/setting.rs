/// Setting of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Key in the file; the part before the dot is a table.
    pub key: &'static str,
    /// Help text.
    pub about: &'static str,
    /// Default as TOML; empty if there is none.
    pub default: &'static str,
    /// Whether the setting is allowed in a file.
    pub in_file: bool,
}

/// Error returned when a `MOTIF_GATEWAY_*` variable names no setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown setting")]
pub struct UnknownSetting;

impl Setting {
    const PREFIX: &'static str = "MOTIF_GATEWAY_";

    /// Returns the name of the environment variable.
    pub fn variable(&self) -> String {
        format!("{}{}", Self::PREFIX, self.key.replace('.', "_").to_uppercase())
    }

    /// Returns the setting of a key.
    pub fn from_key(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// Returns the setting of an environment variable, or `None` if the variable is not a gateway's.
    ///
    /// # Errors
    /// [`UnknownSetting`].
    pub fn from_variable(name: &str) -> Result<Option<&'static Self>, UnknownSetting> {
        // Read by clients of a gateway, and the path of the file itself.
        let others = ["MOTIF_GATEWAY_URL", "MOTIF_GATEWAY_API_KEY", "MOTIF_GATEWAY_CONFIG"];
        let is_clients = others.contains(&name);
        if is_clients || !name.starts_with(Self::PREFIX) {
            return Ok(None);
        }
        let found = SETTINGS.iter().find(|setting| setting.variable() == name);
        found.map(Some).ok_or(UnknownSetting)
    }
}

const fn setting(key: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting { key, about, default, in_file: true }
}

/// All settings.
pub const SETTINGS: &[Setting] = &[
    setting(
        "rpc_url",
        "\"http://127.0.0.1:8899\"",
        "JSON-RPC URL of the cluster, or a list in order of preference",
    ),
    setting("keypair", "", "keypair file of the operator, for every key that [keys] does not name"),
    setting("operator", "", "authority of the operator; without it, the key of keys.authority"),
    setting(
        "store",
        "\"motif-gateway.sqlite\"",
        "file of the store, or postgres:// URL of a database that several processes may share",
    ),
    Setting {
        key: "skip_frames",
        about: "frames of the store's journal that this start may drop; not in a file",
        default: "",
        in_file: false,
    },
    Setting {
        key: "replace_digest_key",
        about: "accept another digest key than the store's and revoke all API keys; not in a file",
        default: "false",
        in_file: false,
    },
    setting("public_url", "", "URL of this process for clients; required on a shared store"),
    setting(
        "lease_seconds",
        "10",
        "duration of a channel's lease on a shared store; the channel of a crashed process is free after it",
    ),
    setting(
        "drain_seconds",
        "0",
        "time between the failure of /readyz and the end of the listeners at shutdown",
    ),
    setting("listen", "\"127.0.0.1:8787\"", "listen address; port 0 takes a free one"),
    setting(
        "studio",
        "true",
        "serve the studio to browsers, and relay its transactions to the cluster",
    ),
    setting(
        "operator_fee_bps",
        "200",
        "minimum operator fee of a channel, basis points on top of prices",
    ),
    setting("min_grace_seconds", "3600", "minimum grace period of a channel"),
    setting("min_voucher_seconds", "600", "minimum remaining validity of vouchers and licenses"),
    setting(
        "min_useful_seconds",
        "3000",
        "time by which vouchers outlast min_voucher_seconds, which bounds how often they have a channel settled",
    ),
    setting("min_price", "0", "minimum price of a generation, base units"),
    setting("min_deposit", "0", "minimum deposit of a channel, base units"),
    setting("mints", "[]", "served mints; empty for all, on loopback listeners only"),
    setting(
        "catalogue_seconds",
        "5",
        "maximum age of works, terms and prices that are shown and sold, at most 20 with sales; 0 reads them for each request",
    ),
    setting(
        "keys.settle",
        "",
        "key that settles: a keypair file, env:VARIABLE, or unix:SOCKET#ADDRESS; without it, `keypair`",
    ),
    setting(
        "keys.next_settle",
        "",
        "settle key of a rotation, which takes over when the operator's account says so",
    ),
    setting("keys.receipt", "", "key that signs receipts; without it, the settle key"),
    setting(
        "keys.next_receipt",
        "",
        "receipt key of a rotation, which takes over when the operator's account says so",
    ),
    setting("keys.fee_payer", "", "key that pays for transactions; without it, the settle key"),
    setting(
        "keys.authority",
        "",
        "authority of the operator, if it is not kept elsewhere; without it, an equal settle key",
    ),
    setting(
        "keys.digest_file",
        "",
        "file of the key of API keys' digests, created if missing; without it, beside the store's file",
    ),
    setting("settle.at_amount", "", "settle a channel when it owes this amount, base units"),
    setting(
        "settle.min_amount",
        "",
        "unsettled amount of a channel below which it is not worth a transaction, base units",
    ),
    setting(
        "settle.min_lamports",
        "5000000",
        "balance of the fee payer below which the gateway is not ready; 0 to ignore it",
    ),
    setting(
        "settle.at_age_seconds",
        "3600",
        "settle a channel when its oldest unsettled generation is this old",
    ),
    setting("settle.at_receipts", "500000", "settle a channel at this number of open receipts"),
    setting(
        "settle.look_every_seconds",
        "5",
        "interval of settlement rounds, which read channels in use from the chain",
    ),
    setting("settle.max_exposure", "", "maximum unsettled amount of one channel, base units"),
    setting(
        "settle.max_blind_seconds",
        "900",
        "maximum age of a channel's last on-chain read before requests are refused",
    ),
    setting(
        "settle.priority_fee",
        "\"p50\"",
        "off, micro-lamports per compute unit, or a percentile of recent fees; raised at each attempt",
    ),
    setting("settle.priority_fee_floor", "0", "minimum priority fee of a transaction, lamports"),
    setting(
        "settle.priority_fee_cap",
        "100000",
        "maximum priority fee of a transaction, lamports, for a percentile",
    ),
    setting(
        "settle.daily_fee_cap",
        "100000000",
        "priority fees of a day, lamports, at which settlements pay the lowest price",
    ),
    setting("admin.listen", "", "listen address of the admin interface; disabled without it"),
    setting("admin.secret_file", "", "file with the admin secret of at least 32 bytes"),
    Setting {
        key: "admin.secret",
        about: "admin secret; in the environment only",
        default: "",
        in_file: false,
    },
    setting("api_keys.required", "false", "require API keys"),
    setting("cors.origins", "[]", "web origins that may call the gateway from a browser"),
    setting("proxies.trusted", "[]", "networks of proxies whose forwarding header is trusted"),
    setting(
        "proxies.header",
        "\"x-forwarded-for\"",
        "header in which the trusted proxies name the client: x-forwarded-for or forwarded",
    ),
    setting(
        "limits.head_seconds",
        "30",
        "time limit of a request's head and of an idle connection",
    ),
    setting("limits.request_seconds", "30", "time limit of a request, its body included"),
    setting(
        "limits.write_seconds",
        "30",
        "time in which a client must take at least 16 KiB of a response that waits for it",
    ),
    setting("limits.head_bytes", "16384", "maximum length of a request's head"),
    setting("limits.connections", "8192", "maximum number of open connections"),
    setting(
        "limits.connections_per_address",
        "2048",
        "maximum number of open connections of one address",
    ),
    setting("limits.address_per_second", "20000", "requests of one address; 0 for no limit"),
    setting("limits.address_burst", "40000", "burst of requests of one address"),
    setting(
        "limits.reads_per_second",
        "50",
        "requests of one address that read from the cluster or aggregate rows of the store; 0 for no limit",
    ),
    setting("limits.reads_burst", "500", "burst of such requests of one address"),
    setting("limits.channel_per_second", "10000", "vouchers of one channel; 0 for no limit"),
    setting("limits.channel_burst", "20000", "burst of vouchers of one channel"),
    setting("limits.key_per_second", "10000", "requests with one API key; 0 for no limit"),
    setting("limits.key_burst", "20000", "burst of requests with one API key"),
    setting(
        "limits.settlements_per_hour",
        "60",
        "settlements of one channel on its payer's request; 0 for no limit",
    ),
    setting("limits.settlements_burst", "20", "burst of settlements on a payer's request"),
    setting(
        "paywall.listen",
        "",
        "listen address of the paywall; requires paywall.routes; disabled without it",
    ),
    setting(
        "paywall.routes",
        "",
        "TOML file with the model server's URL and the prices of its routes",
    ),
    setting(
        "paywall.spool",
        "\"motif-paywall\"",
        "folder of stored answers; it is created if it does not exist",
    ),
    setting(
        "paywall.keep_bytes",
        "4294967296",
        "maximum size of stored answers; room for the largest is set aside for each in progress",
    ),
    setting(
        "paywall.keep_seconds",
        "600",
        "time for which answers are stored after their payment deadline",
    ),
    setting(
        "paywall.body_bytes",
        "536870912",
        "maximum size of all request bodies and unfinished answers in memory",
    ),
    setting("paywall.running", "64", "maximum number of concurrent requests to the model server"),
    setting("paywall.streams", "256", "maximum number of open streams, paused ones included"),
    setting("paywall.unpaid", "8", "maximum number of unpaid answers per channel"),
    setting("paywall.pause_seconds", "60", "time limit of a stream's wait for the next voucher"),
    setting(
        "sales.public_url",
        "",
        "URL of the paywall for clients; enables x402, MPP and the facilitator; disabled without it",
    ),
    setting(
        "sales.network",
        "\"mainnet\"",
        "network of payments: mainnet, devnet, testnet or localnet",
    ),
    setting(
        "sales.fee_bps",
        "",
        "operator's fee of a sale, basis points on top of prices; without it, operator_fee_bps",
    ),
    setting(
        "sales.least_price",
        "0",
        "amount of a sale below which only channels pay, base units; a sale costs two signatures",
    ),
    setting("sales.x402_v1", "true", "whether version 1 of x402 is offered"),
    setting("sales.mpp", "true", "whether MPP is offered"),
    setting(
        "sales.settle_seconds",
        "60",
        "time for which a response waits for the end of a payment",
    ),
    setting(
        "sales.daily_lamports",
        "100000000",
        "maximum fees that are paid for buyers in a day; 0 for no limit",
    ),
    setting(
        "sales.facilitator_seconds",
        "80",
        "time for which /x402/settle waits for the end of a payment",
    ),
    setting(
        "hosting.folder",
        "\"motif-hosted\"",
        "folder of works' metadata and pictures; it is created with the first one",
    ),
    setting(
        "hosting.keep_bytes",
        "1073741824",
        "maximum size of all metadata and pictures; 0 to host none",
    ),
    setting(
        "sponsor.key",
        "",
        "key that pays fees and rent of creators without SOL, off if unset: a keypair file, env:VARIABLE, or unix:SOCKET#ADDRESS",
    ),
    setting("sponsor.daily_lamports", "50000000", "maximum that the sponsor pays in a day"),
    setting(
        "sponsor.wallet_lamports",
        "20000000",
        "maximum that the sponsor pays in a day for one wallet",
    ),
    setting(
        "events.keep_days",
        "30",
        "time for which events of creators and payers are kept; 0 to tell none",
    ),
    setting(
        "events.every_seconds",
        "5",
        "interval of the reads of this gateway's books; generations of one interval are one event",
    ),
    setting("events.chain_seconds", "60", "interval of the reads of the chain for events"),
    setting(
        "events.low_bps",
        "1000",
        "part of a channel's deposit below which the payer is told, basis points",
    ),
    setting(
        "events.notice_days",
        "7",
        "time before the end of a channel or a consent at which it is told",
    ),
    setting("events.streams", "256", "maximum number of open streams of events"),
    setting("events.webhooks", "10000", "maximum number of webhooks of all persons"),
    setting(
        "events.allow_private",
        "false",
        "whether webhooks may have http URLs and private addresses; for tests only",
    ),
    setting("events.failing_days", "3", "time of failures after which a webhook is disabled"),
    setting(
        "traces.endpoint",
        "",
        "OTLP/HTTP URL of a trace collector, such as http://127.0.0.1:4318/v1/traces; disabled without it",
    ),
    setting(
        "traces.sampled_bps",
        "10000",
        "number of requests in 10,000 that are traced; a traceparent header takes precedence",
    ),
];

/// Returns an example file with every setting as a comment with its default.
pub fn example() -> String {
    let mut text = String::from(
        "# All settings of `motif gateway serve --config FILE` with their defaults. Flags override\n\
         # environment variables, which override this file.\n",
    );
    let mut table = "";
    for setting in SETTINGS.iter().filter(|setting| setting.in_file) {
        let (of, name) = setting.key.split_once('.').unwrap_or(("", setting.key));
        if of != table {
            text.push_str(&format!("\n[{of}]\n"));
            table = of;
        } else if text.ends_with("override this file.\n") {
            text.push('\n');
        }
        text.push_str(&format!("# {}: {}\n", setting.variable(), setting.about));
        let default = if setting.default.is_empty() { "..." } else { setting.default };
        text.push_str(&format!("#{name} = {default}\n"));
    }
    text
}
