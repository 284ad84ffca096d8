use motif_wire::sale::SaleState;

/// Identifier of a payment: SHA-256 of its transaction's message, which the buyer signed.
pub type PaymentId = [u8; 32];

/// Payment to a till that was signed by the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSale {
    /// The payment.
    pub payment: PaymentId,
    /// Key that pays.
    pub wallet: [u8; 32],
    /// SHA-256 of the request that is answered; zeros for another seller.
    pub request_digest: [u8; 32],
    /// Name that the buyer gave to the payment; empty without one.
    pub name: String,
    /// Bytes of the acceptance; `None` for another seller.
    pub acceptance: Option<[u8; 272]>,
    /// Parts of the work in the till; 0 for another seller.
    pub parts: u32,
    /// Parts of the operator in the till.
    pub operator_parts: u32,
    /// Name of the stored answer.
    pub answer: [u8; 32],
    /// URL of the process that made the answer.
    pub holder: String,
    /// Signature of the transaction.
    pub signature: [u8; 64],
    /// The signed transaction; empty after its end.
    pub bytes: Vec<u8>,
    /// Block height after which the transaction cannot land.
    pub last_valid_height: u64,
    /// State.
    pub state: SaleState,
    /// Unix seconds.
    pub sent_at: i64,
    /// Unix second of the end; `None` while the transaction may still land.
    pub ended_at: Option<i64>,
    /// SHA-256 of the answer; `None` before it is made.
    pub output_digest: Option<[u8; 32]>,
    /// Unix second in which a response with the whole answer was sent.
    pub delivered_at: Option<i64>,
    /// Unix second in which the model server refused the request of a payment that has landed.
    pub refused_at: Option<i64>,
    /// Recipient of another seller's payment that came without an API key; `None` for all others.
    pub seller: Option<[u8; 32]>,
    /// Random number of the call that was answered that another seller's payment has landed; `None`
    /// before.
    pub told_call: Option<[u8; 16]>,
}

/// Payments of another seller that came without an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SellerPayments {
    /// Recipient of the payments.
    pub seller: [u8; 32],
    /// Number of payments that have landed or may still land.
    pub payments: u64,
}

/// Event in the life of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaleEvent {
    /// It has ended. A payment that has landed stays so.
    Ended {
        /// How.
        state: SaleState,
        /// Unix seconds.
        at: i64,
    },
    /// Its answer is made.
    Made {
        /// SHA-256 of the answer.
        output_digest: [u8; 32],
        /// SHA-256 of the request.
        request_digest: [u8; 32],
        /// Name that the buyer gave to the purchase.
        name: String,
    },
    /// The model server refused its request.
    Refused {
        /// Unix seconds.
        at: i64,
    },
    /// A response with the whole answer was sent.
    Delivered {
        /// Unix seconds.
        at: i64,
    },
    /// A call of another seller is answered that the payment has landed. The first call stays.
    Told {
        /// Random number of the call.
        call: [u8; 16],
    },
}
