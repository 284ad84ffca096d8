use motif_sdk::{client::Client, licensing::Config};
use serde_json::json;

use crate::{amount::grouped, answer::pairs, error::CliError, instant::duration, session::Session};

/// Says what the config says now.
pub async fn answer(client: &Client, session: &Session) -> Result<(), CliError> {
    let Config {
        cluster,
        authority,
        pending_authority,
        arbiter,
        dispute_bond_lamports,
        dispute_seconds,
        ..
    } = client.config().await?;
    let json = json!({
        "cluster": hex::encode(cluster),
        "authority": authority.to_string(),
        "pending_authority": pending_authority.map(|key| key.to_string()),
        "arbiter": arbiter.to_string(),
        "dispute_bond_lamports": dispute_bond_lamports,
        "dispute_seconds": dispute_seconds,
    });
    let pending = pending_authority.map(|key| format!(", offered to {key}")).unwrap_or_default();
    let text = pairs([
        ("cluster", hex::encode(cluster)),
        ("authority", format!("{authority}{pending}")),
        ("arbiter", arbiter.to_string()),
        ("dispute bond", format!("{} lamports", grouped(dispute_bond_lamports))),
        ("verdict within", duration(dispute_seconds)),
    ]);
    session.answer(&json, text);
    Ok(())
}
