//! Requests that a payer signs, and the digests in them.

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
#[cfg(feature = "host")]
use motif_interface::channel::Channel;
use motif_wire::{Address, PayerProof, SignatureHex};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hashv;

use crate::IdempotencyKey;

/// Action that a payer requests for its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayerAction {
    /// Settle the channel.
    Settle,
    /// Settle and close a channel in its grace period.
    Close,
    /// Hold funds for a generation; the digest is that of [`hold_details`].
    Hold([u8; 32]),
    /// Release the hold of this name.
    Release([u8; 32]),
    /// Read the channel's state, receipts and usage until this unix second.
    Read(i64),
}

/// Request of a payer, signed by the channel's payer or voucher key.
///
/// Bytes, 161: domain (16), cluster (32), payments program (32), channel (32), opened slot
/// (8), action (1), issued at (8), digest of the action's details (32). Integers are
/// little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayerRequest {
    /// Requested action.
    pub action: PayerAction,
    /// Cluster tag.
    pub cluster: [u8; 32],
    /// Address of the channel.
    pub channel: Pubkey,
    /// Slot of the channel's opening.
    pub opened_slot: u64,
    /// Unix second at the payer. A gateway rejects requests older than the newest accepted one, or
    /// far from its own clock.
    pub issued_at: i64,
}

/// Signed request of a payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedPayerRequest {
    /// Signed request.
    pub request: PayerRequest,
    /// Signer: the channel's payer or voucher key.
    pub signer: Pubkey,
    /// Ed25519 signature over [`PayerRequest::to_bytes`].
    pub signature: [u8; 64],
}

impl PayerAction {
    fn byte(self) -> u8 {
        match self {
            Self::Settle => 1,
            Self::Close => 2,
            Self::Hold(_) => 3,
            Self::Release(_) => 4,
            Self::Read(_) => 5,
        }
    }

    fn details(self) -> [u8; 32] {
        match self {
            Self::Settle | Self::Close => [0; 32],
            Self::Hold(details) | Self::Release(details) => details,
            Self::Read(expires_at) => {
                let mut details = [0; 32];
                details[..8].copy_from_slice(&expires_at.to_le_bytes());
                details
            }
        }
    }
}

impl PayerRequest {
    /// Domain separator: 0xFF, `motif-request`, a zero, and the version of the layout.
    pub const DOMAIN: [u8; 16] = *b"\xFFmotif-request\x00\x01";
    /// Size of a request, bytes.
    pub const SIZE: usize = 161;

    /// Creates a request for a channel, issued now.
    #[cfg(feature = "host")]
    pub fn new(action: PayerAction, address: &Pubkey, channel: &Channel) -> Self {
        Self {
            action,
            cluster: channel.cluster,
            channel: *address,
            opened_slot: channel.opened_slot,
            issued_at: crate::host::now(),
        }
    }

    /// Creates a request to settle.
    #[cfg(feature = "host")]
    pub fn settle(address: &Pubkey, channel: &Channel) -> Self {
        Self::new(PayerAction::Settle, address, channel)
    }

    /// Creates a request to settle and close.
    #[cfg(feature = "host")]
    pub fn close(address: &Pubkey, channel: &Channel) -> Self {
        Self::new(PayerAction::Close, address, channel)
    }

    /// Returns the signed bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let fields: [&[u8]; 8] = [
            &Self::DOMAIN,
            &self.cluster,
            motif_interface::payments::ID.as_array(),
            self.channel.as_array(),
            &self.opened_slot.to_le_bytes(),
            &[self.action.byte()],
            &self.issued_at.to_le_bytes(),
            &self.action.details(),
        ];
        let mut bytes = [0; Self::SIZE];
        let mut rest = &mut bytes[..];
        for field in fields {
            let (place, after) = rest.split_at_mut(field.len());
            place.copy_from_slice(field);
            rest = after;
        }
        bytes
    }

    /// Signs with the payer's key or the channel's voucher key in memory.
    pub fn sign(self, key: &SigningKey) -> SignedPayerRequest {
        SignedPayerRequest {
            request: self,
            signer: Pubkey::new_from_array(key.verifying_key().to_bytes()),
            signature: key.sign(&self.to_bytes()).to_bytes(),
        }
    }
}

/// Returns the digest that a hold request signs: SHA-256 of the idempotency key's length (1) and
/// text, license (2), units (4), request digest (32), expires at (8). Integers are little-endian.
pub fn hold_details(
    key: &IdempotencyKey,
    license: u16,
    units: u32,
    request_digest: &[u8; 32],
    expires_at: i64,
) -> [u8; 32] {
    let key = key.as_str().as_bytes();
    let fields: [&[u8]; 6] = [
        &[key.len() as u8], // 128 at most
        key,
        &license.to_le_bytes(),
        &units.to_le_bytes(),
        request_digest,
        &expires_at.to_le_bytes(),
    ];
    hashv(&fields).to_bytes()
}

/// Returns the name of a hold: SHA-256 of channel (32), opened slot (8) and the idempotency key's
/// text.
pub fn hold_id(channel: &Pubkey, opened_slot: u64, key: &IdempotencyKey) -> [u8; 32] {
    let slot = opened_slot.to_le_bytes();
    hashv(&[channel.as_array(), &slot, key.as_str().as_bytes()]).to_bytes()
}

/// Returns the digest that binds a payment to its HTTP request: SHA-256 of 0xFF, `motif-paywall`, a
/// zero and the version of the layout (16), the method's length (1) and text, the length (4) and
/// text of path and query, SHA-256 of the body (32). Integers are little-endian.
pub fn paid_request_digest(method: &str, target: &str, body: &[u8]) -> [u8; 32] {
    let fields: [&[u8]; 6] = [
        b"\xFFmotif-paywall\x00\x01",
        &[u8::try_from(method.len()).unwrap_or(u8::MAX)], // the longest method has 16 bytes
        method.as_bytes(),
        &u32::try_from(target.len()).unwrap_or(u32::MAX).to_le_bytes(),
        target.as_bytes(),
        &hashv(&[body]).to_bytes(),
    ];
    hashv(&fields).to_bytes()
}

/// Returns the name of a part of a stream: that of the hold for the first part, and SHA-256 of the
/// hold's name (32) and the part's number (4, little-endian) for the others.
pub fn part_id(hold: &[u8; 32], part: u32) -> [u8; 32] {
    if part == 0 {
        return *hold;
    }
    hashv(&[hold, &part.to_le_bytes()]).to_bytes()
}

impl SignedPayerRequest {
    /// Verifies the signature. The caller checks that the signer is the channel's payer or voucher
    /// key.
    pub fn verifies(&self) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(self.signer.as_array()) else { return false };
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature);
        key.verify_strict(&self.request.to_bytes(), &signature).is_ok()
    }
}

impl From<&SignedPayerRequest> for PayerProof {
    fn from(signed: &SignedPayerRequest) -> Self {
        Self {
            signer: Address(signed.signer),
            issued_at: signed.request.issued_at,
            signature: SignatureHex(signed.signature),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(action: PayerAction) -> PayerRequest {
        PayerRequest {
            action,
            cluster: [1; 32],
            channel: Pubkey::new_from_array([2; 32]),
            opened_slot: 3,
            issued_at: 4,
        }
    }

    #[test]
    fn signature_covers_the_action() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let mut signed = request(PayerAction::Settle).sign(&key);
        assert!(signed.verifies());
        for action in [
            PayerAction::Close,
            PayerAction::Hold([0; 32]),
            PayerAction::Hold([1; 32]),
            PayerAction::Release([0; 32]),
            PayerAction::Read(0),
            PayerAction::Read(1),
        ] {
            signed.request.action = action;
            assert!(!signed.verifies(), "{action:?}");
        }
    }

    #[test]
    fn paid_request_digest_covers_all_parts() {
        let digest = paid_request_digest("POST", "/images?size=1", b"{}");
        for other in [
            paid_request_digest("PUT", "/images?size=1", b"{}"),
            paid_request_digest("POST", "/images?size=2", b"{}"),
            paid_request_digest("POST", "/images?size=1", b"{ }"),
            paid_request_digest("POST/", "images?size=1", b"{}"),
        ] {
            assert_ne!(digest, other);
        }
    }

    #[test]
    fn digests_match_documented_vectors() {
        // Computed by an independent program from docs/formats.md.
        let digest = paid_request_digest("POST", "/images?size=1", b"{\"prompt\":\"New York\"}");
        assert_eq!(
            hex::encode(digest),
            "0d4f7adf583d4d21791014a30ec36787105cfa9246b77c9da2e7e2dd9be83ae6"
        );
        let hold = solana_sha256_hasher::hash(b"hold").to_bytes();
        assert_eq!(part_id(&hold, 0), hold);
        assert_eq!(
            hex::encode(part_id(&hold, 7)),
            "63b049734f2d6feb2d45f5195d1e9d99a887654a15e8716cb06d7336cc9481fc"
        );
    }

    #[test]
    fn signature_covers_every_field() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let signed = request(PayerAction::Settle).sign(&key);
        let changes: [fn(&mut PayerRequest); 4] = [
            |request| request.cluster[0] ^= 1,
            |request| request.channel = Pubkey::default(),
            |request| request.opened_slot += 1,
            |request| request.issued_at += 1,
        ];
        for change in changes {
            let mut changed = signed;
            change(&mut changed.request);
            assert!(!changed.verifies());
        }
    }
}
