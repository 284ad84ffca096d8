//! Terms: writing, publishing, reading, and other people's formats of them.

mod check;
mod confirm;
mod currency;
mod export;
mod import_pil;
mod offer;
mod preset;
mod publish;
mod show;

use clap::Subcommand;

pub use confirm::confirm;
pub use currency::denomination;
pub use offer::{OfferArgs, Offered};

use crate::{error::CliError, session::Session};

/// What can be done with terms.
#[derive(Subcommand)]
pub enum TermsCommand {
    /// Publish the next version of a work's terms; licenses of earlier ones stay as they are.
    Publish(Box<publish::PublishArgs>),
    /// Show a work's terms.
    Show(show::ShowArgs),
    /// List the presets, or print one as a file of terms to start from.
    Preset(preset::PresetArgs),
    /// Read a file of terms and say what it comes to, without a cluster.
    Check(check::CheckArgs),
    /// Turn a Story PIL's JSON into a file of terms.
    ImportPil(import_pil::ImportPilArgs),
    /// State a work's terms in a format of the web or of content credentials.
    Export(export::ExportArgs),
}

impl TermsCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Publish(args) => publish::run(*args, session).await,
            Self::Show(args) => show::run(args, session).await,
            Self::Preset(args) => preset::run(&args, session),
            Self::Check(args) => check::run(&args, session),
            Self::ImportPil(args) => import_pil::run(&args, session),
            Self::Export(args) => export::run(args, session).await,
        }
    }
}
