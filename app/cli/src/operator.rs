//! `motif operator`: operators on chain, with their keys and conditions.

use std::{fmt, sync::Arc};

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use motif_gateway::{
    GatewayConfig,
    config::Layers,
    operator_keys::{BlockingSigner, sign_blocking},
    signer::{OperatorSigner, Purpose},
};
use motif_sdk::{
    Error, Pubkey,
    channel::Channel,
    client::{Client, ConfirmedTransaction},
    operator::{Operator, OperatorKey, OperatorTerms, RegisterOperatorArgs},
};
use serde::Serialize;
use solana_signer::Signer;

use crate::{
    amount::percent,
    error::CliError,
    output::{pairs, print_status, table},
    reference::{AccountReference, UnsignableArgs},
    session::Session,
    time::utc,
};

/// Commands of `motif operator`.
#[derive(Subcommand)]
pub enum OperatorCommand {
    /// Register an operator, with your keypair as its authority
    ///
    /// Keep the authority offline: the gateway needs the settle key and the receipt key only.
    Register(RegisterArgs),
    /// Change the conditions of new channels, the fee owner or the URL
    Update(UpdateArgs),
    /// Replace the settle key or the receipt key, 15 minutes from now
    RotateKey(RotateKeyArgs),
    /// Show an operator
    Show(ShowArgs),
    /// List all operators
    List(ListArgs),
}

/// Arguments of `motif operator register`.
#[derive(Args)]
pub struct RegisterArgs {
    /// Address, or keypair file, of the key that settles [default: the authority]
    #[arg(long, value_name = "ADDRESS|FILE")]
    settle_key: Option<AccountReference>,

    /// Address, or keypair file, of the key that signs receipts [default: the settle key]
    #[arg(long, value_name = "ADDRESS|FILE")]
    receipt_key: Option<AccountReference>,

    #[command(flatten)]
    conditions: ConditionArgs,
}

/// Conditions of an operator.
#[derive(Args)]
pub struct ConditionArgs {
    /// Minimum fee of new channels, in basis points on top of prices
    #[arg(long, value_name = "BPS", value_parser = clap::value_parser!(u16).range(..=5_000))]
    fee_bps: Option<u16>,

    /// Minimum grace period of new channels
    #[arg(long, value_name = "SECONDS")]
    min_grace_seconds: Option<u32>,

    /// Address, or keypair file, of the owner of the token accounts that fees are paid to
    #[arg(long, value_name = "ADDRESS|FILE")]
    fee_owner: Option<AccountReference>,

    #[command(flatten)]
    unsignable: UnsignableArgs,

    /// URL of the operator's gateway
    #[arg(long)]
    url: Option<String>,
}

/// Arguments of `motif operator update`. What is left out stays unchanged.
#[derive(Args)]
#[command(group(
    ArgGroup::new("changes")
        .args(["fee_bps", "min_grace_seconds", "fee_owner", "url"])
        .required(true)
        .multiple(true)
))]
pub struct UpdateArgs {
    #[command(flatten)]
    conditions: ConditionArgs,
}

/// Arguments of `motif operator rotate-key`.
#[derive(Args)]
pub struct RotateKeyArgs {
    /// Key to replace
    key: KeyArg,

    /// Address, or keypair file, of the new key
    #[arg(value_name = "ADDRESS|FILE")]
    new_key: AccountReference,
}

/// Key of an operator that can be replaced.
#[derive(Clone, Copy, ValueEnum)]
enum KeyArg {
    /// Key that settles
    Settle,
    /// Key that signs receipts
    Receipt,
}

/// Arguments of `motif operator show`.
#[derive(Args)]
pub struct ShowArgs {
    /// Address, or keypair file, of the operator's authority
    #[arg(value_name = "ADDRESS|FILE")]
    operator: AccountReference,
}

/// Arguments of `motif operator list`.
#[derive(Args)]
pub struct ListArgs {}

/// Output of every command of `motif operator` about one operator.
#[derive(Serialize)]
struct OperatorOutput {
    operator: String,
    url: String,
    fee_bps: u16,
    min_grace_seconds: u32,
    settle_key: String,
    /// Key that settles from `settle_rotates_at` on.
    next_settle_key: Option<String>,
    settle_rotates_at: Option<i64>,
    receipt_keys: Vec<ReceiptKeyOutput>,
    fee_owner: String,
    registered_at: i64,
    /// Time on chain, Unix seconds.
    #[serde(skip)]
    now: i64,
}

#[derive(Serialize)]
struct ReceiptKeyOutput {
    key: String,
    valid_from: i64,
}

/// Output of `motif operator list`.
#[derive(Serialize)]
#[serde(transparent)]
struct ListOutput(Vec<OperatorOutput>);

impl OperatorCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Register(args) => register(args, session).await,
            Self::Update(args) => update(args, session).await,
            Self::RotateKey(args) => rotate_key(args, session).await,
            Self::Show(args) => {
                let client = session.client().await?;
                print(&client, &args.operator.address()?, session).await
            }
            Self::List(ListArgs {}) => {
                let client = session.client().await?;
                let (operators, now) = (client.operators().await?, client.now().await?);
                let listed = operators.iter().map(|operator| OperatorOutput::new(operator, now));
                session.print(&ListOutput(listed.collect()));
                Ok(())
            }
        }
    }
}

async fn register(args: RegisterArgs, session: &Session) -> Result<(), CliError> {
    let authority = session.keypair()?;
    let client = args.conditions.unsignable.allow(session.client().await?);
    match client.operator(&authority.pubkey()).await {
        Ok(_) => return Err(CliError::OperatorRegistered(authority.pubkey())),
        Err(Error::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let key = |reference: Option<AccountReference>, default| {
        reference.map_or(Ok(default), |reference| reference.address())
    };
    let settle_key = key(args.settle_key, authority.pubkey())?;
    let receipt_key = key(args.receipt_key, settle_key)?;
    let terms = OperatorTerms {
        fee_bps: 0,
        min_grace_seconds: 3_600,
        fee_owner: authority.pubkey(),
        url: String::new(),
    };
    let terms = args.conditions.apply(terms)?;
    let args = RegisterOperatorArgs { settle_key, receipt_key, terms };
    client.register_operator(&authority, args).await?;
    print(&client, &authority.pubkey(), session).await
}

async fn update(args: UpdateArgs, session: &Session) -> Result<(), CliError> {
    let authority = session.keypair()?;
    let client = args.conditions.unsignable.allow(session.client().await?);
    let terms = terms_of(&registered(&client, &authority.pubkey()).await?);
    client.update_operator(&authority, args.conditions.apply(terms)?).await?;
    print(&client, &authority.pubkey(), session).await
}

async fn rotate_key(args: RotateKeyArgs, session: &Session) -> Result<(), CliError> {
    let authority = session.keypair()?;
    let client = session.client().await?;
    let key = match args.key {
        KeyArg::Settle => OperatorKey::Settle,
        KeyArg::Receipt => OperatorKey::Receipt,
    };
    let new_key = args.new_key.address()?;
    registered(&client, &authority.pubkey()).await?;
    client.rotate_operator_key(&authority, key, new_key).await?;
    let operator = registered(&client, &authority.pubkey()).await?;
    let step = match args.key {
        KeyArg::Settle => {
            let at = utc(operator.settle_rotates_at);
            format!("{new_key} settles from {at} on: restart the gateway with its keypair then")
        }
        KeyArg::Receipt => {
            let last = operator.receipt_keys.keys.last();
            let at = utc(last.map_or(0, |last| last.valid_from));
            format!(
                "{new_key} signs receipts from {at} on: restart the gateway before with its \
                 keypair as the next receipt key"
            )
        }
    };
    session.status(format_args!("next: {step}"));
    print(&client, &authority.pubkey(), session).await
}

async fn print(client: &Client, authority: &Pubkey, session: &Session) -> Result<(), CliError> {
    let operator = registered(client, authority).await?;
    session.print(&OperatorOutput::new(&operator, client.now().await?));
    Ok(())
}

/// Returns the operator with this authority.
///
/// # Errors
/// [`CliError::NotAnOperator`]; [`Error::Transport`].
pub async fn registered(client: &Client, authority: &Pubkey) -> Result<Operator, CliError> {
    match client.operator(authority).await {
        Err(Error::NotFound { .. }) => Err(CliError::NotAnOperator(*authority)),
        found => Ok(found?),
    }
}

impl ConditionArgs {
    /// Replaces what was given.
    fn apply(self, terms: OperatorTerms) -> Result<OperatorTerms, CliError> {
        CliError::check_visible("URL", self.url.as_deref().unwrap_or_default())?;
        Ok(OperatorTerms {
            fee_bps: self.fee_bps.unwrap_or(terms.fee_bps),
            min_grace_seconds: self.min_grace_seconds.unwrap_or(terms.min_grace_seconds),
            fee_owner: self.fee_owner.map_or(Ok(terms.fee_owner), |owner| owner.address())?,
            url: self.url.unwrap_or(terms.url),
        })
    }
}

fn terms_of(operator: &Operator) -> OperatorTerms {
    OperatorTerms {
        fee_bps: operator.fee_bps,
        min_grace_seconds: operator.min_grace_seconds,
        fee_owner: operator.fee_owner,
        url: operator.url.clone(),
    }
}

/// Conditions that a gateway's settings name.
#[derive(Clone, Copy)]
pub struct GivenConditions {
    pub fee_bps: bool,
    pub min_grace_seconds: bool,
}

impl GivenConditions {
    /// Both conditions.
    #[cfg(feature = "localnet")]
    pub const ALL: Self = Self { fee_bps: true, min_grace_seconds: true };

    /// Returns the conditions that options, environment or file name.
    pub fn new(layers: &Layers) -> Self {
        Self {
            fee_bps: layers.given("operator_fee_bps").is_some(),
            min_grace_seconds: layers.given("min_grace_seconds").is_some(),
        }
    }
}

/// Makes a gateway and its operator's account agree before the gateway starts.
///
/// A gateway that has the operator's authority registers the operator if it is missing, and writes
/// its `given` conditions into the account. Every other condition is adopted from the account.
/// A store with channels of another operator registers none.
///
/// # Errors
/// [`CliError::Usage`] if the operator is not registered, or has other keys than the gateway;
/// [`CliError::GatewayStart`] if the store cannot be read or has another operator's channels;
/// [`CliError::GatewaySettings`] if the adopted conditions contradict the settings.
pub async fn prepare_operator(
    client: &Client,
    config: &mut GatewayConfig,
    given: GivenConditions,
) -> Result<Vec<ConfirmedTransaction>, CliError> {
    let authority = config.keys.authority.clone();
    let operator = match (client.operator(&config.operator).await, &authority) {
        (Ok(operator), _) => operator,
        (Err(Error::NotFound { .. }), Some(authority)) => {
            motif_gateway::check_store(config, Some(client.config().await?.cluster)).await?;
            let args = RegisterOperatorArgs {
                settle_key: config.keys.settle.present.public_key(),
                receipt_key: config.keys.receipt.present.public_key(),
                terms: settings(config, config.operator, ""),
            };
            let client = client.clone();
            let register = move |authority: BlockingSigner| async move {
                client.register_operator(&authority, args).await
            };
            return Ok(vec![send(authority, register).await?]);
        }
        (Err(Error::NotFound { .. }), None) => {
            let what = format!("the operator {} is not registered", config.operator);
            let help = "run `motif operator register` with its authority's keypair";
            return Err(CliError::usage(what, help));
        }
        (Err(error), _) => return Err(error.into()),
    };
    check_keys(&operator, config, client.now().await?)?;
    if authority.is_none() || !given.fee_bps {
        config.operator_fee_bps = operator.fee_bps;
    }
    if authority.is_none() || !given.min_grace_seconds {
        // An account that asks for less gets the program's minimum.
        config.min_grace_seconds = operator.min_grace_seconds.max(Channel::MIN_GRACE_SECONDS);
    }
    config.faults().or(()).map_err(CliError::GatewaySettings)?;
    let Some(authority) = authority else { return Ok(Vec::new()) };
    let mut terms = settings(config, operator.fee_owner, &operator.url);
    if !given.min_grace_seconds {
        terms.min_grace_seconds = operator.min_grace_seconds;
    }
    if terms == terms_of(&operator) {
        return Ok(Vec::new());
    }
    let client = client.clone();
    let update = move |authority: BlockingSigner| async move {
        client.update_operator(&authority, terms).await
    };
    Ok(vec![send(&authority, update).await?])
}

/// Sends a transaction that the authority signs, which may be in another process.
async fn send<F>(
    authority: &Arc<dyn OperatorSigner>,
    operation: impl FnOnce(BlockingSigner) -> F + Send + 'static,
) -> Result<ConfirmedTransaction, CliError>
where
    F: Future<Output = Result<ConfirmedTransaction, Error>>,
{
    let sent = sign_blocking(authority, Purpose::Authority, operation).await;
    Ok(sent.map_err(|error| CliError::Runtime(error.to_string()))??)
}

/// Returns the conditions in a gateway's settings; `url` without a public one.
fn settings(config: &GatewayConfig, fee_owner: Pubkey, url: &str) -> OperatorTerms {
    OperatorTerms {
        fee_bps: config.operator_fee_bps,
        min_grace_seconds: config.min_grace_seconds,
        fee_owner,
        url: config.public_url.clone().unwrap_or_else(|| url.to_owned()),
    }
}

/// Checks that the gateway has the keys that the account names, and keeps the account for it.
fn check_keys(operator: &Operator, config: &mut GatewayConfig, now: i64) -> Result<(), CliError> {
    let other = |setting: &str, expected: &Pubkey| {
        let what = format!("`{setting}` differs from the key on chain: expected {expected}");
        CliError::usage(what, "configure that key")
    };
    let keys = &config.keys;
    let settle_key = operator.settle_key_at(now);
    let pending = (operator.settle_rotates_at != i64::MAX).then_some(&operator.next_settle_key);
    let is_pending = pending.is_some_and(|next| keys.settle.of(next).is_some());
    if keys.settle.of(settle_key).is_none() && !is_pending {
        return Err(other("keys.settle", settle_key));
    }
    let receipt_key = operator.receipt_keys.at(now).unwrap_or(&operator.authority);
    if keys.receipt.of(receipt_key).is_none() {
        return Err(other("keys.receipt", receipt_key));
    }
    let last = operator.receipt_keys.keys.last();
    let later = last.filter(|last| last.valid_from > now && keys.receipt.of(&last.key).is_none());
    for (setting, key) in [
        ("keys.next_settle", pending.filter(|next| keys.settle.of(next).is_none())),
        ("keys.next_receipt", later.map(|last| &last.key)),
    ] {
        if let Some(key) = key {
            print_status(format_args!(
                "warning: a rotation to {key} is pending: set {setting} before its time"
            ));
        }
    }
    config.keys.account = Some(operator.clone());
    Ok(())
}

impl OperatorOutput {
    /// Describes an operator at `now`, Unix seconds.
    fn new(operator: &Operator, now: i64) -> Self {
        let rotates = operator.settle_rotates_at != i64::MAX && now < operator.settle_rotates_at;
        let receipt_keys = operator.receipt_keys.keys.iter();
        Self {
            operator: operator.authority.to_string(),
            url: operator.url.clone(),
            fee_bps: operator.fee_bps,
            min_grace_seconds: operator.min_grace_seconds,
            settle_key: operator.settle_key_at(now).to_string(),
            next_settle_key: rotates.then(|| operator.next_settle_key.to_string()),
            settle_rotates_at: rotates.then_some(operator.settle_rotates_at),
            receipt_keys: receipt_keys
                .map(|receipt| ReceiptKeyOutput {
                    key: receipt.key.to_string(),
                    valid_from: receipt.valid_from,
                })
                .collect(),
            fee_owner: operator.fee_owner.to_string(),
            registered_at: operator.registered_at,
            now,
        }
    }

    /// Returns the URL, or a dash without one.
    fn url_or_dash(&self) -> String {
        if self.url.is_empty() { "-".to_owned() } else { self.url.clone() }
    }
}

impl fmt::Display for OperatorOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url_or_dash();
        let fee = percent(self.fee_bps);
        let mut rows: Vec<(&str, String)> = vec![
            ("operator", self.operator.clone()),
            ("URL", url),
            ("fee", format!("{fee} on top of prices")),
            ("grace period", format!("at least {} s", self.min_grace_seconds)),
            ("settle key", self.settle_key.clone()),
        ];
        if let (Some(next), Some(at)) = (&self.next_settle_key, self.settle_rotates_at) {
            rows.push(("next settle key", format!("{next} from {}", utc(at))));
        }
        let is_next = |receipt: &ReceiptKeyOutput| receipt.valid_from > self.now;
        let present = self.receipt_keys.iter().rposition(|receipt| !is_next(receipt));
        for (position, receipt) in self.receipt_keys.iter().enumerate() {
            let name = match is_next(receipt) {
                true => "next receipt key",
                false if present == Some(position) => "receipt key",
                false => "earlier receipt key",
            };
            let from = match receipt.valid_from {
                0 => String::new(),
                at => format!(" from {}", utc(at)),
            };
            rows.push((name, format!("{}{from}", receipt.key)));
        }
        rows.push(("fees go to", self.fee_owner.clone()));
        rows.push(("registered", utc(self.registered_at)));
        let rows: Vec<_> =
            rows.iter().map(|(name, value)| (*name, value as &dyn fmt::Display)).collect();
        formatter.write_str(&pairs(&rows))
    }
}

impl fmt::Display for ListOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.0.iter().map(|operator| {
            [
                operator.operator.clone(),
                percent(operator.fee_bps).to_string(),
                operator.min_grace_seconds.to_string(),
                operator.url_or_dash(),
            ]
        });
        formatter.write_str(&table(["operator", "fee", "grace s", "URL"], &[1, 2], rows))
    }
}
