use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use motif_sdk::keypair;
use serde_json::json;
use solana_signer::Signer;

use crate::{airdrop, answer::table, error::CliError, session::Session};

/// Keypair files.
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Create keypair files; none may exist yet.
    New(NewArgs),
    /// Show the addresses of keypair files.
    Show(ShowArgs),
}

/// Which files to create.
#[derive(Args)]
pub struct NewArgs {
    /// Where to write; each readable by you alone.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Also give each SOL and test dollars (localnet only).
    #[arg(long)]
    airdrop: bool,
}

/// Which files to show.
#[derive(Args)]
pub struct ShowArgs {
    /// Keypair files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl KeyCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::New(args) => create(args, session).await,
            Self::Show(args) => show(&args, session),
        }
    }
}

async fn create(args: NewArgs, session: &Session) -> Result<(), CliError> {
    // All or none, as far as that can be had: the usual mistake is running this twice.
    if let Some(taken) = args.files.iter().find(|path| path.exists()) {
        let path = taken.display().to_string();
        return Err(CliError::Unwritable { path, reason: "it exists already".to_owned() });
    }
    // A localnet that does not answer must not leave keys behind.
    let client = if args.airdrop { Some(session.client().await?) } else { None };
    let mut created = Vec::new();
    for path in &args.files {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        }
        created.push((path.display().to_string(), keypair::create(path)?.pubkey()));
    }
    if client.is_some() {
        for (_, address) in &created {
            airdrop::give(session, address, airdrop::SOL, airdrop::DOLLARS).await?;
        }
    }
    answer(&created, session);
    Ok(())
}

fn show(args: &ShowArgs, session: &Session) -> Result<(), CliError> {
    let read = |path: &PathBuf| Ok((path.display().to_string(), keypair::read(path)?.pubkey()));
    let shown = args.files.iter().map(read).collect::<Result<Vec<_>, CliError>>()?;
    answer(&shown, session);
    Ok(())
}

fn answer(keys: &[(String, motif_sdk::Pubkey)], session: &Session) {
    let json =
        keys.iter().map(|(file, address)| json!({ "file": file, "address": address.to_string() }));
    let rows = keys.iter().map(|(file, address)| [file.clone(), address.to_string()]);
    session.answer(&json.collect(), table(["file", "address"], &[], rows.collect()));
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::Unwritable { path: path.display().to_string(), reason: error.to_string() }
}
