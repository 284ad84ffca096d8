use ed25519_dalek::SigningKey;
use motif_sdk::receipt::{Receipt, SignedReceipt};

use super::writer::Job;

/// Signs the receipts of a group before it is written, as many with one signature as can be: signing
/// each by itself would take longer than to store it.
pub fn sign(group: &mut [Job], operator: &SigningKey) {
    let unsigned = group.iter_mut().flat_map(Job::generations_mut);
    let mut places: Vec<&mut SignedReceipt> = unsigned.map(|one| &mut one.receipt).collect();
    let receipts: Vec<Receipt> = places.iter().map(|place| place.receipt).collect();
    let signed = SignedReceipt::sign_together(&receipts, operator);
    places.iter_mut().zip(signed).for_each(|(place, signed)| **place = signed);
}
