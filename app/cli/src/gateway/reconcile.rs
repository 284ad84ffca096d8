use clap::Args;
use motif_sdk::gateway::wire::ReconciledChannel;
use serde_json::json;

use super::admin::AdminArgs;
use crate::{amount::grouped, answer::table, error::CliError, session::Session};

/// Which gateway.
#[derive(Args)]
pub struct ReconcileArgs {
    #[command(flatten)]
    admin: AdminArgs,
}

pub async fn run(args: &ReconcileArgs, session: &Session) -> Result<(), CliError> {
    let books = args.admin.client(session)?.reconcile().await?;
    let rows = books.channels.iter().map(row).collect();
    let header = ["channel", "receipts", "charged", "vouched", "settled", "open", "state"];
    let mut text = table(header, &[1, 2, 3, 4, 5], rows);
    for channel in &books.channels {
        for difference in &channel.differences {
            text.push_str(&format!("\n{}: {difference}", channel.channel));
        }
    }
    session.answer(&json!(books), text);
    if books.exact {
        return Ok(());
    }
    let count = books.channels.iter().filter(|channel| !channel.differences.is_empty()).count();
    Err(CliError::NotConserved(format!("{count} channels differ from the chain")))
}

fn row(channel: &ReconciledChannel) -> [String; 7] {
    let state = if channel.differences.is_empty() { "exact" } else { "differs" };
    [
        channel.channel.to_string(),
        grouped(channel.receipts),
        grouped(channel.receipts_charged.0),
        grouped(channel.vouched.0),
        grouped(channel.settled.0),
        grouped(channel.exposed.0),
        state.to_owned(),
    ]
}
