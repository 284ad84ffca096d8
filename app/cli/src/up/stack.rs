use std::{fs, sync::Arc, time::Duration};

use async_trait::async_trait;
use motif_gateway::{Faucet, FaucetHandle, GatewayConfig, RunningGateway, config::Layers, serve};
use motif_localnet::{Localnet, LocalnetConfig, LocalnetError};
use motif_model_server::ModelServer;
use motif_sdk::{Pubkey, channel::Currency, client::Client, gateway::GatewayClient};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};

use super::{
    home::Home,
    ports::Ports,
    report::{KeypairOutput, UpOutput},
    samples::Registrar,
};
use crate::{
    decode_worker,
    error::CliError,
    localnet,
    operator::{GivenConditions, prepare_operator},
    output::print_status,
};

const LAMPORTS: u64 = 10_000_000_000;
/// Test dollars of the platform, base units.
const PLATFORM_DOLLARS: u64 = 1_000_000_000;
/// Age at which unsettled generations settle, so that earnings show soon.
const SETTLE_AT_SECONDS: u32 = 15;
/// Interval of the checks for a failure of the gateway.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// Maximum time of the last settlements, and of the gateway's shutdown.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Keypairs that a run needs, in the order of their files' creation.
const NAMES: [&str; 5] = ["authority", "operator", "ines", "kofi", "platform"];

/// Parts that run.
pub struct Stack {
    gateway: RunningGateway,
    model_server: JoinHandle<std::io::Result<()>>,
    localnet: Localnet,
}

impl Stack {
    /// Starts all parts: each needs those before it.
    ///
    /// # Errors
    /// That of the first part that does not start.
    pub async fn start(
        ports: &Ports,
        home: &Home,
        folder_is_kept: bool,
    ) -> Result<(Self, UpOutput), CliError> {
        let mut keypairs = Vec::new();
        for name in NAMES {
            let (file, keypair) = home.keypair(name)?;
            keypairs.push((name, file, keypair));
        }
        let [authority, operator, ines, kofi, platform] = std::array::from_fn(|at| &keypairs[at].2);

        let refuse = |error| CliError::Listen { listen: ports.model.to_string(), error };
        let listener = TcpListener::bind(ports.model).await.map_err(refuse)?;
        let model_server = tokio::spawn(ModelServer::default().serve(listener));
        let model_server_url = format!("http://{}", ports.model);

        let mut config = LocalnetConfig::new().with_motif_programs();
        config.rpc_port = ports.rpc;
        let localnet = Localnet::start(config).await?;
        let (rpc_url, faucet) = (localnet.rpc_url(), localnet.faucet());
        let client = Client::new(&rpc_url);
        localnet::initialize(&client, &faucet, authority).await?;
        for (_, _, keypair) in &keypairs {
            faucet.airdrop_sol(&keypair.pubkey(), LAMPORTS).await?;
        }
        faucet.mint_dollars(&platform.pubkey(), PLATFORM_DOLLARS).await?;
        let currency = Currency::spl(faucet.dollar().mint);
        let registrar = Registrar {
            client: &client,
            home,
            currency: &currency,
            creators: [ines, kofi],
            gateway_url: &format!("http://{}", ports.api),
        };
        let samples = registrar.register_all().await?;

        let routes = home.path("paywall.toml");
        fs::write(&routes, samples.routes(&model_server_url))
            .map_err(|error| CliError::unwritable(&routes, error))?;
        let mut config = gateway_config(ports, home, &rpc_url, operator)?;
        prepare_operator(&client, &mut config, GivenConditions::ALL).await?;
        config.faucet = Some(FaucetHandle(Arc::new(TestTokens(localnet.faucet()))));
        let gateway = serve(config).await?;

        let api_url = gateway.url();
        let works = samples.host(&GatewayClient::new(&api_url)).await?;
        let paywall_url = format!("http://{}", ports.paywall);
        let platform_file = home.path("platform.json");
        let output = UpOutput {
            studio_url: studio_url(&api_url).await,
            pay: UpOutput::pay_command(&paywall_url, &rpc_url, &api_url, &platform_file),
            curl: UpOutput::curl_command(&paywall_url),
            api_url,
            paywall_url,
            model_server_url,
            rpc_url,
            ws_url: localnet.ws_url(),
            folder: home.run.clone(),
            folder_is_kept,
            test_dollar: currency.mint.to_string(),
            keypairs: keypairs
                .into_iter()
                .map(|(name, file, keypair)| KeypairOutput {
                    name,
                    address: keypair.pubkey().to_string(),
                    file,
                })
                .collect(),
            works,
        };
        Ok((Self { gateway, model_server, localnet }, output))
    }

    /// Waits until a part has failed.
    pub async fn failed(&mut self) -> CliError {
        tokio::select! {
            error = self.gateway.failed(CHECK_EVERY, || {}) => CliError::GatewayFailed(error),
            ended = &mut self.model_server => CliError::ModelServer(match ended {
                Ok(Ok(())) => "it has ended".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            }),
            () = self.localnet.failed() => LocalnetError::Panicked.into(),
        }
    }

    /// Stops all parts, the paywall first. Settles all channels before, if every part still works.
    ///
    /// # Errors
    /// [`CliError::GatewayFailed`] for the first channel that did not settle; [`CliError::Localnet`].
    pub async fn stop(self, settles: bool) -> Result<(), CliError> {
        let Self { gateway, model_server, localnet } = self;
        let settled = match settles {
            true => timeout(STOP_WITHIN, settle_all(&gateway)).await.unwrap_or_else(|_| {
                print_status("warning: the channels did not settle in time");
                Ok(())
            }),
            false => Ok(()),
        };
        // Its store is durable, so a connection that stays open costs no data.
        let _ = timeout(STOP_WITHIN, gateway.shutdown()).await;
        model_server.abort();
        localnet.stop().await?;
        settled
    }
}

/// Faucet of the localnet, for test wallets of the studio.
struct TestTokens(motif_localnet::Faucet);

#[async_trait]
impl Faucet for TestTokens {
    async fn give(&self, to: Pubkey, lamports: u64, dollars: u64) -> Result<(), String> {
        if lamports > 0 {
            self.0.airdrop_sol(&to, lamports).await.map_err(|error| error.to_string())?;
        }
        if dollars > 0 {
            self.0.mint_dollars(&to, dollars).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

async fn settle_all(gateway: &RunningGateway) -> Result<(), CliError> {
    let app = gateway.app();
    for channel in app.channels.list() {
        app.settler.settle(channel.address).await.map_err(CliError::GatewayFailed)?;
    }
    Ok(())
}

/// Returns the configuration of a gateway whose paywall sells by the run's `paywall.toml`.
fn gateway_config(
    ports: &Ports,
    home: &Home,
    rpc_url: &str,
    operator: &Keypair,
) -> Result<GatewayConfig, CliError> {
    let path = |name: &str| home.path(name).display().to_string();
    let port = ports.api.port();
    // Pages of the API's listener call the paywall, which is another origin.
    let origins = format!("http://127.0.0.1:{port},http://localhost:{port}");
    let mut layers = Layers::default();
    for (key, text) in [
        ("rpc_url", rpc_url.to_owned()),
        ("listen", ports.api.to_string()),
        ("store", path("gateway.sqlite")),
        ("cors.origins", origins),
        ("settle.at_age_seconds", SETTLE_AT_SECONDS.to_string()),
        // Everything is on this machine.
        ("events.every_seconds", "1".to_owned()),
        ("events.chain_seconds", "2".to_owned()),
        ("events.allow_private", "true".to_owned()),
        ("paywall.listen", ports.paywall.to_string()),
        ("paywall.routes", path("paywall.toml")),
        ("paywall.spool", path("answers")),
        ("hosting.folder", path("hosted")),
    ] {
        layers.flag(key, Some(text));
    }
    let config = GatewayConfig::read(&layers, Ok(operator.insecure_clone()));
    let mut config = config.map_err(CliError::GatewaySettings)?;
    config.decoding = decode_worker::worker(None);
    Ok(config)
}

/// Returns the URL of the studio, if the gateway of this build serves it.
async fn studio_url(api_url: &str) -> Option<String> {
    let url = format!("{api_url}/studio");
    let client = motif_sdk::http::client_builder().build().ok()?;
    let answer = client.get(&url).header(reqwest::header::ACCEPT, "text/html").send().await.ok()?;
    answer.status().is_success().then_some(url)
}
