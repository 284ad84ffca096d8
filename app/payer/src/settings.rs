use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use motif_sdk::gateway::wire::Address;
use serde::Deserialize;

use crate::target::AllowedTarget;

/// Settings of a paying service, as a TOML file has them. Amounts are base units of the currency.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// JSON-RPC URL of the cluster.
    pub rpc_url: Option<String>,
    /// Gateways whose operators are paid.
    pub gateway_urls: Vec<String>,
    /// File with the gateways' API key.
    pub api_key_file: Option<PathBuf>,
    /// Keypair file of the wallet that opens and tops up channels and accepts terms.
    pub keypair: Option<PathBuf>,
    /// Keypair file that signs vouchers; `voucher.json` in the state folder without it.
    pub voucher_key: Option<PathBuf>,
    /// Folder of the service's state.
    pub state: Option<PathBuf>,
    /// Listen address.
    pub listen: Listen,
    /// Mint of all amounts.
    pub currency: Option<Address>,
    /// What is paid for.
    pub policy: PolicySettings,
    /// Spending limits.
    pub budget: BudgetSettings,
    /// Deposits.
    pub channels: ChannelSettings,
    /// Forward proxy.
    pub proxy: ProxySettings,
    /// Callers by name, beside `local`, whose token is in the state folder.
    pub callers: BTreeMap<String, CallerSettings>,
}

/// What the service pays for.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySettings {
    /// Maximum price of one unit, without the operator's fee; without it, no terms are accepted, and
    /// accepted ones pay. `motif pay --max-price` sets it.
    pub max_unit_price: Option<u64>,
    /// Maximum fee that an acceptance charges the wallet once. Budgets count it.
    pub max_upfront_fee: u64,
    /// Works whose terms may be accepted; empty for all.
    pub works: Vec<Address>,
    /// Operators that are paid beside those of `gateway_urls`, at the URLs in their accounts on chain.
    pub operators: Vec<Address>,
}

/// Spending limits of a UTC day, fees included.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// Maximum spending of all callers.
    pub per_day: Option<u64>,
    /// Maximum spending of each caller that sets no other.
    pub per_caller_per_day: Option<u64>,
    /// Maximum rent and transaction fees of the wallet, lamports.
    pub lamports_per_day: u64,
}

/// Deposits into channels.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelSettings {
    /// Deposit of a new channel; 0 opens none.
    pub deposit: u64,
    /// Amount of a top-up; 0 for none.
    pub top_up: u64,
    /// Available amount below which a channel is topped up.
    pub top_up_below: u64,
    /// Maximum unspent deposits of all channels; `deposit` and one `top_up` for each of `gateway_urls` without
    /// it.
    pub max_locked: Option<u64>,
    /// Grace period of new channels; at least what the operator asks for.
    pub grace_seconds: u32,
}

/// Forward proxy.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProxySettings {
    /// Targets on private and loopback networks that may be fetched, `HOST` or `HOST:PORT`.
    pub private_targets: Vec<AllowedTarget>,
    /// Maximum time in which a target may answer, as its price tag says, seconds.
    pub max_answer_seconds: u32,
    /// Maximum size of a request's body.
    pub max_request_bytes: usize,
    /// Maximum size of an answer, or of a part of a stream.
    pub max_answer_bytes: usize,
    /// Maximum size of the answers that are kept for a day for their idempotency keys; 0 keeps none.
    pub max_kept_bytes: u64,
}

/// Caller with a token of its own.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallerSettings {
    /// File of its token, created if missing.
    pub token_file: PathBuf,
    /// Maximum spending of a UTC day, fees included.
    pub per_day: Option<u64>,
}

/// Listen address of the service, on this machine only.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Listen {
    /// Loopback address.
    Tcp(SocketAddr),
    /// Path of a Unix socket.
    Unix(PathBuf),
}

/// Error returned when a listen address is not on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a loopback IP:PORT such as 127.0.0.1:8792, or unix:PATH: the service signs for every client that reaches it"
)]
pub struct InvalidListen;

/// Error returned when settings are invalid: all faults, one a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct InvalidSettings(pub Vec<String>);

impl Settings {
    /// Settings file with every setting and its default.
    pub const EXAMPLE: &str = include_str!("../../../docs/payer.toml");
    /// Name of the caller whose token is in the state folder.
    pub const LOCAL_CALLER: &str = "local";
    /// Name of `motif pay`.
    pub const COMMAND_CALLER: &str = "command";

    /// Reads a settings file.
    ///
    /// # Errors
    /// [`InvalidSettings`].
    pub fn read(path: &Path) -> Result<Self, InvalidSettings> {
        let place = path.display();
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| InvalidSettings(vec![format!("{place}: {error}")]))?;
        Self::parse(&text).map_err(|what| InvalidSettings(vec![format!("{place}: {what}")]))
    }

    /// Parses the text of a settings file.
    ///
    /// # Errors
    /// What is wrong, without a quotation of the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let before = text.bytes().take(offset);
            let line = 1 + before.filter(|byte| *byte == b'\n').count();
            format!("line {line}: {}", error.message())
        })
    }

    /// Checks what the types of the settings do not.
    ///
    /// # Errors
    /// All faults.
    pub fn check(&self) -> Result<(), InvalidSettings> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        let is_http = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        let urls = self.rpc_url.iter().chain(&self.gateway_urls);
        // URLs may contain keys, so no fault shows one.
        let found = urls.clone().all(is_http);
        check(found, "rpc_url, gateway_urls: each must begin with http:// or https://".into());
        let deposits = &self.channels;
        let fits = deposits.deposit.max(deposits.top_up) <= self.max_locked();
        let fault = "channels.max_locked: must be at least channels.deposit and channels.top_up";
        check(fits, fault.into());
        check(
            self.proxy.max_request_bytes > 0 && self.proxy.max_answer_bytes > 0,
            "proxy.max_request_bytes, proxy.max_answer_bytes: must be above zero".into(),
        );
        let fits = (1..=ProxySettings::MOST_SECONDS).contains(&self.proxy.max_answer_seconds);
        check(fits, "proxy.max_answer_seconds: must be from 1 to 3500".into());
        for (name, caller) in &self.callers {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            let fits = (1..=64).contains(&name.len()) && name.bytes().all(is_plain);
            check(fits, "callers: names are 1 to 64 letters, digits, `-`, `_` and `.`".into());
            let own = ![Self::LOCAL_CALLER, Self::COMMAND_CALLER].contains(&name.as_str());
            check(own, format!("callers.{name}: this name is taken"));
            let named = !caller.token_file.as_os_str().is_empty();
            check(named, format!("callers.{name}.token_file: required"));
        }
        if faults.is_empty() { Ok(()) } else { Err(InvalidSettings(faults)) }
    }

    /// Returns the maximum unspent deposits of all channels, base units.
    pub fn max_locked(&self) -> u64 {
        let ChannelSettings { deposit, top_up, max_locked, .. } = self.channels;
        let gateways = u64::try_from(self.gateway_urls.len()).unwrap_or(u64::MAX).max(1);
        max_locked.unwrap_or_else(|| deposit.saturating_add(top_up).saturating_mul(gateways))
    }

    /// Returns what is allowed and unusual.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.budget.per_day.is_none() {
            warnings.push("budget.per_day: not set, so deposits alone limit spending".to_owned());
        }
        if self.policy.max_unit_price.is_none() {
            warnings.push("policy.max_unit_price: not set, so no terms are accepted".to_owned());
        }
        if self.channels.deposit == 0 {
            warnings.push("channels.deposit: 0, so no channel is opened".to_owned());
        }
        warnings
    }

    /// Returns the budget of a caller for a UTC day, base units.
    pub fn caller_budget(&self, name: &str) -> Option<u64> {
        let own = self.callers.get(name).and_then(|caller| caller.per_day);
        own.or(self.budget.per_caller_per_day)
    }

    /// Returns the names of callers with a budget of their own.
    pub fn callers_with_budget(&self) -> impl Iterator<Item = &str> {
        let own = self.callers.iter().filter(|(_, caller)| caller.per_day.is_some());
        own.map(|(name, _)| name.as_str())
    }

    /// Returns the names of all callers.
    pub fn caller_names(&self) -> impl Iterator<Item = &str> {
        let own = [Self::LOCAL_CALLER, Self::COMMAND_CALLER];
        own.into_iter().chain(self.callers.keys().map(String::as_str))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rpc_url: None,
            gateway_urls: Vec::new(),
            api_key_file: None,
            keypair: None,
            voucher_key: None,
            state: None,
            listen: Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 8792))),
            currency: None,
            policy: PolicySettings::default(),
            budget: BudgetSettings::default(),
            channels: ChannelSettings::default(),
            proxy: ProxySettings::default(),
            callers: BTreeMap::new(),
        }
    }
}

impl Default for BudgetSettings {
    /// A channel with a license takes less than 10,000,000 lamports.
    fn default() -> Self {
        Self { per_day: None, per_caller_per_day: None, lamports_per_day: 100_000_000 }
    }
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self { deposit: 0, top_up: 0, top_up_below: 0, max_locked: None, grace_seconds: 3_600 }
    }
}

impl ProxySettings {
    /// Maximum of `max_answer_seconds`. Gateways hold for an hour, with the extra time of a request.
    const MOST_SECONDS: u32 = 3_500;
}

impl Default for ProxySettings {
    fn default() -> Self {
        Self {
            private_targets: Vec::new(),
            max_answer_seconds: 900,
            max_request_bytes: 32 << 20,
            max_answer_bytes: 64 << 20,
            max_kept_bytes: 1 << 30,
        }
    }
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(text: &str) -> Result<Self, InvalidListen> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(path.into()));
        }
        let address = text.parse::<SocketAddr>().map_err(|_| InvalidListen)?;
        if address.ip().is_loopback() { Ok(Self::Tcp(address)) } else { Err(InvalidListen) }
    }
}

impl TryFrom<String> for Listen {
    type Error = InvalidListen;

    fn try_from(text: String) -> Result<Self, InvalidListen> {
        text.parse()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(formatter, "http://{address}"),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_listener_is_rejected() {
        let read = |text: &str| text.parse::<Listen>();
        assert!(read("127.0.0.1:0").is_ok() && read("[::1]:8792").is_ok());
        assert_eq!(read("unix:/run/payer.sock"), Ok(Listen::Unix("/run/payer.sock".into())));
        for other in ["0.0.0.0:8792", "[::]:8792", "10.0.0.1:8792", "localhost", "unix:", ""] {
            assert_eq!(read(other), Err(InvalidListen), "{other}");
        }
    }

    #[test]
    fn example_states_the_defaults() {
        // As written, and with every line that sets a default taken as one.
        assert!(Settings::parse(Settings::EXAMPLE) == Ok(Settings::default()));
        let line = |line: &str| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') && !setting.ends_with("...") => {
                setting.to_owned()
            }
            _ => line.to_owned(),
        };
        let stated: Vec<_> = Settings::EXAMPLE.lines().map(line).collect();
        assert!(stated.iter().filter(|line| line.contains(" = ")).count() > 10);
        let stated = Settings::parse(&stated.join("\n")).unwrap();
        assert!(stated == Settings::default());
    }

    #[test]
    fn default_max_locked_allows_a_top_up() {
        let read = |text: &str| Settings::parse(text).unwrap().max_locked();
        let two = "gateway_urls = [\"http://127.0.0.1:1\", \"http://127.0.0.1:2\"]\n";
        assert_eq!(read(&format!("{two}[channels]\ndeposit = 5\ntop_up = 3\n")), 16);
        assert_eq!(read("[channels]\ndeposit = 5\ntop_up = 3\n"), 8);
        assert_eq!(read("[channels]\ndeposit = 5\ntop_up = 3\nmax_locked = 6\n"), 6);
    }

    #[test]
    fn invalid_settings_are_named() {
        for (text, named) in [
            ("keypiar = \"a\"", "line 1: unknown field `keypiar`"),
            ("\nlisten = \"0.0.0.0:80\"", "line 2: expected a loopback"),
            ("[budget]\nper_day = -1", "line 2"),
        ] {
            let fault = Settings::parse(text).err().unwrap();
            assert!(fault.contains(named), "{fault}");
        }
        let settings = Settings::parse(
            "rpc_url = \"ftp://secret\"\n[channels]\ndeposit = 2\nmax_locked = 1\n\
             [callers.local]\ntoken_file = \"t\"\n[callers.\"a b\"]\n",
        );
        let faults = settings.unwrap().check().unwrap_err();
        assert_eq!(faults.0.len(), 5, "{faults}");
        assert!(!faults.to_string().contains("secret"));
    }
}
