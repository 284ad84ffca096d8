//! C2PA content credentials that name Motif works, terms and receipts.
//!
//! ```no_run
//! use motif_credentials::{Provenance, SigningIdentity, read, sign};
//! use motif_fingerprint::content_digest;
//! use motif_interface::Pubkey;
//!
//! # fn example(cluster: [u8; 32], work: Pubkey, now: i64) -> Result<(), Box<dyn std::error::Error>> {
//! let content = std::fs::read("coffee.jpg")?;
//! let identity = SigningIdentity::issue("A platform", now)?.identity()?;
//! let provenance = Provenance::from_work(cluster, &work, content_digest(&content), Some(1));
//! let signed = sign(&content, "coffee.jpg", &provenance, None, &identity)?;
//! let credentials = read(&signed, None).ok_or("the file carries no credentials")?;
//! assert_eq!(credentials.provenance, Some(provenance));
//! # Ok(())
//! # }
//! ```
//!
//! - [`Carrier`]: file formats that carry credentials.
//! - [`Provenance`]: what Motif credentials name: works, terms, and the receipt of a generation.
//! - [`SigningIdentity`]: the X.509 certificate and key that sign credentials.
//! - [`sign`], [`read`]: write and read credentials. Read untrusted files with a
//!   [`DecodingWorker`].
//! - [`Findings`]: result of checking a [`Provenance`] against the chain.
//!
//! A receipt contains the digest of an output, and the credentials with the receipt are part of
//! the file. A receipt is therefore for the bare content: the file without its credentials.
//! [`sign`] checks that the bare content can be restored, and [`Carrier::bare`] restores it.
//!
//! This crate makes no network requests: it fetches no manifests, certificate statuses or time
//! stamps.

mod carrier;
mod escape_attempts;
mod identity;
mod reader;
mod sandbox;
mod signer;
mod thumbnails;
mod worker;

use motif_fingerprint::content_digest;

pub use self::{
    carrier::Carrier,
    escape_attempts::attempt_escapes,
    identity::{IdentityError, IdentityFileError, Issued, SigningIdentity},
    reader::{are_anchors, read},
    signer::{SigningError, sign},
    thumbnails::{Thumbnails, serve_thumbnails},
    worker::{DecodingWorker, Examined, WorkerError, serve_decoding},
};
pub use motif_wire::{
    Credentials, CredentialsSigner, CredentialsState, Digests, Evidence, Findings, NamedWork,
    Origin, Provenance, ReceiptFinding, ReceiptStanding, SettlementProof, WorkFinding,
    WorkStanding,
};

/// Returns the digest of content, and that of the bare content if it carries credentials.
pub fn digests(content: &[u8]) -> Digests {
    let bare = Carrier::detect(content).and_then(|carrier| carrier.bare(content));
    Digests { whole: content_digest(content), bare: bare.map(|bare| content_digest(&bare)) }
}
