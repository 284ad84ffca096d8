use motif_interface::{
    receipt::SignedReceipt,
    voucher::{SignedVoucher, Voucher},
};
use motif_wire::BatchedGeneration;

use crate::error::PayerError;

/// Generations to pay for, all or none.
#[derive(Clone, Debug)]
pub struct Payment {
    /// Number by which [`Effect`]s name the payment.
    pub ticket: u64,
    /// 1 to [`MAX_GENERATIONS`](motif_wire::BatchRequest::MAX_GENERATIONS) generations.
    pub generations: Vec<BatchedGeneration>,
    /// Tag that the receipts are kept under, and that has a budget.
    pub tag: Option<String>,
}

/// Request to the gateway: `POST /v1/channels/{channel}/batches` with the header `idempotency-key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Idempotency key.
    pub key: String,
    /// JSON of a [`BatchRequest`](motif_wire::BatchRequest).
    pub body: Vec<u8>,
}

/// What the caller of a [`Machine`](crate::Machine) does next, in order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Signs the voucher with the channel's voucher key, then calls [`signed`](crate::Machine::signed) or
    /// [`withdraw`](crate::Machine::withdraw).
    Sign(Voucher),
    /// Appends a frame to the state file.
    Save {
        /// Bytes.
        frame: Vec<u8>,
        /// Whether the frame must be durable before anything that follows.
        is_urgent: bool,
    },
    /// Sends the request, then calls [`answered`](crate::Machine::answered) or, without an answer, sends it again.
    Send(Request),
    /// A payment is accepted.
    Paid {
        /// Ticket of the payment; `None` if nothing waits for it any more.
        ticket: Option<u64>,
        /// Verified receipts, in order.
        receipts: Vec<SignedReceipt>,
        /// Voucher that paid.
        voucher: SignedVoucher,
    },
    /// A payment is refused and was not charged.
    Failed {
        /// Ticket of the payment.
        ticket: u64,
        /// Cause.
        error: PayerError,
    },
    /// Reads the channel's state from the gateway, then calls [`compare`](crate::Machine::compare): the gateway has
    /// a lower total than this payer.
    Compare,
}
