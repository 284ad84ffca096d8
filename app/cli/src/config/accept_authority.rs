use super::report;
use crate::{error::CliError, session::Session};

pub async fn run(session: &Session) -> Result<(), CliError> {
    let accepter = session.keypair()?;
    let client = session.client().await?;
    client.accept_authority(&accepter).await?;
    report::answer(&client, session).await
}
