use super::report;
use crate::{error::CliError, session::Session};

pub async fn run(session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    report::answer(&client, session).await
}
