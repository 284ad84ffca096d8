//! Consents: what the person behind a voice or a likeness can do.

mod end;

use clap::Subcommand;

use crate::{error::CliError, session::Session};

/// What can be done with consents.
#[derive(Subcommand)]
pub enum ConsentCommand {
    /// Change when your consent to a work ends; licenses accepted before keep their end.
    End(end::EndArgs),
}

impl ConsentCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::End(args) => end::run(args, session).await,
        }
    }
}
