use clap::{Args, Subcommand};
use motif_sdk::gateway::wire::{Amount, ApiKeyFacts, NewApiKey, ScopeWord};
use serde_json::json;

use super::admin::AdminArgs;
use crate::{
    amount::grouped,
    answer::{pairs, table},
    error::CliError,
    session::Session,
};

/// API keys of a gateway.
#[derive(Subcommand)]
pub enum ApiKeyCommand {
    /// Make a key; its token is shown this once.
    Create(CreateArgs),
    /// List keys, oldest first.
    List(ListArgs),
    /// End a key at once.
    Revoke(RevokeArgs),
}

/// What the key is for.
#[derive(Args)]
pub struct CreateArgs {
    /// Whose it is, or what for.
    name: String,

    /// What it may do: meter, read or admin.
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',')]
    scopes: Vec<ScopeWord>,

    /// The most it may ever spend, fees included [default: no limit].
    #[arg(long, value_name = "BASE_UNITS")]
    budget: Option<u64>,

    /// Last unix second in which it is good [default: no end].
    #[arg(long, value_name = "UNIX_SECONDS")]
    expires_at: Option<i64>,

    #[command(flatten)]
    admin: AdminArgs,
}

/// Which gateway.
#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    admin: AdminArgs,
}

/// Which key.
#[derive(Args)]
pub struct RevokeArgs {
    /// The key's name towards the gateway, 16 hexadecimal digits.
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

async fn create(args: CreateArgs, session: &Session) -> Result<(), CliError> {
    let wanted = NewApiKey {
        name: args.name,
        scopes: args.scopes,
        budget: args.budget.map(Amount),
        expires_at: args.expires_at,
    };
    let created = args.admin.client(session)?.create_api_key(&wanted).await?;
    let text = pairs([("key", created.key.key.clone()), ("token", created.token.clone())]);
    let text = format!("keep the token; it is not shown again\n{text}");
    session.answer(&json!(created), text);
    Ok(())
}

async fn list(args: &ListArgs, session: &Session) -> Result<(), CliError> {
    let keys = args.admin.client(session)?.api_keys().await?;
    let rows = keys.iter().map(row).collect();
    let header = ["key", "name", "scopes", "spent", "budget", "state"];
    session.answer(&json!({ "keys": keys }), table(header, &[3, 4], rows));
    Ok(())
}

async fn revoke(args: &RevokeArgs, session: &Session) -> Result<(), CliError> {
    let key = args.admin.client(session)?.revoke_api_key(&args.key).await?;
    session.answer(&json!(key), format!("{} ({}) is not good any more", key.key, key.name));
    Ok(())
}

fn row(key: &ApiKeyFacts) -> [String; 6] {
    let scopes: Vec<_> = key.scopes.iter().map(ToString::to_string).collect();
    [
        key.key.clone(),
        key.name.clone(),
        scopes.join(", "),
        grouped(key.spent.0),
        key.budget.map_or_else(|| "none".to_owned(), |budget| grouped(budget.0)),
        if key.revoked_at.is_some() { "revoked" } else { "good" }.to_owned(),
    ]
}
