//! `motif approval`: approvals that owners grant for their works' terms.

use std::fmt;

use clap::{Args, Subcommand, ValueEnum};
use motif_sdk::{licensing::Purpose, pda};
use serde::Serialize;

use crate::{
    error::CliError,
    output::pairs,
    reference::{AccountReference, WorkArgs},
    session::Session,
};

/// Commands of `motif approval`.
#[derive(Subcommand)]
pub enum ApprovalCommand {
    /// Approve an address to license a work, or to register a derivative of it
    Grant(GrantArgs),
    /// Revoke an approval; licenses and derivatives made with it stay valid
    Revoke(RevokeArgs),
}

/// Arguments of `motif approval grant`.
#[derive(Args)]
pub struct GrantArgs {
    #[command(flatten)]
    work: WorkArgs,

    #[command(flatten)]
    grantee: GranteeArgs,
}

/// Arguments of `motif approval revoke`.
#[derive(Args)]
pub struct RevokeArgs {
    #[command(flatten)]
    work: WorkArgs,

    #[command(flatten)]
    grantee: GranteeArgs,

    /// Version of the terms that the approval was granted for [default: the latest]
    #[arg(long, value_name = "NUMBER")]
    terms: Option<u32>,
}

/// Grantee and purpose of an approval.
#[derive(Args)]
struct GranteeArgs {
    /// Address, or keypair file, of the grantee
    #[arg(long = "for", value_name = "ADDRESS|FILE")]
    account: AccountReference,

    /// Action that the approval allows
    #[arg(long)]
    purpose: PurposeArg,
}

/// Action that an approval allows.
#[derive(Clone, Copy, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum PurposeArg {
    /// Accept the latest terms
    License,
    /// Register a work made from this one
    Derivative,
}

impl From<PurposeArg> for Purpose {
    fn from(purpose: PurposeArg) -> Self {
        match purpose {
            PurposeArg::License => Self::License,
            PurposeArg::Derivative => Self::Derivative,
        }
    }
}

impl fmt::Display for PurposeArg {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::License => "license",
            Self::Derivative => "derivative",
        })
    }
}

impl ApprovalCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            Self::Grant(args) => grant(args, session).await,
            Self::Revoke(args) => revoke(args, session).await,
        }
    }
}

/// Output of `motif approval grant`.
#[derive(Serialize)]
struct GrantOutput {
    work: String,
    terms: u32,
    grantee: String,
    purpose: PurposeArg,
    approval: String,
    signature: String,
}

async fn grant(args: GrantArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let grantee = args.grantee.account.address()?;
    let purpose = args.grantee.purpose;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    client.latest_terms(&work).await?; // an approval is for terms
    let (terms, landed) = client.approve(&work, &grantee, purpose.into()).send(&owner).await?;
    session.print(&GrantOutput {
        work: work.to_string(),
        terms,
        grantee: grantee.to_string(),
        purpose,
        approval: pda::approval(&pda::terms(&work, terms), &grantee, purpose.into()).to_string(),
        signature: landed.signature.to_string(),
    });
    Ok(())
}

impl fmt::Display for GrantOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[
            ("work", &self.work),
            ("terms", &self.terms),
            ("approved", &self.grantee),
            ("purpose", &format_args!("{}, until revoked", self.purpose)),
        ]))
    }
}

/// Output of `motif approval revoke`.
#[derive(Serialize)]
struct RevokeOutput {
    work: String,
    terms: u32,
    grantee: String,
    purpose: PurposeArg,
    signature: String,
}

async fn revoke(args: RevokeArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let grantee = args.grantee.account.address()?;
    let purpose = args.grantee.purpose;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let terms = match args.terms {
        Some(number) => number,
        None => client.work(&work).await?.latest_terms,
    };
    let revocation = client.revoke_approval(&work, &grantee, purpose.into()).terms_number(terms);
    let landed = revocation.send(&owner).await?;
    session.print(&RevokeOutput {
        work: work.to_string(),
        terms,
        grantee: grantee.to_string(),
        purpose,
        signature: landed.signature.to_string(),
    });
    Ok(())
}

impl fmt::Display for RevokeOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[
            ("work", &self.work),
            ("terms", &self.terms),
            ("revoked", &self.grantee),
            ("purpose", &self.purpose),
        ]))
    }
}
