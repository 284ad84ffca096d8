use clap::{Args, ValueEnum};
use motif_sdk::gateway::wire::UsageBy;
use serde_json::json;

use super::admin::AdminArgs;
use crate::{amount::grouped, answer, answer::table, error::CliError, session::Session};

/// What to report.
#[derive(Args)]
pub struct UsageArgs {
    /// What to add up by.
    #[arg(long, value_enum, default_value = "work")]
    by: By,

    /// From this unix second on.
    #[arg(long, value_name = "UNIX_SECONDS")]
    from: Option<i64>,

    /// Until before this unix second.
    #[arg(long, value_name = "UNIX_SECONDS")]
    until: Option<i64>,

    /// Print comma-separated values.
    #[arg(long)]
    csv: bool,

    #[command(flatten)]
    admin: AdminArgs,
}

/// What reports add up by.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum By {
    /// The licensed work.
    Work,
    /// The day, UTC.
    Day,
    /// Who pays.
    Platform,
    /// The channel.
    Channel,
    /// The API key.
    ApiKey,
}

pub async fn run(args: &UsageArgs, session: &Session) -> Result<(), CliError> {
    let by = match args.by {
        By::Work => UsageBy::Work,
        By::Day => UsageBy::Day,
        By::Platform => UsageBy::Platform,
        By::Channel => UsageBy::Channel,
        By::ApiKey => UsageBy::ApiKey,
    };
    let report = args.admin.client(session)?.usage(by, args.from, args.until).await?;
    if args.csv {
        answer::print_text(report.csv().trim_end());
        return Ok(());
    }
    let rows = report.rows.iter().map(|row| {
        [
            row.name.clone(),
            row.mint.to_string(),
            grouped(row.generations),
            grouped(row.units),
            grouped(row.prices.0),
            grouped(row.charged.0),
        ]
    });
    let header = ["name", "mint", "generations", "units", "prices", "charged"];
    let text = table(header, &[2, 3, 4, 5], rows.collect());
    session.answer(&json!(report), text);
    Ok(())
}
