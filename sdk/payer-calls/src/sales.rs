//! Receipts of sales by x402.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_json::{Foreign, object};
use motif_wire::sale::SaleReceipt;

use crate::{
    Calls, Payers,
    parts::{ReceiptKeyParts, receipt_keys},
    receipts::unsigned,
};

pub(crate) const CALLS: Calls = &[("sale.read", read), ("sale.verify", verify)];

fn read(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { header: String });
    let receipt = SaleReceipt::from_header(&header).map_err(CallError::invalid_input)?;
    Ok(Answer::of(&object! { "receipt": receipt }))
}

fn verify(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { receipt: Foreign<SaleReceipt>, keys: Vec<ReceiptKeyParts> });
    if !receipt.0.verifies_with(&receipt_keys(&keys)) {
        return Err(unsigned());
    }
    Ok(Answer::empty())
}
