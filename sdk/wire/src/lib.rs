//! JSON types of the Motif gateway interface.
//!
//! ```
//! use motif_wire::{Amount, ProblemType};
//!
//! assert_eq!(serde_json::to_string(&Amount(u64::MAX))?, "\"18446744073709551615\"");
//! let problem: ProblemType = "wrong-price".parse()?;
//! assert_eq!((problem.status(), problem.title()), (409, "Wrong price"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Public keys are base58; digests and signatures are hex. Amounts are strings of decimal digits in
//! base units, because numbers in JavaScript lose units above 2^53. Counts, times (unix seconds)
//! and basis points are numbers.
//!
//! # Features
//!
//! | feature | purpose |
//! |---|---|
//! | `openapi` | `utoipa` schemas for a gateway's OpenAPI document |

mod admin;
mod api_key;
mod authentication;
mod batch;
mod channel;
mod details;
mod digests;
mod discovery;
mod event;
mod expected_statement;
mod findings;
mod generation;
mod hold;
pub mod jws;
mod metadata;
pub mod mpp;
mod operator;
mod paywall;
mod person;
mod problem;
mod problem_type;
mod provenance;
mod query;
mod reader;
mod receipt;
mod reconciliation;
mod record;
mod relay;
pub mod sale;
mod scalar;
mod scope;
mod settlement;
pub mod sign_in;
mod usage;
pub mod voucher;
mod webhook;
mod work;
pub mod x402;

pub use admin::{ChannelList, ChannelSummary, FeeClaim, QuarantinedChannel};
pub use api_key::{ApiKeyFacts, ApiKeyList, ChannelBudget, CreatedApiKey, NewApiKey};
pub use authentication::{
    AlikeWork, Authentication, AuthenticationRequest, Credentials, CredentialsFacts,
    CredentialsSigner, CredentialsState, FingerprintParts, OutputReceipt,
};
pub use batch::{BatchReceipts, BatchRequest, BatchedGeneration, Captured, ItemProblem};
pub use channel::{ChannelState, LicenseState, OpenChannel, StatementEntry, StatementState};
pub use details::{
    DisputeFacts, EarningsFacts, LineageFacts, RelatedWork, RelativeFacts, SplitChangeFacts,
    WorkDetailsFacts,
};
pub use digests::Digests;
pub use discovery::Discovery;
pub use event::{DisputeState, Event, EventKind};
pub use expected_statement::ExpectedStatement;
pub use findings::{
    Evidence, Findings, ReceiptFinding, ReceiptStanding, WorkFinding, WorkStanding,
};
pub use generation::GenerationRequest;
pub use hold::{HoldFacts, HoldRequest, HoldState, ReleaseRequest};
pub use metadata::{Metadata, MetadataError};
pub use motif_interface::licensing::{Derivatives, Unit, Use, WorkKind, WorkStatus};
pub use operator::Operator;
pub use paywall::{
    AskToPay, Due, PaidRoute, PaidRoutes, ParseHeaderError, PayForAnswer, Payment, PaymentRequired,
    PriceTag, StreamEnd, StreamEvent, StreamFailure, StreamedPart,
};
pub use person::PersonProof;
pub use problem::Problem;
pub use problem_type::ProblemType;
pub use provenance::{NamedWork, Origin, Provenance, SettlementProof, content_url};
pub use query::WorkQuery;
pub use reader::ReaderProof;
pub use receipt::{
    BundleSiblings, HashSibling, ReceiptPage, ReceiptParts, ReceiptProofParts,
    StatementRecordParts, SumSibling, WorkReceipts,
};
pub use reconciliation::{ExpenseSummary, ReconciledChannel, Reconciliation};
pub use record::{
    ParentPart, PersonEarnings, PersonWork, RecipientPart, Role, Standing, WorkEarnings,
    WorkUsageBy, WorkUsageReport, WorkUsageRow,
};
pub use relay::{
    AccountFacts, AccountsFacts, AccountsRequest, BlockhashFacts, ClusterFacts, FaucetRequest,
    Network, PaidChannel, PaidChannels, PaidLicense, SentTransaction, SponsorshipQuote,
    TransactionFacts, TransactionRequest, TransactionState,
};
pub use scalar::{Address, Amount, Digest, ParseScalarError, SignatureHex};
pub use scope::ScopeWord;
pub use settlement::{Closing, PayerProof, SettlementReport, Settlements};
pub use usage::{UsageBy, UsageFormat, UsageReport, UsageRow};
pub use webhook::{CreatedWebhook, Delivery, DeliveryList, NewWebhook, Webhook, WebhookList};
pub use work::{
    ConsentFacts, InheritedFacts, ModelFacts, ParentShare, PricedUse, Quote, RecipientShare,
    TermsFacts, WorkFacts, WorkList,
};
