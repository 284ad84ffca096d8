use std::path::PathBuf;

use clap::Args;
use motif_sdk::credentials::SigningIdentity;
use serde_json::json;

use crate::{answer::pairs, error::CliError, session::Session};

/// For whom, and where to.
#[derive(Args)]
pub struct IdentityArgs {
    /// A folder for certificate.pem, key.pem (readable by you alone) and anchor.pem.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Who signs, as readers will see it.
    #[arg(long)]
    name: String,
}

pub fn run(args: &IdentityArgs, session: &Session) -> Result<(), CliError> {
    let issued = SigningIdentity::issue(&args.name, session.now());
    let issued = issued.map_err(|error| {
        CliError::usage(
            format!("no certificate for `{}`: {error}", args.name),
            "choose another --name",
        )
    })?;
    issued.write(&args.folder).map_err(motif_sdk::Error::from)?;
    let file = |name: &str| args.folder.join(name).display().to_string();
    let (certificate, key, anchor) = (
        file(SigningIdentity::CERTIFICATE),
        file(SigningIdentity::KEY),
        file(SigningIdentity::ANCHOR),
    );
    let json = json!({ "certificate": certificate, "key": key, "anchor": anchor });
    let text = pairs([
        ("sign with", args.folder.display().to_string()),
        ("give to readers", anchor),
        ("keep to yourself", key),
    ]);
    session.answer(&json, text);
    Ok(())
}
