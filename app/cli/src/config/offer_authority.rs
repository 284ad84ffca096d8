use clap::Args;

use super::report;
use crate::{error::CliError, reference::Somebody, session::Session};

/// Whom to offer it to.
#[derive(Args)]
pub struct OfferAuthorityArgs {
    /// An address, or a keypair file.
    #[arg(long, value_name = "ADDRESS|FILE", value_parser = Somebody::parse, required_unless_present = "cancel")]
    to: Option<Somebody>,

    /// Take the offer back.
    #[arg(long, conflicts_with = "to")]
    cancel: bool,
}

pub async fn run(args: OfferAuthorityArgs, session: &Session) -> Result<(), CliError> {
    let authority = session.keypair()?;
    let to = args.to.as_ref().map(Somebody::address).transpose()?;
    let client = session.client().await?;
    client.offer_authority(&authority, to).await?;
    report::answer(&client, session).await
}
