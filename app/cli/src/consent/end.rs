use clap::Args;
use serde_json::json;

use crate::{
    answer::pairs,
    error::CliError,
    instant::{parse_instant, utc_or},
    reference::WorkReference,
    session::Session,
};

/// To which work, and when.
#[derive(Args)]
pub struct EndArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// Last moment of the consent [default: now].
    #[arg(long, value_name = "INSTANT", value_parser = parse_instant)]
    at: Option<i64>,

    /// The consent has no end any more.
    #[arg(long, conflicts_with = "at")]
    never: bool,
}

pub async fn run(args: EndArgs, session: &Session) -> Result<(), CliError> {
    let person = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let expires_at = match (args.at, args.never) {
        (_, true) => None,
        (Some(at), false) => Some(at),
        (None, false) => Some(client.now().await?),
    };
    let landed = client.set_consent_end(&person, &work, expires_at).await?;

    let json = json!({
        "work": work.to_string(),
        "expires_at": expires_at,
        "signature": landed.signature.to_string(),
    });
    let text = pairs([
        ("work", work.to_string()),
        ("consent ends", utc_or(expires_at, "never")),
        ("after that", "no new terms, licenses and derivatives".to_owned()),
    ]);
    session.answer(&json, text);
    Ok(())
}
