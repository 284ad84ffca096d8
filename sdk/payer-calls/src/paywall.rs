//! Purchases from behind a paywall, and holds: what is signed, and what an answer proves.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::receipt::SignedReceipt;
use motif_json::{Foreign, object};
use motif_payer::{
    Chosen, PaidUnits, PayerError, Purchase,
    purchase::{check_output, check_receipt, receipt_in},
    stream::{failure, part_bytes, read_event},
};
use motif_wire::{
    Address, Digest, Due, HoldFacts, PayForAnswer, PayerProof, Payment, PaymentRequired, PriceTag,
    ReceiptParts, StreamEvent,
};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use crate::{
    Calls, Payers,
    payer::{payer_error, price_tag_error},
    prices::VoucherArgument,
};

pub(crate) const CALLS: Calls = &[
    ("payment_required.read", read_required),
    ("paywall.license", license),
    ("purchase.names", names),
    ("purchase.ask", ask),
    ("purchase.due", due),
    ("purchase.pay", pay),
    ("purchase.answer", answer),
    ("purchase.earlier", earlier),
    ("purchase.shown", shown),
    ("purchase.part", part),
    ("stream.event", event),
    ("hold.check", check_hold),
];

/// Purchase, as its host keeps it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurchaseParts {
    license: u16,
    units: UnitsParts,
    key: String,
    request_digest: Digest,
    expires_at: i64,
}

/// Number of units of an answer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnitsParts {
    Exactly(u32),
    AtMost(u32),
}

impl PurchaseParts {
    /// Returns the purchase.
    ///
    /// # Errors
    /// `invalid-input` if the idempotency key is malformed.
    pub fn purchase(&self) -> Result<Purchase, CallError> {
        Ok(Purchase {
            license: self.license,
            units: match self.units {
                UnitsParts::Exactly(units) => PaidUnits::Exactly(units),
                UnitsParts::AtMost(units) => PaidUnits::AtMost(units),
            },
            key: self.key.parse().map_err(CallError::invalid_input)?,
            request_digest: self.request_digest.0,
            expires_at: self.expires_at,
        })
    }
}

impl From<PaidUnits> for UnitsParts {
    fn from(units: PaidUnits) -> Self {
        match units {
            PaidUnits::Exactly(units) => Self::Exactly(units),
            PaidUnits::AtMost(units) => Self::AtMost(units),
        }
    }
}

fn accepted<T>(result: Result<T, PayerError>) -> Result<T, CallError> {
    result.map_err(|error| payer_error(&error))
}

fn read_required(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { header: String });
    let required = PaymentRequired::from_header(&header).map_err(CallError::invalid_input)?;
    Ok(Answer::of(&required))
}

fn license(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, price_tag: Foreign<PriceTag>, now: i64 });
    let chosen = payers.machine(payer)?.choose(&price_tag.0, now);
    let Chosen { license, units, most_cost } = chosen.map_err(|error| price_tag_error(&error))?;
    Ok(Answer::of(&object! {
        "license": license,
        "units": UnitsParts::from(units),
        "most_cost": most_cost,
        "hold_seconds": price_tag.0.hold_seconds,
        "streams": price_tag.0.streams,
    }))
}

/// Returns the name of a purchase's answer, or of a part.
fn name(
    payers: &mut Payers,
    payer: u32,
    purchase: &Purchase,
    part: u32,
) -> Result<[u8; 32], CallError> {
    let machine = payers.machine(payer)?;
    Ok(purchase.name(&machine.address(), machine.channel().opened_slot, part))
}

fn names(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, purchase: PurchaseParts, part: u32 });
    let answer = Digest(name(payers, payer, &purchase.purchase()?, part)?);
    Ok(Answer::of(&object! { "answer": answer }))
}

fn ask(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, purchase: PurchaseParts, proof: PayerProof });
    let channel = payers.machine(payer)?.address();
    let ask = purchase.purchase()?.ask(&channel, proof);
    Ok(Answer::of(&object! { "header": Payment::Ask(ask).to_header() }))
}

fn due(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, purchase: PurchaseParts, part: u32, due: Foreign<Due> });
    let purchase = purchase.purchase()?;
    let name = name(payers, payer, &purchase, part)?;
    let generation = accepted(purchase.pay_due(&name, part, &due.0))?;
    Ok(Answer::of(&object! { "generation": generation }))
}

fn pay(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        payer: u32,
        purchase: PurchaseParts,
        part: u32,
        voucher: VoucherArgument,
    });
    let answer = Digest(name(payers, payer, &purchase.purchase()?, part)?);
    let channel = Address(payers.machine(payer)?.address());
    let voucher = voucher.signed(Pubkey::default());
    let payment = Payment::Pay(PayForAnswer { channel, answer, voucher });
    Ok(Answer::of(&object! { "header": payment.to_header() }))
}

fn answer(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let body = call.raw;
    arguments!(call, { receipt: Foreign<ReceiptParts>, header: Option<String> });
    let paid = SignedReceipt::from(&receipt.0);
    accepted(check_receipt(&paid, header.as_deref()))?;
    accepted(check_output(&paid, body))?;
    Ok(Answer::empty())
}

/// Verifies the receipt of an answer that was paid for earlier.
fn earlier(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let output_digest = hash(call.raw).to_bytes();
    arguments!(call, { payer: u32, purchase: PurchaseParts, header: Option<String> });
    let parts = accepted(receipt_in(header.as_deref()))?;
    let purchase = purchase.purchase()?;
    let (use_of, digest) = ((purchase.license, purchase.units.max()), &purchase.request_digest);
    let machine = payers.machine(payer)?;
    let verified = accepted(machine.verify_earlier(&parts, use_of, digest, &output_digest))?;
    Ok(Answer::of(&object! { "receipt": ReceiptParts::from(&verified) }))
}

fn shown(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { receipt: Foreign<ReceiptParts>, header: Option<String> });
    accepted(check_receipt(&SignedReceipt::from(&receipt.0), header.as_deref()))?;
    Ok(Answer::empty())
}

fn part(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let body = call.raw;
    arguments!(call, { receipt: Foreign<ReceiptParts> });
    accepted(check_output(&SignedReceipt::from(&receipt.0), body))?;
    Ok(Answer::empty())
}

fn event(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let event = call.raw;
    arguments!(call, {});
    Ok(match accepted(read_event(event))? {
        None => Answer::of(&object! { "event": () }),
        Some(StreamEvent::Due(due)) => Answer::of(&object! { "event": "due", "due": due }),
        Some(StreamEvent::Output(output)) => {
            let body = accepted(part_bytes(&output))?;
            let (part, receipt) = (output.part, output.receipt);
            let json = object! { "event": "output", "part": part, "receipt": receipt };
            Answer::of(&json).with_raw(body)
        }
        Some(StreamEvent::End(end)) => Answer::of(&object! { "event": "end", "end": end }),
        Some(StreamEvent::Failed(failed)) => {
            Answer::of(&object! { "event": "failed", "error": payer_error(&failure(failed)) })
        }
    })
}

fn check_hold(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, purchase: PurchaseParts, facts: Foreign<HoldFacts> });
    let purchase = purchase.purchase()?;
    let hold = name(payers, payer, &purchase, 0)?;
    accepted(purchase.check_hold(&hold, &facts.0))?;
    Ok(Answer::of(&object! { "hold": Digest(hold) }))
}
