use std::{fmt, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use motif_sdk::{
    Pubkey,
    gateway::{
        AdminClient,
        wire::{
            Address, Amount, ApiKeyFacts, CreatedApiKey, NewApiKey, Reconciliation, ScopeWord,
            UsageBy, UsageReport,
        },
    },
    text::visible,
};
use serde::Serialize;

use crate::{
    amount::{Scale, grouped, parse_base_units},
    currency::known_scale,
    error::CliError,
    output::{self, pairs, table},
    reference::read_file,
    session::Session,
    time::parse_time,
};

/// Admin listener of a gateway, and the secret that authenticates its operator.
#[derive(Args)]
pub struct AdminArgs {
    /// URL of the gateway's admin listener
    #[arg(
        long,
        env = "MOTIF_ADMIN_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:8788"
    )]
    admin_url: String,

    /// File with the admin secret, or with an API key of scope `admin` [default: the value of
    /// MOTIF_GATEWAY_ADMIN_SECRET]
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl AdminArgs {
    /// Returns a client of the admin listener.
    ///
    /// # Errors
    /// [`CliError::Usage`] without a secret; [`CliError::Unreadable`].
    pub fn client(&self, session: &Session) -> Result<AdminClient, CliError> {
        let secret = match &self.secret_file {
            Some(path) => String::from_utf8(read_file(path)?)
                .map_err(|_| CliError::unreadable(path, "the file is not text"))?,
            None => std::env::var("MOTIF_GATEWAY_ADMIN_SECRET").map_err(|_| {
                let help = "pass --secret-file or set MOTIF_GATEWAY_ADMIN_SECRET";
                CliError::usage("no admin secret", help)
            })?,
        };
        let patience = session.patience(&self.admin_url);
        Ok(AdminClient::new(&self.admin_url, secret.trim()).patience(patience))
    }
}

/// Arguments of `motif gateway reconcile`.
#[derive(Args)]
pub struct ReconcileArgs {
    #[command(flatten)]
    admin: AdminArgs,
}

/// Arguments of `motif gateway usage`.
#[derive(Args)]
pub struct UsageArgs {
    /// Property to group by
    #[arg(long, default_value = "work")]
    by: GroupBy,

    /// Start of the report, inclusive, as UTC or Unix seconds [default: the first generation]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Option<i64>,

    /// End of the report, exclusive, as UTC or Unix seconds [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<i64>,

    /// Print comma-separated values, with amounts in base units
    #[arg(long)]
    csv: bool,

    #[command(flatten)]
    admin: AdminArgs,
}

/// Property that a usage report groups by.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum GroupBy {
    /// Licensed work
    Work,
    /// Day, in UTC
    Day,
    /// Payer
    Platform,
    /// Channel
    Channel,
    /// API key
    ApiKey,
}

impl From<GroupBy> for UsageBy {
    fn from(by: GroupBy) -> Self {
        match by {
            GroupBy::Work => Self::Work,
            GroupBy::Day => Self::Day,
            GroupBy::Platform => Self::Platform,
            GroupBy::Channel => Self::Channel,
            GroupBy::ApiKey => Self::ApiKey,
        }
    }
}

/// Output of `motif gateway reconcile`.
#[derive(Serialize)]
#[serde(transparent)]
struct ReconcileOutput(Reconciliation);

pub async fn reconcile(args: &ReconcileArgs, session: &Session) -> Result<(), CliError> {
    let books = args.admin.client(session)?.reconcile().await?;
    let differing = books.channels.iter().filter(|channel| !channel.differences.is_empty()).count();
    let (is_exact, quarantined) = (books.exact, books.quarantined.len());
    session.print(&ReconcileOutput(books));
    if is_exact {
        return Ok(());
    }
    Err(CliError::NotConserved(format!(
        "{differing} channels differ from the chain, {quarantined} are quarantined"
    )))
}

impl fmt::Display for ReconcileOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.0.channels.iter().map(|channel| {
            let scale = known_scale(&channel.mint.0).unwrap_or(Scale::BaseUnits);
            let state = if channel.differences.is_empty() { "exact" } else { "differs" };
            [
                channel.channel.to_string(),
                grouped(channel.receipts),
                scale.money(channel.receipts_charged.0).to_string(),
                scale.money(channel.vouched.0).to_string(),
                scale.money(channel.settled.0).to_string(),
                scale.money(channel.exposed.0).to_string(),
                state.to_owned(),
            ]
        });
        let header = ["channel", "receipts", "charged", "vouched", "settled", "open", "state"];
        formatter.write_str(&table(header, &[1, 2, 3, 4, 5], rows))?;
        for channel in &self.0.channels {
            for difference in &channel.differences {
                let difference = visible(difference);
                write!(formatter, "\n{}: {difference}", channel.channel)?;
            }
        }
        for channel in &self.0.quarantined {
            let name = channel.channel.map(|address| address.to_string()).unwrap_or_default();
            let (id, reason) = (channel.id, visible(&channel.reason));
            write!(formatter, "\nquarantined channel {name} (number {id}): {reason}")?;
        }
        for expense in &self.0.expenses {
            let (lamports, count) = (grouped(expense.fee_lamports), grouped(expense.transactions));
            let kind = visible(&expense.kind);
            write!(formatter, "\npaid for `{kind}`: {lamports} lamports, {count} transactions")?;
        }
        Ok(())
    }
}

/// Output of `motif gateway usage`.
#[derive(Serialize)]
#[serde(transparent)]
struct UsageOutput(UsageReport);

pub async fn usage(args: &UsageArgs, session: &Session) -> Result<(), CliError> {
    let client = args.admin.client(session)?;
    let report = client.usage(args.by.into(), args.from, args.until).await?;
    if args.csv {
        output::print_text(report.csv().trim_end());
    } else {
        session.print(&UsageOutput(report));
    }
    Ok(())
}

impl fmt::Display for UsageOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.0.rows.iter().map(|row| {
            let scale = known_scale(&row.mint.0).unwrap_or(Scale::BaseUnits);
            [
                row.name.clone(),
                row.mint.to_string(),
                grouped(row.generations),
                grouped(row.units),
                scale.money(row.prices.0).to_string(),
                scale.money(row.charged.0).to_string(),
            ]
        });
        let header = ["name", "mint", "generations", "units", "prices", "charged"];
        formatter.write_str(&table(header, &[2, 3, 4, 5], rows))
    }
}

/// Commands of `motif gateway api-key`.
#[derive(Subcommand)]
pub enum ApiKeyCommand {
    /// Create an API key, and print its token this once
    Create(CreateArgs),
    /// List API keys, oldest first
    List(ListArgs),
    /// Revoke an API key at once
    Revoke(RevokeArgs),
}

/// Arguments of `motif gateway api-key create`.
#[derive(Args)]
pub struct CreateArgs {
    /// Name of the key, such as its holder
    name: String,

    /// Scopes of the key: meter, read or admin
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',')]
    scopes: Vec<ScopeWord>,

    /// Channel whose receipts and usage the key may read with the scope `read`. May be repeated
    #[arg(long = "channel", value_name = "ADDRESS")]
    channels: Vec<Pubkey>,

    /// Maximum total spend, fees included, in base units such as 5000000u [default: unlimited]
    ///
    /// A budget counts payments in any currency, so it has no whole tokens.
    #[arg(long, value_name = "BASE_UNITS", value_parser = parse_base_units)]
    budget: Option<u64>,

    /// Expiry of the key, as UTC or Unix seconds [default: never]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    expires_at: Option<i64>,

    #[command(flatten)]
    admin: AdminArgs,
}

/// Arguments of `motif gateway api-key list`.
#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    admin: AdminArgs,
}

/// Arguments of `motif gateway api-key revoke`.
#[derive(Args)]
pub struct RevokeArgs {
    /// Identifier of the key, 16 hexadecimal digits
    key: String,

    #[command(flatten)]
    admin: AdminArgs,
}

impl ApiKeyCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Create(args) => create(args, session).await,
            Self::List(args) => list(&args, session).await,
            Self::Revoke(args) => revoke(&args, session).await,
        }
    }
}

/// Output of `motif gateway api-key create`.
#[derive(Serialize)]
#[serde(transparent)]
struct CreateOutput(CreatedApiKey);

async fn create(args: CreateArgs, session: &Session) -> Result<(), CliError> {
    let wanted = NewApiKey {
        name: args.name,
        scopes: args.scopes,
        channels: args.channels.into_iter().map(Address).collect(),
        budget: args.budget.map(Amount),
        expires_at: args.expires_at,
    };
    session.print(&CreateOutput(args.admin.client(session)?.create_api_key(&wanted).await?));
    Ok(())
}

impl fmt::Display for CreateOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = pairs(&[("key", &self.0.key.key), ("token", &self.0.token)]);
        write!(formatter, "store the token; it is not shown again\n{facts}")
    }
}

/// Output of `motif gateway api-key list`.
#[derive(Serialize)]
struct ListOutput {
    keys: Vec<ApiKeyFacts>,
}

async fn list(args: &ListArgs, session: &Session) -> Result<(), CliError> {
    session.print(&ListOutput { keys: args.admin.client(session)?.api_keys().await? });
    Ok(())
}

impl fmt::Display for ListOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.keys.iter().map(|key| {
            let scopes: Vec<_> = key.scopes.iter().map(ToString::to_string).collect();
            [
                key.key.clone(),
                key.name.clone(),
                scopes.join(", "),
                grouped(key.spent.0),
                key.budget.map_or_else(|| "unlimited".to_owned(), |budget| grouped(budget.0)),
                if key.revoked_at.is_some() { "revoked" } else { "active" }.to_owned(),
            ]
        });
        let header =
            ["key", "name", "scopes", "spent (base units)", "budget (base units)", "state"];
        formatter.write_str(&table(header, &[3, 4], rows))
    }
}

/// Output of `motif gateway api-key revoke`.
#[derive(Serialize)]
#[serde(transparent)]
struct RevokeOutput(ApiKeyFacts);

async fn revoke(args: &RevokeArgs, session: &Session) -> Result<(), CliError> {
    session.print(&RevokeOutput(args.admin.client(session)?.revoke_api_key(&args.key).await?));
    Ok(())
}

impl fmt::Display for RevokeOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "revoked API key {} ({})", self.0.key, self.0.name)
    }
}
