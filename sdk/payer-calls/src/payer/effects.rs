use std::borrow::Cow;

use motif_frame::Answer;
use motif_interface::voucher::{SignedVoucher, Voucher};
use motif_json::{Json, object};
use motif_payer::{Effect, Request};
use motif_wire::{Address, Amount, Digest, ReceiptParts};
use serde::Serialize;

use super::errors::payer_error;
use crate::parts::base64;

/// Returns the answer with what the host does next, in order.
pub fn effects(effects: &[Effect]) -> Answer {
    let effects: Vec<_> = effects.iter().map(effect).collect();
    Answer::of(&object! { "effects": Json::array(&effects) })
}

fn effect(effect: &Effect) -> Json {
    match effect {
        Effect::Sign(voucher) => object! {
            "effect": "sign",
            "message": hex::encode(voucher.to_bytes()),
            "voucher": unsigned(voucher),
        },
        Effect::Save { frame, is_urgent } => {
            object! { "effect": "save", "frame": base64(frame), "is_urgent": is_urgent }
        }
        Effect::Send(sent) => {
            object! { "effect": "send", "key": sent.key, "body": body(sent) }
        }
        Effect::Paid { ticket, receipts, voucher } => {
            let receipts: Vec<_> = receipts.iter().map(ReceiptParts::from).collect();
            let voucher = SignedVoucherParts(*voucher);
            object! { "effect": "paid", "ticket": ticket, "receipts": receipts, "voucher": voucher }
        }
        Effect::Failed { ticket, error } => {
            object! { "effect": "failed", "ticket": ticket, "error": payer_error(error) }
        }
        Effect::Compare => object! { "effect": "compare" },
    }
}

/// Returns the JSON of a request to the gateway.
pub fn request(request: &Request) -> Json {
    object! { "key": request.key, "body": body(request) }
}

fn body(request: &Request) -> Cow<'_, str> {
    String::from_utf8_lossy(&request.body)
}

#[derive(Serialize)]
struct SignedVoucherParts(#[serde(with = "motif_wire::voucher")] SignedVoucher);

fn unsigned(voucher: &Voucher) -> Json {
    object! {
        "cluster": Digest(voucher.cluster),
        "channel": Address(voucher.channel),
        "opened_slot": voucher.opened_slot,
        "statement": voucher.statement,
        "cumulative": Amount(voucher.cumulative),
        "statement_digest": Digest(voucher.statement_digest),
        "expires_at": voucher.expires_at,
    }
}
