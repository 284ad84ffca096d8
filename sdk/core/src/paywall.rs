//! Headers of a paywall: what a seller reads and writes.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_json::{Foreign, object};
use motif_payer_calls::{Calls, Payers};
use motif_wire::{Payment, PaymentRequired, ReceiptParts};

pub(crate) const CALLS: Calls = &[
    ("payment.read", read_payment),
    ("payment_required.write", write_required),
    ("receipt.write", write_receipt),
];

fn read_payment(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { header: String });
    Ok(Answer::of(&match Payment::from_header(&header).map_err(CallError::invalid_input)? {
        Payment::Ask(ask) => object! { "ask": ask },
        Payment::Pay(pay) => object! { "pay": pay },
    }))
}

fn write_required(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { required: Foreign<PaymentRequired> });
    Ok(Answer::of(&object! { "header": required.0.to_header() }))
}

fn write_receipt(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { receipt: Foreign<ReceiptParts> });
    Ok(Answer::of(&object! { "header": receipt.0.to_header() }))
}
