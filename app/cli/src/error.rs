//! Errors of commands.

use std::{path::Path, process::ExitCode};

use motif_gateway::StartError;
use motif_localnet::{FaucetError, LocalnetError};
use motif_payer_service::{InvalidSettings, PayerError};
use motif_sdk::{
    Error, Pubkey,
    channel::PaymentsError,
    client::{SaleError, Unsignable},
    credentials::SigningError,
    gateway::GatewayError,
    terms::{DocumentError, amount::AmountError, pil::PilError},
    text::first_hidden,
};

use crate::amount::Money;

/// Error of a command: a message, a code for scripts, and a hint for people.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Sdk(#[from] Error),
    #[error("{0}")]
    Sale(SaleError),
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    #[error("invalid gateway settings:\n{0}")]
    GatewaySettings(motif_gateway::config::Faults),
    #[error("failed to start the gateway: {0}")]
    GatewayStart(#[from] StartError),
    /// A running gateway can serve no more.
    #[error("the gateway has failed: {0}")]
    GatewayFailed(motif_gateway::error::GatewayError),
    #[error("invalid payer settings:\n{0}")]
    PayerSettings(InvalidSettings),
    #[error(transparent)]
    Payer(#[from] PayerError),
    #[error("failed to listen on {listen}: {error}")]
    Listen { listen: String, error: std::io::Error },
    #[cfg(feature = "localnet")]
    #[error("failed to listen on port {port}: {error}")]
    PortUnavailable { port: u16, option: &'static str, error: std::io::Error },
    #[cfg(feature = "localnet")]
    #[error("the example of a model server has failed: {0}")]
    ModelServer(String),
    #[error("the server answered with status {0}")]
    AnswerRefused(u16),
    #[error("the answer is incomplete")]
    AnswerIncomplete,
    #[error(transparent)]
    Localnet(#[from] LocalnetError),
    #[error(transparent)]
    Faucet(#[from] FaucetError),
    #[error("no Solana node responds at {url}: {reason}")]
    NodeUnreachable { url: String, reason: String },
    #[error("no keypair to sign with")]
    KeypairMissing,
    #[error("no voucher key at {path}")]
    VoucherKeyMissing { path: String },
    #[error("failed to read {path}: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("failed to write {path}: {reason}")]
    Unwritable { path: String, reason: String },
    #[error("{path} is not a supported image: {reason}")]
    InvalidImage { path: String, reason: String },
    #[error("{path} matches no work exactly and cannot be compared with others: {reason}")]
    Incomparable { path: String, reason: String },
    #[error("`{0}` is neither an address nor an existing file")]
    InvalidReference(String),
    #[error("this keypair has already registered {path}, as work {work}")]
    AlreadyRegistered { path: String, work: Pubkey },
    #[error("{path} is a signed copy of the registered work {work}")]
    SignedCopy { path: String, work: Pubkey },
    #[error("no work is registered with the content of {path}")]
    UnregisteredFile { path: String },
    #[error("{count} works are registered with the content of {path}: {works}")]
    AmbiguousFile { path: String, count: usize, works: String },
    #[error("{0} has no open channel")]
    ChannelMissing(Pubkey),
    #[error("{payer} has {count} open channels: {channels}")]
    AmbiguousChannel { payer: Pubkey, count: usize, channels: String },
    #[error("channel {channel} has no license for {wanted}")]
    LicenseMissing { channel: Pubkey, wanted: String },
    #[error("the terms of {work} do not offer `{wanted}`; they offer {offered}")]
    UseNotOffered { work: Pubkey, wanted: String, offered: String },
    #[error("the terms of {work} have a cap that licensees share, which requires a quota")]
    QuotaMissing { work: Pubkey, units: bool },
    #[error("the terms of {work} cannot be accepted: {error}")]
    NotAcceptable { work: Pubkey, error: PaymentsError },
    #[error("{work} is not sold this way: {reason}; its terms license {offered}")]
    NotSold { work: Pubkey, reason: &'static str, offered: String },
    #[error("the sale is for the request {expected}, and the prompt's digest is {digest}")]
    RequestMismatch { expected: String, digest: String },
    #[error("{0} is not a registered operator")]
    NotAnOperator(Pubkey),
    #[error("the split proposed for {work} has digest {digest}, not {expected}")]
    SplitDigestMismatch { work: Pubkey, expected: String, digest: String },
    #[error("insufficient balance: {payer} holds {held} of the {wanted} to pay")]
    InsufficientTokens { payer: Pubkey, held: Money, wanted: Money },
    #[error(
        "the configuration was initialized before, with other values; its authority is {authority}"
    )]
    AlreadyInitialized { authority: Pubkey },
    #[error("{failed} of {all} receipts failed verification; the first: {first}")]
    ReceiptsFailed { failed: usize, all: usize, first: String },
    #[error("{unsettled} of {all} receipts are not settled yet; the others are verified")]
    ReceiptsUnsettled { unsettled: usize, all: usize },
    #[error(
        "receipts of license {license} on channel {channel} add up to {receipts} base units, and the chain has \
         settled {settled}"
    )]
    ReceiptsIncomplete { channel: Pubkey, license: u16, receipts: u64, settled: u64 },
    #[error("{failed} claims failed, and all others are paid; the first: {first}")]
    ClaimsFailed { failed: usize, first: String },
    #[error("{0} is a registered operator already")]
    OperatorRegistered(Pubkey),
    #[error("the {name} has the hidden character {}; expected none", .hidden.escape_unicode())]
    HiddenCharacter { name: &'static str, hidden: char },
    #[error("amounts do not add up: {0}")]
    NotConserved(String),
    #[error("{path}: {error}")]
    Document { path: String, error: DocumentError },
    #[error("{path}: {error}")]
    InvalidPil { path: String, error: PilError },
    #[error("{0} is in use by another process")]
    FolderInUse(String),
    #[error("the price of {price} is above the {left} that the budget has left")]
    OverBudget { price: Money, left: Money },
    #[error("the paywall sells no {0}")]
    NotForSale(String),
    #[error("the paywall answered with status {status}: {text}")]
    PaywallRefused { status: u16, text: String },
    #[error("publication declined")]
    Declined,
    #[error("{what}")]
    Usage { what: String, help: String },
    #[error("invalid amount: {0}")]
    Amount(#[from] AmountError),
    #[error("failed to start the runtime: {0}")]
    Runtime(String),
    #[error("failed to sign {path}: {error}")]
    Unsigned { path: String, error: SigningError },
    #[error("{path} has no content credentials")]
    CredentialsMissing { path: String },
    #[error("the content credentials of {path} name no receipt")]
    ReceiptMissing { path: String },
    #[error("failed to write the document: {0}")]
    DocumentUnwritable(String),
}

impl From<SaleError> for CliError {
    fn from(error: SaleError) -> Self {
        match error {
            SaleError::Client(error) => Self::Sdk(error),
            other => Self::Sale(other),
        }
    }
}

impl CliError {
    /// Returns an error in the usage that clap cannot detect.
    pub fn usage(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), help: help.into() }
    }

    /// Checks that a text to publish is displayed as it is.
    ///
    /// # Errors
    /// [`CliError::HiddenCharacter`].
    pub fn check_visible(name: &'static str, text: &str) -> Result<(), Self> {
        match first_hidden(text) {
            Some(hidden) => Err(Self::HiddenCharacter { name, hidden }),
            None => Ok(()),
        }
    }

    /// Returns the error of a file that cannot be read.
    pub fn unreadable(path: &Path, reason: impl ToString) -> Self {
        Self::Unreadable { path: path.display().to_string(), reason: reason.to_string() }
    }

    /// Returns the error of a file that cannot be written.
    pub fn unwritable(path: &Path, reason: impl ToString) -> Self {
        Self::Unwritable { path: path.display().to_string(), reason: reason.to_string() }
    }

    /// Returns the error of invalid terms, from a file or else from options.
    pub fn document(file: Option<&Path>, error: DocumentError) -> Self {
        if let DocumentError::Unreadable { path, reason } = error {
            return Self::Unreadable { path, reason };
        }
        let path = file.map_or("the terms".to_owned(), |file| file.display().to_string());
        Self::Document { path, error }
    }

    /// Returns the code that scripts match on. Errors of a program have the program's name for them.
    pub fn code(&self) -> String {
        let slug = match self {
            Self::Sdk(error) => return sdk_code(error),
            Self::Sale(SaleError::NotSold { .. }) | Self::NotSold { .. } => "not-sold",
            Self::Sale(SaleError::UnregisteredOperator(_)) => "unknown-operator",
            Self::Sale(_) => "sale-invalid",
            Self::Gateway(error) => return gateway_code(error).to_owned(),
            Self::GatewaySettings(_) => "gateway-settings",
            Self::GatewayStart(_) => "gateway-start",
            Self::GatewayFailed(_) => "gateway-failed",
            Self::PayerSettings(_) => "payer-settings",
            Self::Payer(error) => return error.problem().slug,
            Self::Listen { .. } => "no-listener",
            #[cfg(feature = "localnet")]
            Self::PortUnavailable { .. } => "no-listener",
            #[cfg(feature = "localnet")]
            Self::ModelServer(_) => "model-server-failed",
            Self::AnswerRefused(_) => "server-refused",
            Self::AnswerIncomplete => "incomplete-answer",
            Self::Localnet(_) => "localnet",
            Self::Faucet(_) => "faucet",
            Self::NodeUnreachable { .. } => "no-node",
            Self::KeypairMissing => "no-keypair",
            Self::VoucherKeyMissing { .. } => "no-voucher-key",
            Self::Unreadable { .. } => "unreadable-file",
            Self::Unwritable { .. } => "unwritable-file",
            Self::InvalidImage { .. } => "not-an-image",
            Self::Incomparable { .. } => "content-unreadable",
            Self::InvalidReference(_) => "neither-address-nor-file",
            Self::AlreadyRegistered { .. } => "already-registered",
            Self::SignedCopy { .. } => "signed-copy",
            Self::UnregisteredFile { .. } => "unregistered-file",
            Self::AmbiguousFile { .. } => "ambiguous-file",
            Self::ChannelMissing(_) => "no-channel",
            Self::AmbiguousChannel { .. } => "ambiguous-channel",
            Self::LicenseMissing { .. } => "no-license",
            Self::UseNotOffered { .. } => "use-not-offered",
            Self::QuotaMissing { .. } => "quota-missing",
            Self::NotAcceptable { error, .. } => <&'static str>::from(error),
            Self::RequestMismatch { .. } => "other-request",
            Self::NotAnOperator(_) => "unknown-operator",
            Self::SplitDigestMismatch { .. } => "other-split",
            Self::InsufficientTokens { .. } => "not-enough-tokens",
            Self::AlreadyInitialized { .. } => "already-initialized",
            Self::ReceiptsFailed { .. } => "receipts-failed",
            Self::ReceiptsUnsettled { .. } => "receipts-unsettled",
            Self::ReceiptsIncomplete { .. } => "receipts-incomplete",
            Self::ClaimsFailed { .. } => "claims-failed",
            Self::OperatorRegistered(_) => "already-registered",
            // As the program names it for most of these characters.
            Self::HiddenCharacter { name: "title", .. } => "InvalidTitle",
            Self::HiddenCharacter { .. } => "hidden-character",
            Self::NotConserved(_) => "not-conserved",
            // As if the program had rejected the terms.
            Self::Document { error: DocumentError::Refused { name, .. }, .. } => {
                return name.clone();
            }
            Self::Document { .. } => "terms-document",
            Self::InvalidPil { .. } => "not-a-pil",
            Self::FolderInUse(_) => "folder-in-use",
            Self::OverBudget { .. } => "over-budget",
            Self::NotForSale(_) => "not-for-sale",
            Self::PaywallRefused { .. } => "paywall-refused",
            Self::Declined => "declined",
            Self::Usage { .. } | Self::Amount(_) => "usage",
            Self::Runtime(_) => "no-runtime",
            Self::Unsigned { .. } => "unsigned",
            Self::CredentialsMissing { .. } => "no-credentials",
            Self::ReceiptMissing { .. } => "no-receipt",
            Self::DocumentUnwritable(_) => "no-document",
        };
        slug.to_owned()
    }

    /// Returns what the user can do about the error.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Sdk(error) => return sdk_hint(error),
            #[cfg(feature = "localnet")]
            Self::PortUnavailable { option, .. } => {
                return Some(format!("pass {option} 0 for a free port, or stop its other user"));
            }
            Self::NotAcceptable { error, .. } => return program_hint((*error).into()),
            Self::NotSold { .. } => {
                "choose an offered use with --use, or license it with `motif channel open --accept`"
            }
            Self::NotAnOperator(_) => {
                "sign with the authority's keypair, or name an authority of `motif operator list`"
            }
            Self::Localnet(LocalnetError::Rpc { request: "time travel", .. }) => {
                "only a localnet moves its clock: pass its URL with --rpc-url"
            }
            Self::Localnet(LocalnetError::PortTaken(_)) => {
                "pass --rpc-port and --ws-port, or stop the process that listens there"
            }
            Self::ReceiptsUnsettled { .. } => {
                "verify them again after the settlement; `motif channel settle` asks for one"
            }
            Self::NodeUnreachable { .. } => {
                "start a node with `motif localnet`, or pass --rpc-url or set MOTIF_RPC_URL"
            }
            Self::Gateway(GatewayError::Unreachable { .. }) => {
                "start a gateway with `motif gateway serve`, or pass --gateway-url or set \
                 MOTIF_GATEWAY_URL"
            }
            Self::Gateway(error) if gateway_code(error) == "voucher-not-newer" => {
                "another process pays on this channel: send all requests through one `motif payer \
                 serve`, or open a channel for each process"
            }
            Self::Gateway(error) if gateway_code(error) == "request-stale" => {
                "this machine's clock and the gateway's differ: set the one that is wrong"
            }
            Self::Payer(PayerError::StateLocked { .. }) => {
                "send the request through the running `motif payer serve`, or pass another --state"
            }
            Self::Payer(PayerError::VoucherKeyLocked(_)) => {
                "stop the other process, or pass another --voucher-key"
            }
            Self::Payer(
                PayerError::NoChannel { reason: PayerError::WALLET_IS_EMPTY, .. }
                | PayerError::DepositUsedUp { reason: PayerError::WALLET_IS_EMPTY, .. },
            ) => "fund the wallet: `motif key show` prints its address",
            Self::Payer(PayerError::NoChannel { .. }) => "pass --deposit to open one",
            Self::Payer(PayerError::TermsNotAccepted { .. }) => {
                "pass --max-unit-price to accept terms up to this price"
            }
            Self::KeypairMissing => {
                "pass --keypair or set MOTIF_KEYPAIR; `motif key new FILE` creates a keypair"
            }
            Self::VoucherKeyMissing { .. } => {
                "pass --voucher-key with the file that `motif channel open` wrote; a channel takes no \
                 vouchers of another key"
            }
            Self::InvalidImage { .. } => {
                "pass a PNG, JPEG, GIF or WebP file, or register the file as another --kind"
            }
            Self::InvalidReference(_) => "pass a base58 address or the path of a file",
            Self::AlreadyInitialized { .. } => {
                "compare `motif config show`; its authority changes it with `motif config update`"
            }
            Self::AlreadyRegistered { .. } => "publish new terms with `motif terms publish`",
            Self::SignedCopy { .. } => {
                "commands that take a file find the work from its signed copy"
            }
            Self::UnregisteredFile { .. } => "register the file with `motif work register`",
            Self::AmbiguousFile { .. } => {
                "pass one of these addresses; the first was registered first"
            }
            Self::ChannelMissing(_) => "open one with `motif channel open`, or pass --channel",
            Self::AmbiguousChannel { .. } => "choose one with --channel",
            Self::LicenseMissing { .. } => "accept the work's terms with `motif channel accept`",
            Self::UseNotOffered { .. } => "choose an offered use with --use",
            Self::QuotaMissing { units: true, .. } => "reserve units with --quota-units",
            Self::QuotaMissing { units: false, .. } => "reserve revenue with --quota-revenue",
            Self::SplitDigestMismatch { .. } => "review the proposal with `motif split show`",
            Self::InsufficientTokens { .. } => {
                "fund the keypair (on a localnet: `motif key airdrop`), or pay less"
            }
            Self::Document { .. } => {
                "`motif terms check FILE` validates a terms file; `motif terms preset` prints \
                 templates"
            }
            Self::InvalidPil { .. } => {
                "pass the JSON of Story's PILTerms, or of terms registered there"
            }
            Self::CredentialsMissing { .. } => "sign the file with `motif credentials sign`",
            Self::FolderInUse(_) => "stop that process, or pass another --folder",
            Self::OverBudget { .. } => "the owner of the budget raises --budget or --max-price",
            Self::NotForSale(_) => "search_works names what can be bought, with its route",
            Self::Declined => "answer y, or pass --yes",
            Self::ClaimsFailed { .. } => {
                "a recipient that cannot be paid keeps its claim; the account at its associated \
                 token address must exist and be its own"
            }
            Self::OperatorRegistered(_) => {
                "change it with `motif operator update` or `motif operator rotate-key`"
            }
            Self::HiddenCharacter { .. } => {
                "remove control, bidirectional and invisible characters"
            }
            Self::NotConserved(_) => "this is a bug; please report it with the output above",
            Self::Usage { help, .. } => return Some(help.clone()),
            Self::Amount(_) => "pass an amount that the currency can represent",
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// Returns 2 for invalid usage, 1 for every other error.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.code() == "usage" { 2 } else { 1 })
    }
}

fn sdk_code(error: &Error) -> String {
    let slug = match error {
        Error::Rejected(refusal) => return refusal.name.clone().unwrap_or("rejected".to_owned()),
        Error::Unconfirmed { .. } => "unconfirmed",
        Error::Transport(_) => "node-failed",
        Error::Unsignable { .. } => "unsignable-address",
        Error::NotFound { kind, .. } => return format!("unknown-{}", kind.replace(' ', "-")),
        Error::File { .. } => "file",
        Error::Signer(_) => "signer",
    };
    slug.to_owned()
}

fn sdk_hint(error: &Error) -> Option<String> {
    let text = match error {
        Error::Rejected(refusal) if refusal.message.contains("no record of a prior credit") => {
            "the paying account has no SOL; on a localnet, fund it with `motif key airdrop`"
        }
        Error::Rejected(refusal) if refusal.message.contains("insufficient lamports") => {
            "the paying account has too little SOL; on a localnet, fund it with `motif key airdrop`"
        }
        Error::Rejected(refusal) => return program_hint(refusal.name.as_deref()?),
        Error::Transport(_) => {
            "nothing was sent. Repeat the command later, or pass another node's URL with --rpc-url"
        }
        Error::Unconfirmed { .. } => "look up the signature before you repeat the command",
        Error::Unsignable { what: Unsignable::TokenAccount { owner: Some(owner) }, .. } => {
            return Some(format!("name the wallet, {owner}; its token account is found from it"));
        }
        Error::Unsignable { address, .. } => {
            return Some(format!(
                "name a wallet. For the vault of a multisig pass --allow-unsignable {address}"
            ));
        }
        Error::NotFound { kind: "terms", .. } => {
            "the work offers no terms now; only its owner can, with `motif terms publish`"
        }
        Error::NotFound { kind: "dispute", .. } => "the work is not disputed",
        Error::NotFound { kind: "split change", .. } => "propose one with `motif split propose`",
        Error::NotFound { kind: "approval", .. } => {
            "pass --terms if it was granted for older terms"
        }
        Error::NotFound { kind: "operator", .. } => "register it with `motif operator register`",
        Error::NotFound { kind: "till", .. } => "open it with `motif till open`",
        Error::NotFound { kind: "mint", .. } => {
            "check the mint's address, and the cluster of --rpc-url"
        }
        Error::NotFound { .. } => "check the address, and the cluster of --rpc-url",
        _ => return None,
    };
    Some(text.to_owned())
}

/// Returns what the user can do about an error of a program, by its name.
fn program_hint(name: &str) -> Option<String> {
    let text = match name {
        "AccountNotInitialized" => {
            "an account that this needs does not exist: check the keypair, the addresses, and the \
             cluster of --rpc-url"
        }
        "LicenseExpired" => "accept the work's latest terms with `motif channel accept`",
        "WorkNotActive" | "WorkDisputed" | "ConsentEnded" => {
            "`motif work show` prints the work's status and consent"
        }
        "TermsNotValidNow" => "`motif terms show` prints from when until when they are valid",
        "OperatorNotNamed" => {
            "`motif terms show` prints the operators that the terms name; open a channel with one"
        }
        "CurrencyMismatch" => {
            "`motif terms show` prints the terms' currency; open a channel in it with --currency"
        }
        "MissingApproval" => {
            "ask the work's owner for `motif approval grant`, or pass its keypair with --approver"
        }
        "WorkNotWithdrawn" => "its owner withdraws it with `motif work withdraw`",
        "WorkNotDisputed" => "claim it with `motif dispute open`",
        "NotPayer" => {
            "sign with the keypair of the channel's payer, which `motif channel show` prints, or of \
             the operator's authority; a settle key closes no channel"
        }
        "ChannelClosing" => {
            "`motif channel show` prints when it closes; until then it takes no new licenses and no \
             top-ups. It closes at once only if payer and operator's authority sign, and its watcher \
             if it has one"
        }
        "SettlerNotAllowed" => {
            "the operator's settle key settles, which `motif operator show` prints; late in the grace \
             period the channel's watcher does too"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

fn gateway_code(error: &GatewayError) -> &str {
    match error {
        GatewayError::Refused(problem) | GatewayError::OutcomeUnknown(problem) => &problem.slug,
        GatewayError::Unreachable { .. } => "no-gateway",
        GatewayError::ServerRefused { .. } => "server-refused",
        GatewayError::Untrusted(_) => "untrusted-gateway",
        GatewayError::OverBudget { .. } => "over-budget",
        GatewayError::PriceTooHigh { .. } => "price-too-high",
        GatewayError::Unanswered => "unanswered",
        GatewayError::StateLocked { .. } => "state-locked",
        GatewayError::StateFailed { .. } => "state-failed",
        GatewayError::StateInvalid { .. } => "state-invalid",
        GatewayError::LicenseNotFound(_) => "unknown-license",
        GatewayError::LicenseRefuses { .. } => "license-refuses",
        GatewayError::StatementFull(_) => "statement-full",
        GatewayError::Signer(_) => "signer",
        GatewayError::Overflow => "overflow",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_errors_say_what_to_do() {
        for error in [
            PaymentsError::LicenseExpired,
            PaymentsError::WorkNotWithdrawn,
            PaymentsError::WorkNotDisputed,
            PaymentsError::NotPayer,
            PaymentsError::ChannelClosing,
            PaymentsError::SettlerNotAllowed,
            PaymentsError::WorkNotActive,
            PaymentsError::TermsNotValidNow,
            PaymentsError::CurrencyMismatch,
            PaymentsError::OperatorNotNamed,
            PaymentsError::ConsentEnded,
            PaymentsError::MissingApproval,
        ] {
            let refused = CliError::NotAcceptable { work: Pubkey::default(), error };
            assert!(refused.hint().is_some(), "{}", refused.code());
            assert_eq!(program_hint(&refused.code()), refused.hint());
        }
    }
}
