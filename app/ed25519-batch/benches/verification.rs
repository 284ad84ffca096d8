//! Signatures verified per second on one core, by each way to verify them. Prints one JSON object
//! per way. `cargo bench -p motif-ed25519-batch --bench verification`
#![allow(clippy::unwrap_used, reason = "a benchmark stops at an unexpected result")]

use std::time::{Duration, Instant};

use ed25519_dalek::{Signature, Signer, SigningKey};
use futures::future::join_all;
use motif_ed25519_batch::{PublicKey, Verifier, lanes_are_supported};

/// Busy keys, of which each signs one message in turn.
const KEYS: u8 = 128;
/// Length of a Motif voucher.
const MESSAGE: usize = 176;
/// Time that each way is measured for.
const DURATION: Duration = Duration::from_secs(2);

struct Signed {
    strict: ed25519_dalek::VerifyingKey,
    key: PublicKey,
    message: [u8; MESSAGE],
    signature: [u8; 64],
}

impl Signed {
    fn new(number: u8) -> Self {
        let signing = SigningKey::from_bytes(&[number; 32]);
        let message = [number; MESSAGE];
        let strict = signing.verifying_key();
        Self {
            strict,
            key: PublicKey::from_bytes(strict.as_bytes()).unwrap(),
            message,
            signature: signing.sign(&message).to_bytes(),
        }
    }
}

fn main() {
    let signed: Vec<Signed> = (0..KEYS).map(Signed::new).collect();
    report("ed25519-dalek verify_strict", 1, || {
        for one in &signed {
            let signature = Signature::from_bytes(&one.signature);
            assert!(one.strict.verify_strict(&one.message, &signature).is_ok());
        }
    });
    report("a new key for each signature", 1, || {
        for one in &signed {
            let key = PublicKey::from_bytes(one.key.as_bytes()).unwrap();
            assert!(key.verify(&one.message, &one.signature));
        }
    });
    // Nine signatures make a key busy.
    for one in &signed {
        (0..9).for_each(|_| assert!(one.key.verify(&one.message, &one.signature)));
    }
    report("busy keys, one signature at a time", 1, || {
        signed.iter().for_each(|one| assert!(one.key.verify(&one.message, &one.signature)));
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let verifier = Verifier::default();
    for concurrency in [1, 8, 128] {
        report("busy keys, concurrent callers", concurrency, || {
            runtime.block_on(async {
                for group in signed.chunks(concurrency) {
                    let calls = group
                        .iter()
                        .map(|one| verifier.verify(&one.key, &one.message, &one.signature));
                    assert!(join_all(calls).await.into_iter().all(|is_valid| is_valid));
                }
            });
        });
    }
}

/// Repeats rounds of [`KEYS`] verifications and prints their rate.
fn report(name: &str, concurrency: usize, mut round: impl FnMut()) {
    round();
    let (began, mut rounds) = (Instant::now(), 0_u32);
    while began.elapsed() < DURATION {
        round();
        rounds += 1;
    }
    let rate = f64::from(rounds) * f64::from(KEYS) / began.elapsed().as_secs_f64();
    let lanes = lanes_are_supported();
    println!(
        r#"{{"way":"{name}","concurrency":{concurrency},"lanes":{lanes},"per_second":{rate:.0}}}"#
    );
}
