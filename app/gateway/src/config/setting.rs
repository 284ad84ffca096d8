/// Something that can be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the file; the part before the dot is a table.
    pub key: &'static str,
    /// What it is.
    pub about: &'static str,
    /// As the file would say it; empty where there is no default.
    pub default: &'static str,
    /// Whether the file may say it.
    pub in_file: bool,
}

/// A variable that is meant for a gateway and names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such setting")]
pub struct NoSuchSetting;

impl Setting {
    const PREFIX: &'static str = "MOTIF_GATEWAY_";

    /// Its name in the environment.
    pub fn variable(&self) -> String {
        format!("{}{}", Self::PREFIX, self.key.replace('.', "_").to_uppercase())
    }

    /// The setting of this key.
    pub fn of_key(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// The setting of this variable; `None` when it is not meant for a gateway.
    ///
    /// # Errors
    /// [`NoSuchSetting`] when it is, and names none.
    pub fn of_variable(name: &str) -> Result<Option<&'static Self>, NoSuchSetting> {
        // What clients of a gateway read, and where its file is.
        let others = ["MOTIF_GATEWAY_URL", "MOTIF_GATEWAY_API_KEY", "MOTIF_GATEWAY_CONFIG"];
        let is_clients = others.contains(&name);
        if is_clients || !name.starts_with(Self::PREFIX) {
            return Ok(None);
        }
        let found = SETTINGS.iter().find(|setting| setting.variable() == name);
        found.map(Some).ok_or(NoSuchSetting)
    }
}

const fn setting(key: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting { key, about, default, in_file: true }
}

/// Everything that can be configured.
pub const SETTINGS: &[Setting] = &[
    setting(
        "rpc_url",
        "\"http://127.0.0.1:8899\"",
        "JSON-RPC node of the cluster; a list of them in the order of preference",
    ),
    setting("keypair", "", "keypair file of the operator: signs receipts and settlements"),
    setting(
        "store",
        "\"motif-gateway.sqlite\"",
        "the store's file, or the postgres:// URL of a database that several gateways may share",
    ),
    setting("public_url", "", "where clients find this process; needed on a shared store"),
    setting(
        "lease_seconds",
        "10",
        "on a shared store: how long a channel waits for a process that has died",
    ),
    setting("listen", "\"127.0.0.1:8787\"", "where to listen; port 0 takes a free one"),
    setting(
        "operator_fee_bps",
        "200",
        "the fee a channel must give, basis points on top of prices",
    ),
    setting("min_grace_seconds", "3600", "the least grace period a channel must have"),
    setting(
        "min_voucher_seconds",
        "600",
        "the least vouchers and licenses must still be valid for",
    ),
    setting("mints", "[]", "serve only channels in these mints; empty for any"),
    setting("settle.at_amount", "", "settle a channel once it owes this many base units more"),
    setting("settle.at_age_seconds", "3600", "settle once the oldest open generation is this old"),
    setting("settle.at_receipts", "500000", "settle once there are this many open receipts"),
    setting("settle.look_every_seconds", "5", "how often to look at channels and at the chain"),
    setting(
        "settle.max_exposure",
        "",
        "the most base units that may wait for settlement on one channel",
    ),
    setting(
        "settle.max_blind_seconds",
        "900",
        "how long to serve a channel the chain says nothing of",
    ),
    setting("admin.listen", "", "where operators are listened to; nowhere without it"),
    setting("admin.secret_file", "", "file with the operators' secret, 32 bytes at least"),
    Setting {
        key: "admin.secret",
        about: "the operators' secret itself; in the environment only",
        default: "",
        in_file: false,
    },
    setting("api_keys.required", "false", "serve only holders of API keys"),
    setting("cors.origins", "[]", "pages of these origins may ask from a browser"),
    setting("proxies.trusted", "[]", "networks of proxies whose X-Forwarded-For is believed"),
    setting(
        "limits.head_seconds",
        "30",
        "how long a request's head may take, or an idle connection last",
    ),
    setting("limits.request_seconds", "30", "how long a request may take, its body included"),
    setting("limits.head_bytes", "16384", "the longest head of a request"),
    setting("limits.connections", "8192", "open connections, of everybody"),
    setting("limits.connections_per_address", "2048", "open connections of one address"),
    setting("limits.address_per_second", "20000", "requests of one address; 0 for any number"),
    setting("limits.address_burst", "40000", "as many at once, after a pause"),
    setting("limits.channel_per_second", "10000", "vouchers of one channel; 0 for any number"),
    setting("limits.channel_burst", "20000", "as many at once, after a pause"),
    setting("limits.key_per_second", "10000", "requests with one API key; 0 for any number"),
    setting("limits.key_burst", "20000", "as many at once, after a pause"),
    setting(
        "limits.settlements_per_hour",
        "60",
        "settlements a payer may ask for; 0 for any number",
    ),
    setting("limits.settlements_burst", "20", "as many at once, after a pause"),
    setting("paywall.listen", "", "where a model server is sold; takes paywall.routes, too"),
    setting("paywall.routes", "", "TOML file with the server behind and what its routes cost"),
    setting(
        "paywall.spool",
        "\"motif-paywall\"",
        "the folder that answers are kept in, made where there is none",
    ),
    setting("paywall.keep_bytes", "1073741824", "the most bytes of answers that are kept at once"),
    setting(
        "paywall.keep_seconds",
        "600",
        "how long answers are kept after they could be paid for last",
    ),
    setting("paywall.running", "64", "answers that are being made at once"),
    setting("paywall.streams", "256", "streams that are open at once, paused ones among them"),
    setting("paywall.unpaid", "8", "answers that one channel has not paid for yet"),
    setting(
        "paywall.pause_seconds",
        "60",
        "how long a stream waits for the voucher for its next part",
    ),
    setting(
        "traces.endpoint",
        "",
        "OTLP/HTTP URL that traces go to, such as http://127.0.0.1:4318/v1/traces; nowhere without it",
    ),
    setting(
        "traces.sampled_bps",
        "10000",
        "how many requests in 10,000 are traced, of those that do not say so themselves",
    ),
];

/// A file that states every setting, each as a comment with its default.
pub fn example() -> String {
    let mut text = String::from(
        "# Everything that `motif gateway serve --config FILE` reads, with its defaults. A flag\n\
         # goes before a variable of the environment, and that before this file.\n",
    );
    let mut table = "";
    for setting in SETTINGS.iter().filter(|setting| setting.in_file) {
        let (of, name) = setting.key.split_once('.').unwrap_or(("", setting.key));
        if of != table {
            text.push_str(&format!("\n[{of}]\n"));
            table = of;
        } else if text.ends_with("this file.\n") {
            text.push('\n');
        }
        text.push_str(&format!("# {}: {}\n", setting.variable(), setting.about));
        let default = if setting.default.is_empty() { "..." } else { setting.default };
        text.push_str(&format!("#{name} = {default}\n"));
    }
    text
}
