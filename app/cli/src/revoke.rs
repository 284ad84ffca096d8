use clap::Args;
use motif_sdk::licensing::Purpose;
use serde_json::json;

use crate::{
    answer::pairs,
    error::CliError,
    reference::{Somebody, WorkReference},
    session::Session,
    words,
};

/// Whose approval to take back.
#[derive(Args)]
pub struct RevokeArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// Who was approved: an address, or a keypair file.
    #[arg(long = "for", value_name = "ADDRESS|FILE", value_parser = Somebody::parse)]
    grantee: Somebody,

    /// What for.
    #[arg(long, value_name = "license|derivative", value_parser = words::parse_purpose)]
    purpose: Purpose,

    /// Under which version of the terms [default: the latest].
    #[arg(long, value_name = "NUMBER")]
    terms: Option<u32>,
}

pub async fn run(args: RevokeArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let grantee = args.grantee.address()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let number = match args.terms {
        Some(number) => number,
        None => client.work(&work).await?.latest_terms,
    };
    let revocation = client.revoke_approval(&work, &grantee, args.purpose).terms_number(number);
    let landed = revocation.send(&owner).await?;

    let purpose = words::purpose(args.purpose);
    let json = json!({
        "work": work.to_string(),
        "terms": number,
        "grantee": grantee.to_string(),
        "purpose": purpose,
        "signature": landed.signature.to_string(),
    });
    let text = pairs([
        ("work", work.to_string()),
        ("terms", format!("number {number}")),
        ("no longer approved", grantee.to_string()),
        ("for", format!("a {purpose}; what it was used for stays")),
    ]);
    session.answer(&json, text);
    Ok(())
}
