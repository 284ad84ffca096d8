use ed25519_dalek::SigningKey;
use motif_interface::receipt::{Receipt, SignedReceipt};

use crate::command::Message;

/// Signs the receipts of a group, as many as possible with one signature: one signature per receipt
/// would take longer than storing it.
pub fn sign(group: &mut [Message], operator: &SigningKey) {
    let unsigned = group.iter_mut().flat_map(Message::generations_mut);
    let mut places: Vec<&mut SignedReceipt> = unsigned.map(|one| &mut one.receipt).collect();
    let receipts: Vec<Receipt> = places.iter().map(|place| place.receipt).collect();
    let signed = SignedReceipt::sign_together(&receipts, operator);
    places.iter_mut().zip(signed).for_each(|(place, signed)| **place = signed);
}
