use clap::Args;
use motif_sdk::{client::WorkFilter, gateway::wire::KindWord};

use super::show;
use crate::{answer::table, error::CliError, reference::Somebody, session::Session};

/// Which works.
#[derive(Args)]
pub struct ListArgs {
    /// Only those that this address, or keypair file, registered.
    #[arg(long, value_name = "ADDRESS|FILE", value_parser = Somebody::parse)]
    creator: Option<Somebody>,
}

pub async fn run(args: ListArgs, session: &Session) -> Result<(), CliError> {
    let creator = args.creator.as_ref().map(Somebody::address).transpose()?;
    let client = session.client().await?;
    let works = client.works(&WorkFilter { creator, ..WorkFilter::default() }).await?;

    let json = works.iter().map(|(address, work)| show::json(address, work)).collect();
    let rows = works.iter().map(|(address, work)| {
        let (kind, terms) = (KindWord::from(work.kind).to_string(), work.latest_terms.to_string());
        [address.to_string(), kind, work.creator.to_string(), terms]
    });
    let table = table(["work", "kind", "creator", "latest terms"], &[3], rows.collect());
    session.answer(&json, table);
    Ok(())
}
