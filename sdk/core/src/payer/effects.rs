use motif_frame::Answer;
use motif_interface::voucher::{SignedVoucher, Voucher};
use motif_payer::{Effect, Request};
use motif_wire::{Address, Amount, Digest, ReceiptParts};
use serde::Serialize;
use serde_json::{Value, json};

use super::errors::payer_error;
use crate::parts::base64;

/// Returns the answer with what the host does next, in order.
pub fn effects(effects: &[Effect]) -> Answer {
    let effects: Vec<_> = effects.iter().map(effect).collect();
    Answer::of(&json!({ "effects": effects }))
}

fn effect(effect: &Effect) -> Value {
    match effect {
        Effect::Sign(voucher) => json!({
            "effect": "sign",
            "message": hex::encode(voucher.to_bytes()),
            "voucher": unsigned(voucher),
        }),
        Effect::Save { frame, is_urgent } => {
            json!({ "effect": "save", "frame": base64(frame), "is_urgent": is_urgent })
        }
        Effect::Send(sent) => {
            let Value::Object(mut sent) = request(sent) else { return Value::Null };
            sent.insert("effect".to_owned(), "send".into());
            Value::Object(sent)
        }
        Effect::Paid { ticket, receipts, voucher } => {
            let receipts: Vec<_> = receipts.iter().map(ReceiptParts::from).collect();
            let voucher = SignedVoucherParts { voucher: *voucher };
            let voucher = &Answer::of(&voucher).json["voucher"];
            json!({ "effect": "paid", "ticket": ticket, "receipts": receipts, "voucher": voucher })
        }
        Effect::Failed { ticket, error } => {
            json!({ "effect": "failed", "ticket": ticket, "error": payer_error(error) })
        }
        Effect::Compare => json!({ "effect": "compare" }),
    }
}

/// Returns the JSON of a request to the gateway.
pub fn request(request: &Request) -> Value {
    json!({ "key": request.key, "body": String::from_utf8_lossy(&request.body) })
}

#[derive(Serialize)]
struct SignedVoucherParts {
    #[serde(with = "motif_wire::voucher")]
    voucher: SignedVoucher,
}

fn unsigned(voucher: &Voucher) -> Value {
    json!({
        "cluster": Digest(voucher.cluster),
        "channel": Address(voucher.channel),
        "opened_slot": voucher.opened_slot,
        "statement": voucher.statement,
        "cumulative": Amount(voucher.cumulative),
        "statement_digest": Digest(voucher.statement_digest),
        "expires_at": voucher.expires_at,
    })
}
