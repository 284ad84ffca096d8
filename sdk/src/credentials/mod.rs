//! Content credentials (C2PA): what a file says of itself, signed, and what that is worth.
//!
//! - [`Carrier`]: which files carry credentials, and what is left when they are taken out.
//! - [`Provenance`]: what Motif's credentials name: works, terms, and the receipt of a generation.
//! - [`SigningIdentity`]: the X.509 certificate that credentials are signed with.
//! - [`sign`], [`read`]: into a file, and out of one. Files from strangers belong into a
//!   [`crate::fingerprint::DecodingWorker`].
//! - [`Findings`]: what the chain says to what credentials name.
//!
//! A receipt has the digest of an output, and the credentials with the receipt stand in the file.
//! So a receipt is always of the bare content: of the file without its credentials, byte by byte.
//! [`sign`] makes sure that it can be had back, and [`Carrier::bare`] gets it.
//!
//! Nothing here asks a network: no manifest, certificate status or time stamp is fetched.

mod carrier;
mod digests;
mod findings;
mod identity;
mod provenance;
mod reading;
mod signing;

pub use self::{
    carrier::Carrier,
    digests::Digests,
    findings::{Evidence, Findings, ReceiptFinding, ReceiptStanding, WorkFinding, WorkStanding},
    identity::{IdentityError, Issued, SigningIdentity},
    provenance::{NamedWork, Origin, Provenance, SettlementProof},
    reading::{Credentials, CredentialsSigner, CredentialsState, are_anchors, read},
    signing::{SigningError, sign},
};
