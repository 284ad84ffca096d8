//! Context of a command: its global options, clients and output.

use std::{
    fmt::Display,
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use motif_gateway::chain::Endpoint;
use motif_sdk::{
    Error, Pubkey,
    client::{Client, PriorityFee},
    gateway::{GatewayClient, GatewayError, PaywallClient},
    keypair,
    text::{visible, visible_lines},
};
use serde::Serialize;
use solana_keypair::Keypair;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::{
    common_args::CommonArgs,
    error::CliError,
    output::{self, ErrorOutput},
    solana_config::SolanaConfig,
};

const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Time after which waiting is announced.
const ANNOUNCE_AFTER: Duration = Duration::from_secs(1);
const DEFAULT_RPC_URL: &str = "http://127.0.0.1:8899";

/// Context of a command.
pub struct Session {
    pub rpc_url: String,
    given_rpc_url: Option<String>,
    gateway_url: String,
    pub json: bool,
    keypair: Option<PathBuf>,
    solana: SolanaConfig,
    /// Keypair that was read from stdin, which ends there.
    from_stdin: OnceLock<Keypair>,
    priority_fee: Option<PriorityFee>,
    wait: Duration,
    /// URLs of nodes, whose secrets no error shows.
    node_urls: Mutex<Vec<String>>,
}

impl Session {
    pub fn new(args: &CommonArgs) -> Self {
        let solana = SolanaConfig::read();
        let rpc_url = args.rpc_url.clone().or_else(|| solana.json_rpc_url.clone());
        Self {
            rpc_url: rpc_url.unwrap_or_else(|| DEFAULT_RPC_URL.to_owned()),
            given_rpc_url: args.rpc_url.clone(),
            node_urls: Mutex::default(),
            gateway_url: args.gateway_url.trim_end_matches('/').to_owned(),
            json: args.json,
            keypair: args.keypair.clone(),
            solana,
            from_stdin: OnceLock::new(),
            priority_fee: args.priority_fee,
            wait: Duration::from_secs(args.wait_seconds),
        }
    }

    /// Sends logs to stderr: warnings, or what `RUST_LOG` selects.
    pub fn init_logging(&self) {
        let quiet = || EnvFilter::new("warn,litesvm=off,solana_runtime=off");
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| quiet());
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter);
        let is_terminal = std::io::stderr().is_terminal();
        let subscriber = subscriber.with_writer(std::io::stderr).with_ansi(is_terminal);
        let subscriber = subscriber.with_target(false);
        let is_json = std::env::var("MOTIF_LOG_FORMAT").is_ok_and(|format| format == "json");
        // Fails only if a test has set a subscriber.
        let _ = if is_json { subscriber.json().try_init() } else { subscriber.try_init() };
    }

    /// Returns a client of the node, once it responds. A node on this machine may still be starting.
    ///
    /// # Errors
    /// [`CliError::NodeUnreachable`]; [`CliError::Usage`] if its URL is invalid.
    pub async fn client(&self) -> Result<Client, CliError> {
        self.client_at(&self.rpc_url).await
    }

    /// Returns a client of another node, as [`Session::client`].
    ///
    /// # Errors
    /// As [`Session::client`].
    pub async fn client_at(&self, rpc_url: &str) -> Result<Client, CliError> {
        self.first_of(&[rpc_url.to_owned()]).await
    }

    /// Returns a client of the first of these nodes that responds, as [`Session::client`].
    ///
    /// # Errors
    /// As [`Session::client`].
    pub async fn first_of(&self, rpc_urls: &[String]) -> Result<Client, CliError> {
        if rpc_urls.iter().any(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            // The URL may hold an API key, so the message leaves it out.
            let help = "pass a URL such as http://127.0.0.1:8899 or https://api.devnet.solana.com";
            return Err(CliError::usage("the node's URL lacks http:// or https://", help));
        }
        self.node_urls.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(rpc_urls);
        let patience = rpc_urls.iter().map(|url| self.patience(url)).max().unwrap_or_default();
        let endpoints: Vec<_> = rpc_urls.iter().map(|url| Endpoint::new(url)).collect();
        let (began, mut announced) = (Instant::now(), false);
        loop {
            let reasons = match self.reachable(rpc_urls).await {
                Ok(client) => return Ok(client),
                Err(reasons) => reasons,
            };
            let hosts = endpoints.iter().map(|endpoint| format!("{endpoint:?}"));
            let url = hosts.collect::<Vec<_>>().join(", ");
            if began.elapsed() >= patience {
                return Err(CliError::NodeUnreachable { url, reason: reasons });
            }
            if !announced && began.elapsed() > ANNOUNCE_AFTER {
                self.status(format_args!("waiting for a node at {url}"));
                announced = true;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Returns a client of the first of these nodes that responds now.
    ///
    /// # Errors
    /// Why none responds, without the secrets of their URLs.
    pub async fn reachable(&self, rpc_urls: &[String]) -> Result<Client, String> {
        let mut reasons = Vec::new();
        for url in rpc_urls {
            let client = Client::new(url).priority_fee(self.priority_fee.unwrap_or_default());
            match client.rpc().get_version().await {
                Ok(_) => return Ok(client),
                Err(error) => reasons.push(Endpoint::new(url).scrub(&error.to_string())),
            }
        }
        Err(reasons.join("; "))
    }

    /// Waits for a mint that a localnet creates while it starts.
    ///
    /// # Errors
    /// [`CliError::NodeUnreachable`]; [`Error::NotFound`] if the mint does not appear.
    pub async fn wait_for(&self, mint: &Pubkey) -> Result<(), CliError> {
        let client = self.client().await?;
        let deadline = Instant::now() + self.patience(&self.rpc_url);
        loop {
            match client.currency(mint).await {
                Err(Error::NotFound { .. }) if Instant::now() < deadline => {}
                found => return Ok(found.map(|_| ())?),
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Returns a client of the gateway. Its requests wait for a gateway on this machine to start.
    pub async fn gateway(&self) -> GatewayClient {
        let client = GatewayClient::new(&self.gateway_url);
        let client = match std::env::var("MOTIF_GATEWAY_API_KEY") {
            Ok(token) => client.api_key(token.trim()),
            Err(_) => client,
        };
        let patience = self.patience(&self.gateway_url);
        let first = client.clone().patience(ANNOUNCE_AFTER.min(patience)).ready().await;
        if matches!(first, Err(GatewayError::Unreachable { .. })) && !patience.is_zero() {
            self.status(format_args!(
                "waiting for a gateway at {:?}",
                Endpoint::new(&self.gateway_url)
            ));
        }
        client.patience(patience)
    }

    /// Returns a client of model servers behind the paywall at `url`.
    pub fn paywall(&self, url: &str) -> PaywallClient {
        let client = PaywallClient::new().patience(self.patience(url));
        match std::env::var("MOTIF_GATEWAY_API_KEY") {
            Ok(token) => client.api_key(token.trim()),
            Err(_) => client,
        }
    }

    /// Returns the value of `--rpc-url`.
    pub fn given_rpc_url(&self) -> Option<String> {
        self.given_rpc_url.clone()
    }

    /// Returns the URL of the node in the Solana command line's configuration.
    pub fn solana_rpc_url(&self) -> Option<String> {
        self.solana.json_rpc_url.clone()
    }

    /// Returns the value of `--priority-fee`.
    pub fn given_priority_fee(&self) -> Option<PriorityFee> {
        self.priority_fee
    }

    /// Returns the value of `--keypair`.
    pub fn given_keypair(&self) -> Option<PathBuf> {
        self.keypair.clone()
    }

    /// Returns the URL of the gateway.
    pub fn gateway_url(&self) -> &str {
        &self.gateway_url
    }

    /// Returns how long to wait for a server: not at all unless it is on this machine, where it may
    /// be starting.
    pub fn patience(&self, url: &str) -> Duration {
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        let is_local = local.iter().any(|prefix| url.starts_with(prefix));
        if is_local { self.wait } else { Duration::ZERO }
    }

    /// Returns the path of the signing keypair: that of `--keypair`, of the Solana command line's
    /// configuration, or its default.
    ///
    /// # Errors
    /// [`CliError::KeypairMissing`] without any of them; [`CliError::Usage`] for a hardware wallet or
    /// a seed phrase.
    pub fn keypair_path(&self) -> Result<PathBuf, CliError> {
        let home = || std::env::var_os("HOME").map(PathBuf::from);
        let default = || home().map(|home| home.join(".config/solana/id.json"));
        let configured = || self.solana.keypair_path.as_ref().map(PathBuf::from);
        let path = self.keypair.clone().or_else(configured).or_else(default);
        let path = path.ok_or(CliError::KeypairMissing)?;
        if keypair::is_device(&path) {
            let help = "pass --keypair with a keypair file, or `-` for a keypair on stdin";
            return Err(CliError::usage("hardware wallets and seed phrases are not read", help));
        }
        Ok(path)
    }

    /// Reads the keypair that signs and pays.
    ///
    /// # Errors
    /// [`CliError::KeypairMissing`]; [`Error::File`].
    pub fn keypair(&self) -> Result<Keypair, CliError> {
        let path = self.keypair_path()?;
        if path == Path::new("-") {
            if let Some(keypair) = self.from_stdin.get() {
                return Ok(keypair.insecure_clone());
            }
            let keypair = keypair::read(&path)?;
            return Ok(self.from_stdin.get_or_init(|| keypair).insecure_clone());
        }
        if self.keypair.is_none() && !path.exists() {
            return Err(CliError::KeypairMissing);
        }
        self.warn_of_exposed(&path);
        Ok(keypair::read(&path)?)
    }

    /// Prints a warning if other users can read or write a file with a key.
    pub fn warn_of_exposed(&self, path: &Path) {
        if keypair::is_exposed(path) {
            let path = path.display();
            self.status(format_args!(
                "warning: {path} is accessible to all users: chmod 600 {path}"
            ));
        }
    }

    /// Prints the output of the command: as JSON with `--json`, else as text.
    pub fn print(&self, output: &(impl Serialize + Display)) {
        if self.json {
            output::print_json(output);
        } else {
            output::print_text(output);
        }
    }

    /// Prints a status message on stderr.
    pub fn status(&self, text: impl Display) {
        output::print_status(text);
    }

    /// Asks for confirmation on a terminal; returns `true` when not interactive.
    pub fn confirm(&self, question: &str) -> bool {
        let is_interactive = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if self.json || !is_interactive {
            return true;
        }
        eprint!("{question} [y/N] ");
        let mut answer = String::new();
        // The end of the input counts as no.
        let read = std::io::stdin().read_line(&mut answer).is_ok();
        read && is_yes(&answer)
    }

    /// Returns the time of this machine, in Unix seconds.
    pub fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    /// Returns a text without the secrets of the nodes' and the gateway's URLs.
    pub fn scrub(&self, text: &str) -> String {
        let node_urls = self.node_urls.lock();
        let node_urls = node_urls.unwrap_or_else(PoisonError::into_inner);
        let urls = node_urls.iter().chain([&self.rpc_url, &self.gateway_url]);
        urls.fold(text.to_owned(), |text, url| Endpoint::new(url).scrub(&text))
    }

    /// Prints an error: as JSON on stdout with `--json`, else as text on stderr.
    pub fn report(&self, error: &CliError) {
        let (code, hint) = (error.code(), error.hint());
        let message = self.scrub(&error.to_string());
        if self.json {
            output::print_json(&ErrorOutput::new(&code, &message, hint.as_deref()));
            return;
        }
        eprintln!("{}", error_text(&code, &message, hint.as_deref()));
    }
}

/// Returns a future that resolves at the first SIGINT or SIGTERM from now on. Call this before
/// announcing that a service is ready, so that a client can stop it as soon as it knows.
///
/// # Errors
/// [`CliError::Runtime`] if no signal handler can be installed.
pub fn stop_signal() -> Result<impl Future<Output = ()>, CliError> {
    let refuse = |error: std::io::Error| CliError::Runtime(error.to_string());
    let mut terminated = signal(SignalKind::terminate()).map_err(refuse)?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(refuse)?;
    let mut hung_up = signal(SignalKind::hangup()).map_err(refuse)?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
            _ = hung_up.recv() => {}
        }
    })
}

/// Returns an error as text. Lines after the first are indented, so that a message of another party
/// cannot imitate an error or a hint.
fn error_text(code: &str, message: &str, hint: Option<&str>) -> String {
    let message = visible_lines(message).replace('\n', "\n  ");
    let hint = hint.map(|hint| format!("\nhint: {}", visible(hint))).unwrap_or_default();
    format!("error[{}]: {message}{hint}", visible(code))
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_message_is_indented() {
        let hostile = "no\u{1b}[31m\u{202e}\nerror[ok]: fine\nhint: run it";
        let shown = error_text("x\u{7}\n", hostile, Some("pass --yes"));
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{shown}");
        let starts = |name: &str| shown.lines().filter(|line| line.starts_with(name)).count();
        assert_eq!((starts("error"), starts("hint")), (1, 1), "{shown}");
    }

    #[test]
    fn only_y_and_yes_confirm() {
        assert!(["y", "Y\n", " yes\r\n"].iter().all(|answer| is_yes(answer)));
        assert!(!["", "\n", "n", "no", "yep", "y n"].iter().any(|answer| is_yes(answer)));
    }
}
