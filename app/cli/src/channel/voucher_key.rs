use std::path::PathBuf;

use clap::Args;
use motif_sdk::keypair;
use solana_keypair::Keypair;

use crate::{error::CliError, session::Session};

/// Where the key that signs vouchers is.
#[derive(Args)]
pub struct VoucherKeyArgs {
    /// Keypair file that signs vouchers and nothing else [default: next to your keypair, as
    /// NAME.voucher.json; created when it is missing].
    #[arg(long = "voucher-key", value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Reads the voucher key, or creates it.
///
/// # Errors
/// [`CliError::NoKeypair`]; [`motif_sdk::Error::File`].
pub fn voucher_key(args: &VoucherKeyArgs, session: &Session) -> Result<Keypair, CliError> {
    let path = match &args.file {
        Some(path) => path.clone(),
        None => session.keypair_path()?.with_extension("voucher.json"),
    };
    if path.exists() {
        return Ok(keypair::read(&path)?);
    }
    let created = keypair::create(&path)?;
    session.say(format_args!("created voucher key {}", path.display()));
    Ok(created)
}
