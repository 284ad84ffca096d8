//! Transfer of a work's ownership, and its certificate of ownership.

use std::fmt;

use clap::Args;
use motif_sdk::{licensing::AcceptOwnershipArgs, pda};
use serde::Serialize;
use solana_signer::Signer;

use crate::{
    error::CliError,
    output::pairs,
    reference::{AccountReference, WorkArgs},
    session::Session,
};

/// Arguments of `motif work transfer`.
#[derive(Args)]
pub struct TransferArgs {
    #[command(flatten)]
    work: WorkArgs,

    /// Address, or keypair file, of the next owner
    #[arg(long, value_name = "ADDRESS|FILE")]
    to: AccountReference,
}

/// Arguments of `motif work accept-transfer`.
#[derive(Args)]
pub struct AcceptTransferArgs {
    #[command(flatten)]
    work: WorkArgs,

    /// Accept only if these are the latest terms [default: the current ones]
    #[arg(long, value_name = "NUMBER")]
    terms: Option<u32>,

    /// Accept only if the split has this version [default: the current one]
    #[arg(long, value_name = "NUMBER")]
    split_version: Option<u32>,
}

/// Arguments of `motif work cancel-transfer`.
#[derive(Args)]
pub struct CancelTransferArgs {
    #[command(flatten)]
    work: WorkArgs,
}

/// Arguments of `motif work certify`.
#[derive(Args)]
pub struct CertifyArgs {
    #[command(flatten)]
    work: WorkArgs,

    /// Name that wallets show, 1 to 32 bytes
    #[arg(long, value_name = "NAME")]
    name: String,
}

/// Output of `motif work transfer` and `cancel-transfer`.
#[derive(Serialize)]
struct OfferOutput {
    work: String,
    owner: String,
    pending_owner: Option<String>,
    signature: String,
}

pub async fn offer(args: TransferArgs, session: &Session) -> Result<(), CliError> {
    let to = args.to.address()?;
    let owner = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let landed = client.offer_ownership(&owner, &work, Some(to)).await?;
    session.print(&OfferOutput {
        work: work.to_string(),
        owner: owner.pubkey().to_string(),
        pending_owner: Some(to.to_string()),
        signature: landed.signature.to_string(),
    });
    Ok(())
}

pub async fn cancel(args: CancelTransferArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let landed = client.offer_ownership(&owner, &work, None).await?;
    session.print(&OfferOutput {
        work: work.to_string(),
        owner: owner.pubkey().to_string(),
        pending_owner: None,
        signature: landed.signature.to_string(),
    });
    Ok(())
}

impl fmt::Display for OfferOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (work, owner) = (&self.work, &self.owner);
        let text = match &self.pending_owner {
            Some(pending) => pairs(&[
                ("work", work),
                ("owner", owner),
                ("offered to", pending),
                ("next", &format_args!("`motif work accept-transfer {work}`, signed by {pending}")),
            ]),
            None => pairs(&[("work", work), ("owner", owner), ("offered to", &"-")]),
        };
        formatter.write_str(&text)
    }
}

/// Output of `motif work accept-transfer`.
#[derive(Serialize)]
struct AcceptOutput {
    work: String,
    owner: String,
    signature: String,
}

pub async fn accept(args: AcceptTransferArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let read = client.work(&work).await?;
    let mut expected = AcceptOwnershipArgs::of(&read);
    expected.latest_terms = args.terms.unwrap_or(expected.latest_terms);
    expected.split_version = args.split_version.unwrap_or(expected.split_version);
    let landed = client.accept_ownership(&owner, &work, expected).await?;
    session.print(&AcceptOutput {
        work: work.to_string(),
        owner: owner.pubkey().to_string(),
        signature: landed.signature.to_string(),
    });
    Ok(())
}

impl fmt::Display for AcceptOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[
            ("work", &self.work),
            ("owner", &self.owner),
            ("split", &"unchanged; change it with `motif split propose`"),
        ]))
    }
}

/// Output of `motif work certify`.
#[derive(Serialize)]
struct CertifyOutput {
    work: String,
    certificate: String,
    metadata: String,
    name: String,
    signature: String,
}

pub async fn certify(args: CertifyArgs, session: &Session) -> Result<(), CliError> {
    let owner = session.keypair()?;
    let client = session.client().await?;
    let work = args.work.address(&client).await?;
    let (certificate, landed) = client.issue_certificate(&owner, &work, &args.name).await?;
    session.print(&CertifyOutput {
        work: work.to_string(),
        certificate: certificate.to_string(),
        metadata: pda::metadata(&certificate).to_string(),
        name: args.name,
        signature: landed.signature.to_string(),
    });
    Ok(())
}

impl fmt::Display for CertifyOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[
            ("work", &self.work),
            ("certificate", &self.certificate),
            ("name", &self.name),
        ]))
    }
}
