use std::{
    io::IsTerminal,
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use motif_gateway::chain::Endpoint;
use motif_sdk::{
    Error, Pubkey,
    client::Client,
    gateway::{GatewayClient, GatewayError, PaywallClient},
    keypair,
};
use serde_json::Value;
use solana_keypair::Keypair;
use tracing_subscriber::EnvFilter;

use crate::{answer, args::CommonArgs, error::CliError};

const ASK_AGAIN: Duration = Duration::from_millis(200);
/// Whoever waits longer than this wonders why.
const ANNOUNCE_AFTER: Duration = Duration::from_secs(1);
const USUAL_RPC_URL: &str = "http://127.0.0.1:8899";

/// What the flags that every verb takes come to.
pub struct Session {
    pub rpc_url: String,
    given_rpc_url: Option<String>,
    gateway_url: String,
    pub json: bool,
    keypair: Option<PathBuf>,
    wait: Duration,
}

impl Session {
    pub fn new(args: &CommonArgs) -> Self {
        Self {
            rpc_url: args.rpc_url.clone().unwrap_or_else(|| USUAL_RPC_URL.to_owned()),
            given_rpc_url: args.rpc_url.clone(),
            gateway_url: args.gateway_url.trim_end_matches('/').to_owned(),
            json: args.json,
            keypair: args.keypair.clone(),
            wait: Duration::from_secs(args.wait_seconds),
        }
    }

    /// Sends logs to stderr: warnings, or what `RUST_LOG` asks for.
    pub fn log(&self) {
        let quiet = || EnvFilter::new("warn,litesvm=off,solana_runtime=off");
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| quiet());
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter);
        let subscriber = subscriber.with_writer(std::io::stderr).with_target(false);
        let is_json = std::env::var("MOTIF_LOG_FORMAT").is_ok_and(|format| format == "json");
        // Another subscriber can only be one that a test has set.
        let _ = if is_json { subscriber.json().try_init() } else { subscriber.try_init() };
    }

    /// The cluster, once it answers. A node on this machine may still be starting.
    ///
    /// # Errors
    /// [`CliError::NoNode`].
    pub async fn client(&self) -> Result<Client, CliError> {
        self.client_at(&self.rpc_url).await
    }

    /// As [`Session::client`], behind another node.
    ///
    /// # Errors
    /// [`CliError::NoNode`].
    pub async fn client_at(&self, rpc_url: &str) -> Result<Client, CliError> {
        self.first_of(&[rpc_url.to_owned()]).await
    }

    /// As [`Session::client`], behind the first of several nodes that answers.
    ///
    /// # Errors
    /// [`CliError::NoNode`].
    pub async fn first_of(&self, rpc_urls: &[String]) -> Result<Client, CliError> {
        let clients: Vec<_> = rpc_urls.iter().map(|url| Client::new(url)).collect();
        let patience = rpc_urls.iter().map(|url| self.patience(url)).max().unwrap_or_default();
        let endpoints: Vec<_> = rpc_urls.iter().map(|url| Endpoint::new(url)).collect();
        let (began, mut announced) = (Instant::now(), false);
        loop {
            let mut reasons = Vec::new();
            for (client, endpoint) in clients.iter().zip(&endpoints) {
                let Err(error) = client.rpc().get_version().await else {
                    return Ok(client.clone());
                };
                reasons.push(endpoint.scrub(&error.to_string()));
            }
            let hosts = endpoints.iter().map(|endpoint| format!("{endpoint:?}"));
            let url = hosts.collect::<Vec<_>>().join(", ");
            if began.elapsed() >= patience {
                return Err(CliError::NoNode { url, reason: reasons.join("; ") });
            }
            if !announced && began.elapsed() > ANNOUNCE_AFTER {
                self.say(format_args!("waiting for a node at {url}"));
                announced = true;
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// Waits for a mint that a cluster on this machine creates while it starts.
    ///
    /// # Errors
    /// [`CliError::NoNode`]; [`motif_sdk::Error::NotFound`] when it does not appear.
    pub async fn wait_for(&self, mint: &Pubkey) -> Result<(), CliError> {
        let client = self.client().await?;
        let deadline = Instant::now() + self.patience(&self.rpc_url);
        loop {
            match client.currency(mint).await {
                Err(Error::NotFound { .. }) if Instant::now() < deadline => {}
                found => return Ok(found.map(|_| ())?),
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// The gateway. One on this machine may still be starting: requests to it are patient.
    pub async fn gateway(&self) -> GatewayClient {
        let client = GatewayClient::new(&self.gateway_url);
        let client = match std::env::var("MOTIF_GATEWAY_API_KEY") {
            Ok(token) => client.api_key(token.trim()),
            Err(_) => client,
        };
        let patience = self.patience(&self.gateway_url);
        let first_look = client.clone().patience(ANNOUNCE_AFTER.min(patience)).ready().await;
        if matches!(first_look, Err(GatewayError::Unreachable { .. })) && !patience.is_zero() {
            self.say(format_args!("waiting for a gateway at {}", self.gateway_url));
        }
        client.patience(patience)
    }

    /// Asks model servers behind the paywall at `url`.
    pub fn paywall(&self, url: &str) -> PaywallClient {
        let client = PaywallClient::new().patience(self.patience(url));
        match std::env::var("MOTIF_GATEWAY_API_KEY") {
            Ok(token) => client.api_key(token.trim()),
            Err(_) => client,
        }
    }

    /// The node, if one was named.
    pub fn given_rpc_url(&self) -> Option<String> {
        self.given_rpc_url.clone()
    }

    /// The keypair file, if one was named.
    pub fn given_keypair(&self) -> Option<PathBuf> {
        self.keypair.clone()
    }

    /// Where the gateway is.
    pub fn gateway_url(&self) -> &str {
        &self.gateway_url
    }

    /// Waiting helps only where something may be starting: on this machine.
    pub fn patience(&self, url: &str) -> Duration {
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        let is_local = local.iter().any(|prefix| url.starts_with(prefix));
        if is_local { self.wait } else { Duration::ZERO }
    }

    /// Where the signing keypair is.
    ///
    /// # Errors
    /// [`CliError::NoKeypair`] without `--keypair` and without a home folder.
    pub fn keypair_path(&self) -> Result<PathBuf, CliError> {
        let home = || std::env::var_os("HOME").map(PathBuf::from);
        let usual = || home().map(|home| home.join(".config/solana/id.json"));
        self.keypair.clone().or_else(usual).ok_or(CliError::NoKeypair)
    }

    /// The keypair that signs and pays.
    ///
    /// # Errors
    /// [`CliError::NoKeypair`]; [`motif_sdk::Error::File`].
    pub fn keypair(&self) -> Result<Keypair, CliError> {
        let path = self.keypair_path()?;
        if self.keypair.is_none() && !path.exists() {
            return Err(CliError::NoKeypair);
        }
        Ok(keypair::read(&path)?)
    }

    /// Prints the answer: JSON where it was asked for, else the text.
    pub fn answer(&self, json: &Value, text: impl std::fmt::Display) {
        if self.json {
            answer::print_json(json);
        } else {
            answer::print_text(text);
        }
    }

    /// Says something on the way, on stderr.
    pub fn say(&self, text: impl std::fmt::Display) {
        eprintln!("{text}");
    }

    /// Asks for a yes, where somebody can answer; where nobody can, nobody objects.
    pub fn agrees(&self, question: &str) -> bool {
        let somebody = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if self.json || !somebody {
            return true;
        }
        eprint!("{question} [y/N] ");
        let mut answer = String::new();
        // An end of input is no yes.
        let read = std::io::stdin().read_line(&mut answer).is_ok();
        read && is_yes(&answer)
    }

    /// This machine's clock, unix seconds.
    pub fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    /// Prints why there is no answer.
    pub fn report(&self, error: &CliError) {
        let (message, help) = (error.to_string(), error.help());
        if self.json {
            answer::print_json(&answer::error_json(&error.code(), &message, help.as_deref()));
            return;
        }
        eprintln!("error: {message}");
        if let Some(help) = help {
            eprintln!("help:  {help}");
        }
    }
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_a_yes() {
        assert!(["y", "Y\n", " yes\r\n"].iter().all(|answer| is_yes(answer)));
        assert!(!["", "\n", "n", "no", "yep", "y n"].iter().any(|answer| is_yes(answer)));
    }
}
