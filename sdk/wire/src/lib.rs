//! What travels between a gateway and its clients, as JSON.
//!
//! Public keys are base58; digests and signatures are hex. Amounts of tokens are strings of
//! decimal digits in base units, because JavaScript's numbers lose every unit above 2^53.
//! Counts, instants (unix seconds) and basis points are numbers.

mod admin;
mod api_key;
mod authentication;
mod batch;
mod channel;
mod details;
mod digests;
mod discovery;
mod expected_statement;
mod findings;
mod generation;
mod hold;
mod operator;
mod paywall;
mod problem;
mod problem_type;
mod provenance;
mod query;
mod receipt;
mod reconciliation;
mod scalar;
mod scope;
mod settlement;
mod usage;
mod work;

pub use admin::{ChannelList, ChannelSummary, FeeClaim};
pub use api_key::{ApiKeyFacts, ApiKeyList, ChannelBudget, CreatedApiKey, NewApiKey};
pub use authentication::{
    AlikeWork, Authentication, AuthenticationRequest, Credentials, CredentialsFacts,
    CredentialsSigner, CredentialsState, FingerprintParts, OutputReceipt,
};
pub use batch::{BatchReceipts, BatchRequest, BatchedGeneration};
pub use channel::{ChannelState, LicenseState, OpenChannel, StatementEntry, StatementState};
pub use details::{
    DisputeFacts, EarningsFacts, LineageFacts, RelatedWork, RelativeFacts, SplitChangeFacts,
    WorkDetailsFacts,
};
pub use digests::Digests;
pub use discovery::Discovery;
pub use expected_statement::ExpectedStatement;
pub use findings::{
    Evidence, Findings, ReceiptFinding, ReceiptStanding, WorkFinding, WorkStanding,
};
pub use generation::{GenerationRequest, VoucherParts};
pub use hold::{HoldFacts, HoldRequest, HoldState, ReleaseRequest};
pub use motif_interface::licensing::{Derivatives, Unit, Use, WorkKind, WorkStatus};
pub use operator::Operator;
pub use paywall::{
    AskToPay, Due, PaidRoute, PaidRoutes, ParseHeaderError, PayForAnswer, Payment, PaymentRequired,
    PriceTag, StreamEnd, StreamEvent, StreamFailure, StreamedPart,
};
pub use problem::Problem;
pub use problem_type::ProblemType;
pub use provenance::{NamedWork, Origin, Provenance, SettlementProof, content_url};
pub use query::WorkQuery;
pub use receipt::{
    BundleSiblings, HashSibling, ReceiptPage, ReceiptParts, ReceiptProofParts,
    StatementRecordParts, SumSibling,
};
pub use reconciliation::{ReconciledChannel, Reconciliation};
pub use scalar::{Address, Amount, Digest, ParseScalarError, SignatureHex};
pub use scope::ScopeWord;
pub use settlement::{Closing, PayerProof, SettlementReport, Settlements};
pub use usage::{UsageBy, UsageFormat, UsageReport, UsageRow};
pub use work::{
    ConsentFacts, InheritedFacts, ModelFacts, ParentShare, PricedUse, Quote, RecipientShare,
    TermsFacts, WorkFacts, WorkList,
};
