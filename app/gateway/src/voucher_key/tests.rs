use curve25519_dalek::{
    constants::ED25519_BASEPOINT_POINT, edwards::CompressedEdwardsY, traits::IsIdentity,
};
use ed25519_dalek::{Signature, Signer, SigningKey};
use proptest::{prelude::*, sample::select};

use super::*;

/// Every way, with and without multiples, against strict verification; returns what it says.
fn agree(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let strict = VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok());
    let Some(seldom) = VoucherKey::read(&Pubkey::new_from_array(*key)) else {
        assert!(!strict);
        return false;
    };
    assert_eq!(seldom.verifies(message, signature), strict, "without multiples");
    let alone = Prepared::Alone(Arc::new(Multiples::of(&seldom.negated)));
    for prepared in [alone, Prepared::of(&seldom.negated)] {
        let often = VoucherKey::read(&Pubkey::new_from_array(*key)).unwrap();
        *often.prepared.write().unwrap() = Some(prepared);
        assert_eq!(often.verifies(message, signature), strict, "with multiples");
    }
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
fn keys_that_are_used_often_have_multiples_and_lose_them_to_others_when_they_rest() {
    let key = |number: usize| {
        let bytes = *blake3::hash(&number.to_le_bytes()).as_bytes();
        let signing = SigningKey::from_bytes(&bytes);
        let good = signing.sign(b"message").to_bytes();
        let key = Pubkey::new_from_array(signing.verifying_key().to_bytes());
        (VoucherKey::read(&key).unwrap(), good)
    };
    let has = |key: &VoucherKey| key.prepared.read().unwrap().is_some();
    let use_often = |(key, good): &(Arc<VoucherKey>, [u8; 64])| {
        for _ in 0..=OFTEN {
            assert!(!has(key));
            assert!(key.verifies(b"message", good));
        }
        assert!(key.verifies(b"message", good));
    };
    let all: Vec<_> = (0..MOST_BUSY).map(key).collect();
    all.iter().for_each(use_often);
    assert!(all.iter().all(|(key, _)| has(key)));
    let newcomer = key(MOST_BUSY);
    // Everybody was busy when it came; all but one are when it comes again.
    use_often(&newcomer);
    let rest = all.iter().skip(1).chain([&newcomer]);
    rest.for_each(|(key, good)| assert!(key.verifies(b"message", good)));
    (0..OFTEN).for_each(|_| assert!(newcomer.0.verifies(b"message", &newcomer.1)));
    assert!(has(&newcomer.0));
    assert_eq!(all.iter().filter(|(key, _)| !has(key)).count(), 1);
    assert_eq!(BUSY.lock().unwrap().len(), MOST_BUSY);
}

#[test]
fn side_by_side_each_is_judged_by_itself() {
    let (mut questions, mut expected) = (Vec::new(), Vec::new());
    for number in 0_u32..400 {
        let signing = SigningKey::from_bytes(blake3::hash(&number.to_le_bytes()).as_bytes());
        let mut signature = signing.sign(b"message").to_bytes();
        // Every second one is bad, in one bit of its point or its scalar.
        if number % 2 == 1 {
            signature[number as usize % 62] ^= 1 << (number % 8);
        }
        let key = VoucherKey::read(&Pubkey::new_from_array(signing.verifying_key().to_bytes()));
        let key = key.unwrap();
        *key.prepared.write().unwrap() = Some(Prepared::of(&key.negated));
        let strict = key.key.verify_strict(b"message", &Signature::from_bytes(&signature)).is_ok();
        assert_eq!(strict, number % 2 == 0);
        if let Verdict::Open(question) = key.ask(b"message", &signature) {
            questions.push(question);
            expected.push(strict);
        }
    }
    assert_eq!(Question::answer_all(&questions), expected);
    for count in 1..=2 * Lanes::COUNT.min(questions.len()) {
        assert_eq!(Question::answer_all(&questions[..count]), expected[..count], "of {count}");
    }
}
