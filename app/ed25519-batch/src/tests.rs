//! Every path of a verification against strict verification by ed25519-dalek.

use std::collections::HashSet;

use curve25519_dalek::{
    Scalar,
    constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
    edwards::CompressedEdwardsY,
    traits::IsIdentity,
};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use proptest::{prelude::*, sample::select};
use sha2::{Digest, Sha256, Sha512};

use crate::{
    PublicKey,
    lanes::{Lanes, tests::lanes_or_skip},
    public_key::{BUSY_AFTER, BusyKeys, Check, Equation, MAX_BUSY_KEYS},
};

/// Returns the signing key of a number.
pub fn signing_key(number: u64) -> SigningKey {
    SigningKey::from_bytes(&Sha256::digest(number.to_le_bytes()).into())
}

fn public_key(signing: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(signing.verifying_key().as_bytes()).unwrap()
}

/// Asserts that all paths agree with strict verification; returns its result.
fn verify_all_paths(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let strict = VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok());
    let decode = || PublicKey::from_bytes(key);
    let Some(without_table) = decode() else {
        assert!(!strict);
        return false;
    };
    assert_eq!(without_table.verify(message, signature), strict, "without a table");
    #[cfg(all(
        target_feature = "avx512f",
        target_feature = "avx512bw",
        target_feature = "avx512dq",
        target_feature = "avx512ifma"
    ))]
    assert_eq!(verify_by_second_reference(key, message, signature), strict, "ed25519-simd");
    for with_table in
        [decode().map(PublicKey::with_single_table), decode().map(PublicKey::with_busy_table)]
    {
        assert_eq!(with_table.unwrap().verify(message, signature), strict, "with a table");
    }
    strict
}

/// Verifies with `ed25519-simd`, which is compiled only into binaries for AVX-512.
#[cfg(all(
    target_feature = "avx512f",
    target_feature = "avx512bw",
    target_feature = "avx512dq",
    target_feature = "avx512ifma"
))]
fn verify_by_second_reference(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let input = ed25519_simd::VerifyInput { public_key: *key, signature: *signature, message };
    let mut results = [false];
    <ed25519_simd::DalekVerifier>::new().verify_batch(&[input], &mut results);
    results[0]
}

fn challenge(point: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(point).chain_update(key);
    Scalar::from_hash(hash.chain_update(message))
}

fn signature(point: &[u8; 32], scalar: &[u8; 32]) -> [u8; 64] {
    [&point[..], &scalar[..]].concat().try_into().unwrap()
}

/// Order of the group. Added to a canonical scalar it makes a non-canonical one of the same value.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
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
fn signature_with_flipped_bit_is_rejected() {
    let signing = SigningKey::from_bytes(&[9; 32]);
    let (key, message) = (signing.verifying_key().to_bytes(), b"a voucher".to_vec());
    let good = signing.sign(&message).to_bytes();
    assert!(verify_all_paths(&key, &message, &good));
    for bit in 0..512 {
        let mut changed = good;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify_all_paths(&key, &message, &changed), "bit {bit} of the signature");
    }
    for bit in 0..message.len() * 8 {
        let mut changed = message.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify_all_paths(&key, &changed, &good), "bit {bit} of the message");
    }
    let (point, scalar) = (good[..32].try_into().unwrap(), good[32..].try_into().unwrap());
    assert!(
        !verify_all_paths(&key, &message, &signature(&point, &plus_order(&scalar))),
        "non-canonical scalar"
    );
}

#[test]
fn small_order_key_is_rejected() {
    // With s = 0 the equation is R = -kA, which holds for some of these pairs.
    let mut held = 0;
    for key in &EIGHT_TORSION {
        for point in EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()) {
            for message in 0_u8..16 {
                let bytes = key.compress().to_bytes();
                let challenge = challenge(&point, &bytes, &[message]);
                held += u32::from((-key * challenge).compress().to_bytes() == point);
                assert!(!verify_all_paths(&bytes, &[message], &signature(&point, &[0; 32])));
            }
        }
    }
    assert!(held > 100, "the equation held {held} times");
}

#[test]
fn small_order_point_is_rejected() {
    // With s = ka the equation holds if R is the identity.
    let secret = Scalar::from(7_u64);
    let key = (ED25519_BASEPOINT_POINT * secret).compress().to_bytes();
    for point in EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()) {
        let scalar = challenge(&point, &key, b"message") * secret;
        assert!(!verify_all_paths(&key, b"message", &signature(&point, scalar.as_bytes())));
    }
}

#[test]
fn non_canonical_point_is_rejected() {
    // The identity has y = 1. A lenient decoder reads y = p + 1 as the same point.
    let mut non_canonical = [0xff; 32];
    (non_canonical[0], non_canonical[31]) = (0xee, 0x7f);
    let decoded = CompressedEdwardsY(non_canonical).decompress().unwrap();
    assert!(decoded.is_identity());
    let signing = SigningKey::from_bytes(&[9; 32]);
    let key = signing.verifying_key().to_bytes();
    let secret = signing.to_scalar();
    let scalar = challenge(&non_canonical, &key, b"message") * secret;
    assert!(!verify_all_paths(&key, b"message", &signature(&non_canonical, scalar.as_bytes())));
    assert!(!verify_all_paths(&non_canonical, b"message", &signature(&non_canonical, &[0; 32])));
}

#[test]
fn mixed_order_key_matches_strict_result() {
    let (mut accepted, mut rejected) = (0, 0);
    for (number, torsion) in (1_u64..).zip(EIGHT_TORSION) {
        let (secret, nonce) = (Scalar::from(1_000 + number), Scalar::from(77 * number));
        let key = (ED25519_BASEPOINT_POINT * secret + torsion).compress().to_bytes();
        for message in 0_u8..32 {
            for other in EIGHT_TORSION {
                // R cancels the torsion of kA in some of these cases only.
                let point = (ED25519_BASEPOINT_POINT * nonce + other).compress().to_bytes();
                let scalar = nonce + challenge(&point, &key, &[message]) * secret;
                match verify_all_paths(&key, &[message], &signature(&point, scalar.as_bytes())) {
                    true => accepted += 1,
                    false => rejected += 1,
                }
            }
        }
    }
    assert!(accepted > 100 && rejected > 1_000, "{accepted} accepted, {rejected} rejected");
}

proptest! {
    #[test]
    fn random_input_matches_strict_result(
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
        verify_all_paths(&signing.verifying_key().to_bytes(), &message, &bytes);
        verify_all_paths(&seed, &message, &bytes);
    }
}

#[test]
fn idle_key_loses_table_to_busy_key() {
    static ONLY_THESE: BusyKeys = BusyKeys::new();
    struct Signer {
        key: PublicKey,
        signature: [u8; 64],
    }
    impl Signer {
        fn new(number: usize) -> Self {
            let signing = signing_key(number as u64);
            let signature = signing.sign(b"message").to_bytes();
            let key = signing.verifying_key();
            let key = PublicKey::from_bytes_among(key.as_bytes(), &ONLY_THESE).unwrap();
            Self { key, signature }
        }
        fn verify(&self) {
            assert!(self.key.verify(b"message", &self.signature));
        }
        fn verify_until_busy(&self) {
            for _ in 0..=BUSY_AFTER {
                assert!(!self.key.has_table());
                self.verify();
            }
            self.verify();
        }
    }
    let all: Vec<_> = (0..MAX_BUSY_KEYS).map(Signer::new).collect();
    all.iter().for_each(Signer::verify_until_busy);
    assert!(all.iter().all(|signer| signer.key.has_table()));
    let newcomer = Signer::new(MAX_BUSY_KEYS);
    // All others are busy at its first attempt; all but one are busy at its second.
    newcomer.verify_until_busy();
    all.iter().skip(1).chain([&newcomer]).for_each(Signer::verify);
    (0..BUSY_AFTER).for_each(|_| newcomer.verify());
    assert!(newcomer.key.has_table());
    assert_eq!(all.iter().filter(|signer| !signer.key.has_table()).count(), 1);
    assert_eq!(ONLY_THESE.len(), MAX_BUSY_KEYS);
}

#[test]
fn batch_judges_each_signature_by_itself() {
    if lanes_or_skip().is_none() {
        return;
    }
    let (mut equations, mut expected) = (Vec::new(), Vec::new());
    for number in 0_u64..400 {
        let signing = signing_key(number);
        let mut signature = signing.sign(b"message").to_bytes();
        // Every second one has a flipped bit in its point or its scalar.
        if number % 2 == 1 {
            signature[number as usize % 62] ^= 1 << (number % 8);
        }
        let strict = signing.verifying_key();
        let strict = strict.verify_strict(b"message", &Signature::from_bytes(&signature)).is_ok();
        assert_eq!(strict, number % 2 == 0);
        let key = public_key(&signing).with_busy_table();
        if let Check::Pending(equation) = key.check(b"message", &signature) {
            equations.push(equation);
            expected.push(strict);
        }
    }
    let kinds: HashSet<bool> = expected.iter().copied().collect();
    assert_eq!(kinds.len(), 2, "valid and invalid signatures");
    assert_eq!(Equation::evaluate_all(&equations), expected);
    for count in 1..=2 * Lanes::COUNT {
        assert_eq!(Equation::evaluate_all(&equations[..count]), expected[..count], "of {count}");
    }
}
