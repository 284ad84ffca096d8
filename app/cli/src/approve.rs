use clap::Args;
use motif_sdk::{licensing::Purpose, pda};
use serde_json::json;

use crate::{
    answer::pairs,
    error::CliError,
    reference::{Somebody, WorkReference},
    session::Session,
    words,
};

/// Who may do what with which work.
#[derive(Args)]
pub struct ApproveArgs {
    /// The work's address, or the file it was registered from.
    #[arg(value_name = "WORK", value_parser = WorkReference::parse)]
    work: WorkReference,

    /// Who may: an address, or a keypair file.
    #[arg(long = "for", value_name = "ADDRESS|FILE", value_parser = Somebody::parse)]
    grantee: Somebody,

    /// license: accept the latest terms; derivative: register a work made from this one.
    #[arg(long, value_name = "license|derivative", value_parser = words::parse_purpose)]
    purpose: Purpose,
}

pub async fn run(args: ApproveArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let grantee = args.grantee.address()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    client.latest_terms(&work).await?; // without terms there is nothing to approve
    let (number, landed) = client.approve(&work, &grantee, args.purpose).send(&owner).await?;

    let terms = pda::terms(&work, number);
    let purpose = words::purpose(args.purpose);
    let json = json!({
        "work": work.to_string(),
        "terms": number,
        "grantee": grantee.to_string(),
        "purpose": purpose,
        "approval": pda::approval(&terms, &grantee, args.purpose).to_string(),
        "signature": landed.signature.to_string(),
    });
    let text = pairs([
        ("work", work.to_string()),
        ("terms", format!("number {number}")),
        ("approved", grantee.to_string()),
        ("for", format!("a {purpose}, until you `motif revoke` it")),
    ]);
    session.answer(&json, text);
    Ok(())
}
