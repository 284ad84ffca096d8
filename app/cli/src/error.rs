use std::{path::Path, process::ExitCode};

use motif_gateway::StartError;
use motif_localnet::{FaucetError, LocalnetError};
use motif_sdk::{
    Error, Pubkey,
    credentials::SigningError,
    gateway::GatewayError,
    terms::{DocumentError, pil::PilError},
};

use crate::amount::grouped;

/// Why a verb did not do what was asked: one message, one code, one way on.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Sdk(#[from] Error),
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    #[error("the gateway cannot run like this:\n{0}")]
    GatewaySettings(motif_gateway::config::Faults),
    #[error("the gateway did not start: {0}")]
    GatewayStart(#[from] StartError),
    #[error(transparent)]
    Localnet(#[from] LocalnetError),
    #[error(transparent)]
    Faucet(#[from] FaucetError),
    #[error("no Solana node answers at {url}: {reason}")]
    NoNode { url: String, reason: String },
    #[error("no keypair to sign with")]
    NoKeypair,
    #[error("cannot read {path}: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("cannot write {path}: {reason}")]
    Unwritable { path: String, reason: String },
    #[error("{path} is not a usable image: {reason}")]
    NotAnImage { path: String, reason: String },
    #[error("nothing is registered as exactly {path}, and it cannot be compared: {reason}")]
    Incomparable { path: String, reason: String },
    #[error("`{0}` is neither an address nor a file")]
    NeitherAddressNorFile(String),
    #[error("you have registered {path} already: it is work {work}")]
    AlreadyRegistered { path: String, work: Pubkey },
    #[error("nobody has registered a work with the content of {path}")]
    UnregisteredFile { path: String },
    #[error("{count} works were registered with the content of {path}: {works}")]
    AmbiguousFile { path: String, count: usize, works: String },
    #[error("{0} has no open channel")]
    NoChannel(Pubkey),
    #[error("{payer} has {count} open channels: {channels}")]
    AmbiguousChannel { payer: Pubkey, count: usize, channels: String },
    #[error("channel {channel} has no license for {wanted}")]
    NoLicense { channel: Pubkey, wanted: String },
    #[error("the terms of {work} do not offer `{wanted}`; they offer: {offered}")]
    UseNotOffered { work: Pubkey, wanted: String, offered: String },
    #[error("the terms of {work} have a cap that licensees share, and you named no quota of it")]
    QuotaMissing { work: Pubkey, units: bool },
    #[error("the split proposed for {work} has digest {digest}, not {expected}")]
    SplitDigestMismatch { work: Pubkey, expected: String, digest: String },
    #[error("{payer} holds {held} base units of the {wanted} to be paid")]
    NotEnoughTokens { payer: Pubkey, held: u64, wanted: u64 },
    #[error("{failed} of {all} receipts do not verify; the first: {first}")]
    ReceiptsFailed { failed: usize, all: usize, first: String },
    #[error("the sums do not add up: {0}")]
    NotConserved(String),
    #[error("{path}: {error}")]
    Document { path: String, error: DocumentError },
    #[error("{path}: {error}")]
    NotPil { path: String, error: PilError },
    #[error("nothing was published")]
    Declined,
    #[error("{what}")]
    Usage { what: String, help: String },
    #[error("no thread to work on, or no signals to hear: {0}")]
    NoRuntime(String),
    #[error("{path} was not signed: {error}")]
    Unsigned { path: String, error: SigningError },
    #[error("{path} carries no content credentials")]
    NoCredentials { path: String },
    #[error("the credentials in {path} name no receipt")]
    NoReceipt { path: String },
    #[error("the document cannot be written: {0}")]
    NoDocument(String),
}

impl CliError {
    /// A mistake in the command line that clap cannot see.
    pub fn usage(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), help: help.into() }
    }

    /// Terms from a file, or else from flags, that make no offer.
    pub fn document(file: Option<&Path>, error: DocumentError) -> Self {
        if let DocumentError::Unreadable { path, reason } = error {
            return Self::Unreadable { path, reason };
        }
        let path = file.map_or("the terms".to_owned(), |file| file.display().to_string());
        Self::Document { path, error }
    }

    /// The slug scripts may match on. A program's refusal has its error's own name.
    pub fn code(&self) -> String {
        let slug = match self {
            Self::Sdk(error) => return sdk_code(error),
            Self::Gateway(error) => return gateway_code(error).to_owned(),
            Self::GatewaySettings(_) => "gateway-settings",
            Self::GatewayStart(_) => "gateway-start",
            Self::Localnet(_) => "localnet",
            Self::Faucet(_) => "faucet",
            Self::NoNode { .. } => "no-node",
            Self::NoKeypair => "no-keypair",
            Self::Unreadable { .. } => "unreadable-file",
            Self::Unwritable { .. } => "unwritable-file",
            Self::NotAnImage { .. } => "not-an-image",
            Self::Incomparable { .. } => "content-unreadable",
            Self::NeitherAddressNorFile(_) => "neither-address-nor-file",
            Self::AlreadyRegistered { .. } => "already-registered",
            Self::UnregisteredFile { .. } => "unregistered-file",
            Self::AmbiguousFile { .. } => "ambiguous-file",
            Self::NoChannel(_) => "no-channel",
            Self::AmbiguousChannel { .. } => "ambiguous-channel",
            Self::NoLicense { .. } => "no-license",
            Self::UseNotOffered { .. } => "use-not-offered",
            Self::QuotaMissing { .. } => "quota-missing",
            Self::SplitDigestMismatch { .. } => "other-split",
            Self::NotEnoughTokens { .. } => "not-enough-tokens",
            Self::ReceiptsFailed { .. } => "receipts-failed",
            Self::NotConserved(_) => "not-conserved",
            // The program's own name for it, as if it had been asked.
            Self::Document { error: DocumentError::Refused { name, .. }, .. } => {
                return name.clone();
            }
            Self::Document { .. } => "terms-document",
            Self::NotPil { .. } => "not-a-pil",
            Self::Declined => "declined",
            Self::Usage { .. } => "usage",
            Self::NoRuntime(_) => "no-runtime",
            Self::Unsigned { .. } => "unsigned",
            Self::NoCredentials { .. } => "no-credentials",
            Self::NoReceipt { .. } => "no-receipt",
            Self::NoDocument(_) => "no-document",
        };
        slug.to_owned()
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Sdk(error) => return sdk_help(error),
            Self::Localnet(LocalnetError::PortTaken(_)) => {
                "pass --rpc-port and --ws-port, or stop what listens there"
            }
            Self::NoNode { .. } => {
                "start one with `motif localnet`, or name another with --rpc-url or MOTIF_RPC_URL"
            }
            Self::Gateway(GatewayError::Unreachable { .. }) => {
                "start one with `motif gateway serve`, or name another with --gateway-url or \
                 MOTIF_GATEWAY_URL"
            }
            Self::NoKeypair => {
                "name a keypair file with --keypair or MOTIF_KEYPAIR; `motif key new FILE` makes one"
            }
            Self::NotAnImage { .. } => {
                "give a PNG, JPEG, GIF or WebP file, or register it as another --kind"
            }
            Self::NeitherAddressNorFile(_) => {
                "give a base58 address, or the path of a file that exists"
            }
            Self::AlreadyRegistered { .. } => "publish new terms for it with `motif terms publish`",
            Self::UnregisteredFile { .. } => "register it with `motif work register`",
            Self::AmbiguousFile { .. } => {
                "give the address of the one you mean; the first was registered first"
            }
            Self::NoChannel(_) => "open one with `motif channel open`, or name one",
            Self::AmbiguousChannel { .. } => "name the one you mean",
            Self::NoLicense { .. } => "accept the work's terms with `motif channel accept`",
            Self::UseNotOffered { .. } => "name one of them with --use",
            Self::QuotaMissing { units: true, .. } => "say how many units with --quota-units",
            Self::QuotaMissing { units: false, .. } => {
                "say how many base units with --quota-revenue"
            }
            Self::SplitDigestMismatch { .. } => "look at it again with `motif split show`",
            Self::NotEnoughTokens { held, wanted, .. } => {
                let missing = grouped(wanted.saturating_sub(*held));
                return Some(format!(
                    "get {missing} more (on a localnet: `motif airdrop --dollars N`), or pay less"
                ));
            }
            Self::Document { .. } => {
                "`motif terms check FILE` reads a file of terms; `motif terms preset` prints some to start from"
            }
            Self::NotPil { .. } => {
                "give the JSON of Story's PILTerms, or of terms registered there"
            }
            Self::NoCredentials { .. } => "sign it with `motif credentials sign`",
            Self::Declined => "answer y, or pass --yes where nobody can answer",
            Self::NotConserved(_) => "this is a bug; please report it with the output above",
            Self::Usage { help, .. } => return Some(help.clone()),
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// 2 for a mistake in the command line, 1 for everything else.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(if matches!(self, Self::Usage { .. }) { 2 } else { 1 })
    }
}

fn sdk_code(error: &Error) -> String {
    let slug = match error {
        Error::Rejected(refusal) => return refusal.name.clone().unwrap_or("rejected".to_owned()),
        Error::Unconfirmed { .. } => "unconfirmed",
        Error::Transport(_) => "transport",
        Error::NotFound { kind, .. } => return format!("unknown-{}", kind.replace(' ', "-")),
        Error::File { .. } => "file",
        Error::Signer(_) => "signer",
    };
    slug.to_owned()
}

fn sdk_help(error: &Error) -> Option<String> {
    let text = match error {
        Error::Rejected(refusal) if refusal.message.contains("no record of a prior credit") => {
            "the paying account has no SOL; on a localnet, `motif airdrop` gives some"
        }
        Error::Rejected(refusal) if refusal.message.contains("insufficient lamports") => {
            "the paying account has too little SOL; on a localnet, `motif airdrop` gives some"
        }
        Error::Unconfirmed { .. } => "look the signature up before you repeat this",
        Error::NotFound { kind: "terms", .. } => "publish some with `motif terms publish`",
        Error::NotFound { kind: "dispute", .. } => "nobody disputes this work",
        Error::NotFound { kind: "split change", .. } => "propose one with `motif split propose`",
        Error::NotFound { kind: "approval", .. } => "name --terms, if it was for earlier ones",
        Error::NotFound { kind: "till", .. } => "open it with `motif till open`",
        Error::NotFound { kind: "mint", .. } => "name a mint that exists with --currency",
        Error::NotFound { .. } => "check the address, and the cluster named by --rpc-url",
        _ => return None,
    };
    Some(text.to_owned())
}

fn gateway_code(error: &GatewayError) -> &str {
    match error {
        GatewayError::Refused(problem) => &problem.slug,
        GatewayError::Unreachable { .. } => "no-gateway",
        GatewayError::ServerRefused { .. } => "server-refused",
        GatewayError::Untrusted(_) => "untrusted-gateway",
        GatewayError::OverBudget { .. } => "over-budget",
        GatewayError::Unanswered => "unanswered",
        GatewayError::LicenseNotFound(_) => "unknown-license",
        GatewayError::LicenseRefuses { .. } => "license-refuses",
        GatewayError::StatementFull(_) => "statement-full",
        GatewayError::Signer(_) => "signer",
        GatewayError::Overflow => "overflow",
    }
}
