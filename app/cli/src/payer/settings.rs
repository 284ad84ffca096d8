use std::path::PathBuf;

use clap::Args;
use motif_payer_service::{AllowedTarget, ChannelParts, PayerService, Settings};
use motif_sdk::{
    gateway::{GatewayClient, wire::Address},
    keypair,
};
use solana_keypair::Keypair;

use crate::{
    amount::AmountArg,
    currency::{CurrencyArgs, known_denomination, test_dollar},
    error::CliError,
    session::Session,
};

/// Settings of a paying service. An option overrides the file.
#[derive(Args)]
#[command(next_help_heading = "Settings of the payer")]
pub struct SettingsArgs {
    /// TOML settings file; `motif payer check --example` prints one with every setting
    #[arg(long, value_name = "FILE", env = "MOTIF_PAYER_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,

    /// Folder of the voucher key, the token, the channels' state and the receipts [default:
    /// NAME.payer beside your keypair; created if missing]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,

    /// Keypair file that signs vouchers [default: voucher.json in the state folder; created if
    /// missing]
    #[arg(long, value_name = "FILE")]
    voucher_key: Option<PathBuf>,

    #[command(flatten)]
    currency: CurrencyArgs,

    /// Maximum price of a unit [default: none, which accepts no terms; with `motif pay`,
    /// --max-price]
    #[arg(long, value_name = "AMOUNT")]
    max_unit_price: Option<AmountArg>,

    /// Maximum spending of all callers on a UTC day, fees included
    #[arg(long, value_name = "AMOUNT")]
    budget_per_day: Option<AmountArg>,

    /// Maximum spending of each caller on a UTC day, fees included
    #[arg(long, value_name = "AMOUNT")]
    caller_budget_per_day: Option<AmountArg>,

    /// Maximum rent and transaction fees of the wallet on a UTC day, lamports [default: 100000000]
    #[arg(long, value_name = "LAMPORTS")]
    lamports_per_day: Option<u64>,

    /// Deposit of a new channel [default: 0, which opens none]
    #[arg(long, value_name = "AMOUNT")]
    deposit: Option<AmountArg>,

    /// Amount of a top-up [default: 0, which tops up none]
    #[arg(long, value_name = "AMOUNT")]
    top_up: Option<AmountArg>,

    /// Maximum deposits of all channels that are not settled yet [default: deposit and one top-up]
    #[arg(long, value_name = "AMOUNT")]
    max_locked: Option<AmountArg>,

    /// Target on a private or loopback network that may be fetched, HOST or HOST:PORT. May be
    /// repeated
    #[arg(long = "private-target", value_name = "HOST[:PORT]")]
    private_targets: Vec<AllowedTarget>,
}

/// State folder of a service, and its wallet.
pub struct PayerState {
    pub folder: PathBuf,
    wallet: Keypair,
    voucher_key: Keypair,
}

impl SettingsArgs {
    /// Reads the file and the options.
    ///
    /// # Errors
    /// [`CliError::PayerSettings`] with all faults.
    pub fn read(self) -> Result<Settings, CliError> {
        let mut settings = match &self.config {
            Some(path) => Settings::read(path).map_err(CliError::PayerSettings)?,
            None => Settings::default(),
        };
        let given = self.currency.given().map(Address);
        settings.currency = given.or(settings.currency).or_else(|| Some(Address(test_dollar())));
        let mint = settings.currency.map(|mint| mint.0).unwrap_or_else(test_dollar);
        let decimals = known_denomination(&mint).map(|known| known.decimals);
        let base_units = |amount: &AmountArg| amount.to_amount().base_units(decimals);
        for (given, setting) in [
            (&self.max_unit_price, &mut settings.policy.max_unit_price),
            (&self.budget_per_day, &mut settings.budget.per_day),
            (&self.caller_budget_per_day, &mut settings.budget.per_caller_per_day),
            (&self.max_locked, &mut settings.channels.max_locked),
        ] {
            if let Some(amount) = given {
                *setting = Some(base_units(amount)?);
            }
        }
        for (given, setting) in [
            (&self.deposit, &mut settings.channels.deposit),
            (&self.top_up, &mut settings.channels.top_up),
        ] {
            if let Some(amount) = given {
                *setting = base_units(amount)?;
            }
        }
        let lamports = self.lamports_per_day.unwrap_or(settings.budget.lamports_per_day);
        settings.budget.lamports_per_day = lamports;
        settings.state = self.state.or(settings.state);
        settings.voucher_key = self.voucher_key.or(settings.voucher_key);
        settings.proxy.private_targets.extend(self.private_targets);
        settings.check().map_err(CliError::PayerSettings)?;
        Ok(settings)
    }
}

impl PayerState {
    /// Creates the state folder and reads the keys.
    ///
    /// # Errors
    /// [`CliError::KeypairMissing`]; [`CliError::Unwritable`]; [`motif_sdk::Error::File`].
    pub fn open(settings: &Settings, session: &Session) -> Result<Self, CliError> {
        let configured = settings.keypair.as_ref().filter(|_| session.given_keypair().is_none());
        let (wallet, beside) = match configured {
            Some(path) => {
                session.warn_of_exposed(path);
                (keypair::read(path)?, PathBuf::from(path))
            }
            None => (session.keypair()?, session.keypair_path()?),
        };
        let folder = settings.state.clone().unwrap_or_else(|| beside.with_extension("payer"));
        let created = motif_payer_service::create_private(&folder);
        created.map_err(|error| CliError::unwritable(&folder, error))?;
        let own = || folder.join("voucher.json");
        let path = settings.voucher_key.clone().unwrap_or_else(own);
        let voucher_key = match path.exists() {
            true => {
                session.warn_of_exposed(&path);
                keypair::read(&path)?
            }
            false => keypair::create(&path)?,
        };
        Ok(Self { folder, wallet, voucher_key })
    }

    /// Opens the service, with the clients that it needs.
    ///
    /// # Errors
    /// [`CliError::Payer`]; as [`Session::client`].
    pub async fn service(
        &self,
        settings: Settings,
        session: &Session,
    ) -> Result<PayerService, CliError> {
        let client = match settings.rpc_url.as_ref().filter(|_| session.given_rpc_url().is_none()) {
            Some(url) => session.client_at(url).await?,
            None => session.client().await?,
        };
        let mint = settings.currency.map(|mint| mint.0).unwrap_or_else(test_dollar);
        let currency = client.currency(&mint).await?;
        let gateways = gateways(&settings, session)?;
        let (wallet, voucher_key) =
            (self.wallet.insecure_clone(), self.voucher_key.insecure_clone().into());
        let parts = ChannelParts { client, wallet, voucher_key, gateways, currency };
        Ok(PayerService::open(settings, parts, &self.folder).await?)
    }
}

fn gateways(settings: &Settings, session: &Session) -> Result<Vec<GatewayClient>, CliError> {
    let api_key = match &settings.api_key_file {
        Some(path) => {
            session.warn_of_exposed(path);
            let read = std::fs::read_to_string(path);
            Some(read.map_err(|error| CliError::unreadable(path, error))?)
        }
        None => std::env::var("MOTIF_GATEWAY_API_KEY").ok(),
    };
    let mut urls = settings.gateway_urls.clone();
    if urls.is_empty() {
        urls.push(session.gateway_url().to_owned());
    }
    let client = |url: &String| {
        let client = GatewayClient::new(url).patience(session.patience(url));
        match &api_key {
            Some(token) => client.api_key(token.trim()),
            None => client,
        }
    };
    Ok(urls.iter().map(client).collect())
}
