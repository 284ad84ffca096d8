/// Why a payment does not buy an answer. Nothing was charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason in the words of x402.
    pub word: Word,
    /// What is wrong, for people.
    pub what: String,
}

/// Reasons of x402's scheme `exact` on Solana.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The scheme is not `exact`.
    UnsupportedScheme,
    /// The network is another one.
    NetworkMismatch,
    /// The transaction cannot be parsed.
    NotDecoded,
    /// The buyer's signature is invalid.
    SignatureInvalid,
    /// There are other than two signers.
    ExcessiveSigners,
    /// The fee payer is another key.
    FeePayerMismatch,
    /// An instruction has the fee payer among its accounts.
    FeePayerInAccounts,
    /// The compute unit limit is malformed, missing or repeated.
    ComputeLimit,
    /// The compute unit limit is too high.
    ComputeLimitTooHigh,
    /// The price of compute units is malformed or repeated.
    ComputePrice,
    /// The price of compute units is too high.
    ComputePriceTooHigh,
    /// There is no transfer, or more than one.
    NoTransfer,
    /// The transfer is in another mint.
    MintMismatch,
    /// The transfer is to another account.
    RecipientMismatch,
    /// The transfer is of another amount.
    AmountMismatch,
    /// The memo is another one, or the offer has ended.
    MemoMismatch,
    /// There is no memo, or more than one.
    MemoCount,
    /// There is an instruction of another program.
    UnknownInstruction,
    /// The transaction fails in simulation.
    SimulationFailed,
    /// The transaction failed on chain, or has expired.
    TransactionFailed,
    /// The payment was settled before.
    DuplicateSettlement,
    /// The payment was sent and its outcome is not known.
    SettlementPending,
    /// The seller is not served.
    NotServed,
}

impl Refusal {
    /// Creates a refusal.
    pub fn new(word: Word, what: impl Into<String>) -> Self {
        Self { word, what: what.into() }
    }
}

impl Word {
    /// Returns the text that stock clients and sellers compare.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnsupportedScheme => "invalid_exact_svm_unsupported_scheme",
            Self::NetworkMismatch => "invalid_exact_svm_network_mismatch",
            Self::NotDecoded => "invalid_exact_svm_payload_transaction_could_not_be_decoded",
            Self::SignatureInvalid => "invalid_exact_svm_payload_signature_invalid",
            Self::ExcessiveSigners => "invalid_exact_svm_payload_excessive_signers",
            Self::FeePayerMismatch => "invalid_exact_svm_fee_payer_mismatch",
            Self::FeePayerInAccounts => {
                "invalid_exact_svm_payload_transaction_fee_payer_transferring_funds"
            }
            Self::ComputeLimit => {
                "invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction"
            }
            Self::ComputeLimitTooHigh => {
                "invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction_too_high"
            }
            Self::ComputePrice => {
                "invalid_exact_svm_payload_transaction_instructions_compute_price_instruction"
            }
            Self::ComputePriceTooHigh => {
                "invalid_exact_svm_payload_transaction_instructions_compute_price_instruction_too_high"
            }
            Self::NoTransfer => "invalid_exact_svm_payload_no_transfer_instruction",
            Self::MintMismatch => "invalid_exact_svm_payload_mint_mismatch",
            Self::RecipientMismatch => "invalid_exact_svm_payload_recipient_mismatch",
            Self::AmountMismatch => "invalid_exact_svm_payload_amount_mismatch",
            Self::MemoMismatch => "invalid_exact_svm_payload_memo_mismatch",
            Self::MemoCount => "invalid_exact_svm_payload_memo_count",
            Self::UnknownInstruction => "invalid_exact_svm_payload_unknown_optional_instruction",
            Self::SimulationFailed => "invalid_exact_svm_transaction_simulation_failed",
            Self::TransactionFailed => "invalid_exact_svm_transaction_failed",
            Self::DuplicateSettlement => "duplicate_settlement",
            Self::SettlementPending => "settlement_pending",
            Self::NotServed => "seller_not_served",
        }
    }
}
