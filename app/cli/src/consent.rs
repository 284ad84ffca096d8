//! `motif consent`: consents of the persons whose voice or likeness a work has.

use std::fmt;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    error::CliError,
    output::pairs,
    reference::WorkArgs,
    session::Session,
    time::{parse_time, utc_or},
};

/// Commands of `motif consent`.
#[derive(Subcommand)]
pub enum ConsentCommand {
    /// Set when your consent to a work expires
    ///
    /// After that the work takes no new terms, licenses or derivatives. Existing licenses keep
    /// their expiry.
    End(EndArgs),
}

/// Arguments of `motif consent end`.
#[derive(Args)]
pub struct EndArgs {
    #[command(flatten)]
    work: WorkArgs,

    /// Expiry of the consent, as UTC or Unix seconds [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<i64>,

    /// Remove the consent's expiry
    #[arg(long, conflicts_with = "at")]
    never: bool,
}

impl ConsentCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::End(args) => end(args, session).await,
        }
    }
}

/// Output of `motif consent end`.
#[derive(Serialize)]
struct EndOutput {
    work: String,
    expires_at: Option<i64>,
    signature: String,
}

async fn end(args: EndArgs, session: &Session) -> Result<(), CliError> {
    let person = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let expires_at = match (args.at, args.never) {
        (_, true) => None,
        (Some(at), false) => Some(at),
        (None, false) => Some(client.now().await?),
    };
    let landed = client.set_consent_end(&person, &work, expires_at).await?;
    let signature = landed.signature.to_string();
    session.print(&EndOutput { work: work.to_string(), expires_at, signature });
    Ok(())
}

impl fmt::Display for EndOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[
            ("work", &self.work),
            ("consent expires", &utc_or(self.expires_at, "never")),
            ("afterwards", &"no new terms, licenses or derivatives"),
        ]))
    }
}
