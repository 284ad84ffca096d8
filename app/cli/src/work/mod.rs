//! Works: registering and looking up.

mod list;
mod register;
mod show;

use clap::Subcommand;

pub use register::fingerprint;

use crate::{error::CliError, session::Session};

/// What can be done with works.
#[derive(Subcommand)]
pub enum WorkCommand {
    /// Register a file as a work, and optionally publish its first terms.
    Register(Box<register::RegisterArgs>),
    /// Show a work, its parents, split and terms.
    Show(show::ShowArgs),
    /// List works, earliest registration first.
    List(list::ListArgs),
}

impl WorkCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Register(args) => register::run(*args, session).await,
            Self::Show(args) => show::run(args, session).await,
            Self::List(args) => list::run(args, session).await,
        }
    }
}
