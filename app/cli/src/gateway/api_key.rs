use std::fmt;

use clap::{Args, Subcommand};
use motif_sdk::gateway::wire::{Amount, ApiKeyFacts, CreatedApiKey, NewApiKey, ScopeWord};
use serde::Serialize;

use super::admin::AdminArgs;
use crate::{
    amount::{grouped, parse_base_units},
    error::CliError,
    output::{pairs, table},
    session::Session,
    time::parse_time,
};

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
