//! A channel's voucher key, prepared for the many vouchers that it signs.

use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use curve25519_dalek::{
    EdwardsPoint, Scalar,
    edwards::EdwardsBasepointTable,
    traits::{BasepointTable, IsIdentity},
};
use ed25519_dalek::VerifyingKey;
use motif_sdk::{Pubkey, voucher::SignedVoucher};
use sha2::{Digest, Sha512};

/// Accepts exactly the signatures that strict verification does, and with it the chain's
/// precompile, in three quarters of its time once a key is used often.
///
/// A signature (R, s) over a message is good when `sB - kA` is written as R, with k the hash of
/// R, A and the message; when s is reduced; and when neither A nor R has a small order. Strict
/// verification reads R as a point to ask for its order. Here that is asked of `sB - kA`, which is
/// the same point where its bytes are R, and another signature where they are not. A, whose order
/// and multiples are always the same, is looked at once.
pub struct VoucherKey {
    key: VerifyingKey,
    /// -A.
    negated: EdwardsPoint,
    has_small_order: bool,
    /// Vouchers it has signed here, while it has no table.
    used: AtomicU32,
    table: OnceLock<Option<Multiples>>,
}

/// Multiples of -A: with them no doublings are needed. 30 KiB.
struct Multiples(Box<EdwardsBasepointTable>);

/// How many keys have such a table.
static TABLES: AtomicUsize = AtomicUsize::new(0);
/// The most that have one at once: 30 MiB.
const MOST_TABLES: usize = 1_024;
/// Vouchers after which a key gets one: making it takes as long as it saves on some twenty.
const OFTEN: u32 = 32;

impl VoucherKey {
    /// Reads a key; `None` where it is no point of the curve.
    pub fn read(key: &Pubkey) -> Option<Self> {
        let key = VerifyingKey::from_bytes(key.as_array()).ok()?;
        Some(Self {
            key,
            negated: -key.to_edwards(),
            has_small_order: key.is_weak(),
            used: AtomicU32::new(0),
            table: OnceLock::new(),
        })
    }

    /// Whether it is this key.
    pub fn is(&self, key: &Pubkey) -> bool {
        self.key.as_bytes() == key.as_array()
    }

    /// Whether it has signed a voucher.
    pub fn signed(&self, voucher: &SignedVoucher) -> bool {
        self.is(&voucher.key) && self.verifies(&voucher.voucher.to_bytes(), &voucher.signature)
    }

    fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let (point, scalar) = signature.split_at(32);
        let Some(scalar) = reduced(scalar) else { return false };
        let hash = Sha512::new().chain_update(point).chain_update(self.key.as_bytes());
        let challenge = Scalar::from_hash(hash.chain_update(message));
        let expected = match self.multiples() {
            Some(table) => table.mul_base(&challenge) + EdwardsPoint::mul_base(&scalar),
            None => EdwardsPoint::vartime_double_scalar_mul_basepoint(
                &challenge,
                &self.negated,
                &scalar,
            ),
        };
        let has_small_order = self.has_small_order || expected.mul_by_cofactor().is_identity();
        expected.compress().as_bytes() == point && !has_small_order
    }

    /// The table, where the key is used often and there are not too many already.
    fn multiples(&self) -> Option<&EdwardsBasepointTable> {
        if let Some(table) = self.table.get() {
            return table.as_ref().map(|multiples| &*multiples.0);
        }
        if self.used.fetch_add(1, Ordering::Relaxed) >= OFTEN {
            self.table.get_or_init(|| Multiples::of(&self.negated));
        }
        None
    }
}

impl Multiples {
    fn of(point: &EdwardsPoint) -> Option<Self> {
        if TABLES.fetch_add(1, Ordering::Relaxed) >= MOST_TABLES {
            TABLES.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(Box::new(EdwardsBasepointTable::create(point))))
    }
}

impl Drop for Multiples {
    fn drop(&mut self) {
        TABLES.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for VoucherKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("VoucherKey").field(&self.key).finish()
    }
}

/// A scalar that is written as it must be.
fn reduced(bytes: &[u8]) -> Option<Scalar> {
    Scalar::from_canonical_bytes(bytes.try_into().ok()?).into()
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::{
        constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
        edwards::CompressedEdwardsY,
    };
    use ed25519_dalek::{Signature, Signer, SigningKey};
    use proptest::{prelude::*, sample::select};

    use super::*;

    /// Both ways, with and without a table, against strict verification; returns what it says.
    fn agree(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        let strict = VerifyingKey::from_bytes(key).is_ok_and(|key| {
            key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
        });
        let Some(seldom) = VoucherKey::read(&Pubkey::new_from_array(*key)) else {
            assert!(!strict);
            return false;
        };
        let often = VoucherKey::read(&Pubkey::new_from_array(*key)).unwrap();
        let table = Multiples(Box::new(EdwardsBasepointTable::create(&often.negated)));
        TABLES.fetch_add(1, Ordering::Relaxed);
        assert!(often.table.set(Some(table)).is_ok());
        assert_eq!(seldom.verifies(message, signature), strict, "without a table");
        assert_eq!(often.verifies(message, signature), strict, "with a table");
        strict
    }

    fn challenge(point: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
        let hash = Sha512::new().chain_update(point).chain_update(key);
        Scalar::from_hash(hash.chain_update(message))
    }

    fn signature(point: &[u8; 32], scalar: &[u8; 32]) -> [u8; 64] {
        [&point[..], &scalar[..]].concat().try_into().unwrap()
    }

    /// The order of the group, which takes a reduced scalar to one that is not.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];

    fn plus_order(scalar: &[u8; 32]) -> [u8; 32] {
        let mut carry = 0_u16;
        std::array::from_fn(|place| {
            carry += u16::from(scalar[place]) + u16::from(ORDER[place]);
            let byte = carry as u8;
            carry >>= 8;
            byte
        })
    }

    #[test]
    fn what_is_signed_is_accepted_and_no_bit_of_it_can_be_changed() {
        let signing = SigningKey::from_bytes(&[9; 32]);
        let (key, message) = (signing.verifying_key().to_bytes(), b"a voucher".to_vec());
        let good = signing.sign(&message).to_bytes();
        assert!(agree(&key, &message, &good));
        for bit in 0..512 {
            let mut changed = good;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!agree(&key, &message, &changed), "bit {bit} of the signature");
        }
        for bit in 0..message.len() * 8 {
            let mut changed = message.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!agree(&key, &changed, &good), "bit {bit} of the message");
        }
        let (point, scalar) = (good[..32].try_into().unwrap(), good[32..].try_into().unwrap());
        assert!(!agree(&key, &message, &signature(&point, &plus_order(&scalar))), "not reduced");
    }

    #[test]
    fn keys_and_points_of_small_order_are_refused_where_the_equation_holds() {
        // With s = 0 the equation is R = -kA, which some of these pairs satisfy.
        let mut held = 0;
        for key in &EIGHT_TORSION {
            for point in EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()) {
                for message in 0_u8..16 {
                    let bytes = key.compress().to_bytes();
                    let challenge = challenge(&point, &bytes, &[message]);
                    held += u32::from((-key * challenge).compress().to_bytes() == point);
                    assert!(!agree(&bytes, &[message], &signature(&point, &[0; 32])));
                }
            }
        }
        assert!(held > 100, "the equation held {held} times");
    }

    #[test]
    fn a_point_of_small_order_is_refused_with_a_good_key() {
        // R of small order and s = ka satisfy the equation for R the identity.
        let secret = Scalar::from(7_u64);
        let key = (ED25519_BASEPOINT_POINT * secret).compress().to_bytes();
        for point in EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()) {
            let scalar = challenge(&point, &key, b"message") * secret;
            assert!(!agree(&key, b"message", &signature(&point, scalar.as_bytes())));
        }
    }

    #[test]
    fn points_that_are_written_in_another_way_are_refused() {
        // The identity is y = 1, and y = p + 1 is the same to a reader who does not look.
        let mut identity_again = [0xff; 32];
        (identity_again[0], identity_again[31]) = (0xee, 0x7f);
        let again = CompressedEdwardsY(identity_again).decompress().unwrap();
        assert!(again.is_identity());
        let signing = SigningKey::from_bytes(&[9; 32]);
        let key = signing.verifying_key().to_bytes();
        let secret = signing.to_scalar();
        let scalar = challenge(&identity_again, &key, b"message") * secret;
        assert!(!agree(&key, b"message", &signature(&identity_again, scalar.as_bytes())));
        assert!(!agree(&identity_again, b"message", &signature(&identity_again, &[0; 32])));
    }

    #[test]
    fn keys_of_mixed_order_are_accepted_exactly_where_they_are_strictly() {
        let (mut accepted, mut refused) = (0, 0);
        for (number, torsion) in (1_u64..).zip(EIGHT_TORSION) {
            let (secret, nonce) = (Scalar::from(1_000 + number), Scalar::from(77 * number));
            let key = (ED25519_BASEPOINT_POINT * secret + torsion).compress().to_bytes();
            for message in 0_u8..32 {
                for other in EIGHT_TORSION {
                    // R takes up what k times the key's torsion leaves, or does not.
                    let point = (ED25519_BASEPOINT_POINT * nonce + other).compress().to_bytes();
                    let scalar = nonce + challenge(&point, &key, &[message]) * secret;
                    match agree(&key, &[message], &signature(&point, scalar.as_bytes())) {
                        true => accepted += 1,
                        false => refused += 1,
                    }
                }
            }
        }
        assert!(accepted > 100 && refused > 1_000, "{accepted} accepted, {refused} refused");
    }

    proptest! {
        #[test]
        fn anything_at_all_is_judged_as_strict_verification_judges_it(
            seed: [u8; 32],
            message: Vec<u8>,
            point in select(vec![None, Some([0; 32]), Some([0xff; 32])]),
            noise: [u8; 64],
            place in 0_usize..64,
            is_noise: bool,
        ) {
            let signing = SigningKey::from_bytes(&seed);
            let mut bytes = signing.sign(&message).to_bytes();
            if let Some(point) = point {
                bytes[..32].copy_from_slice(&point);
            }
            bytes[place] = noise[place];
            if is_noise {
                bytes = noise;
            }
            agree(&signing.verifying_key().to_bytes(), &message, &bytes);
            agree(&seed, &message, &bytes);
        }
    }

    #[test]
    fn a_key_that_is_used_often_gets_a_table_and_gives_it_back() {
        let signing = SigningKey::from_bytes(&[9; 32]);
        let good = signing.sign(b"message").to_bytes();
        let key = Pubkey::new_from_array(signing.verifying_key().to_bytes());
        let key = VoucherKey::read(&key).unwrap();
        for _ in 0..OFTEN {
            assert!(key.verifies(b"message", &good));
        }
        assert!(key.table.get().is_none());
        for _ in 0..2 {
            assert!(key.verifies(b"message", &good));
        }
        assert!(key.table.get().is_some());
        assert_eq!(size_of::<EdwardsBasepointTable>(), 30_720, "what the bound is reckoned with");
    }
}
