//! A channel's voucher key, prepared for the many vouchers that it signs.

mod digits;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(not(target_arch = "x86_64"))]
#[path = "lanes/elsewhere.rs"]
mod lanes;
mod multiples;
#[cfg(test)]
mod tests;
mod verifier;

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, LazyLock, Mutex, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use curve25519_dalek::{EdwardsPoint, Scalar, constants::EIGHT_TORSION};
use ed25519_dalek::VerifyingKey;
use motif_sdk::Pubkey;
use sha2::{Digest, Sha512};

use lanes::Lanes;
use multiples::Multiples;
pub use verifier::Verifier;

/// Accepts exactly the signatures that strict verification does, and with it the chain's
/// precompile, in a fraction of its time once a key is used often.
///
/// A signature (R, s) over a message is good when `sB - kA` is written as R, with k the hash of
/// R, A and the message; when s is reduced; and when neither A nor R has a small order. Strict
/// verification reads R as a point to ask for its order. Here R is compared with the eight points
/// of small order as they are written: no other way to write one is what `sB - kA` is written as.
/// A, whose order and multiples are always the same, is looked at once.
pub struct VoucherKey {
    key: VerifyingKey,
    /// -A.
    negated: EdwardsPoint,
    has_small_order: bool,
    /// Vouchers it was asked about while it had no multiples.
    used: AtomicU32,
    /// Whether it was asked about one since somebody looked.
    is_busy: AtomicBool,
    /// Of -A, while it is one of the busy keys.
    prepared: RwLock<Option<Prepared>>,
}

/// A busy key's multiples.
#[derive(Clone)]
enum Prepared {
    /// To verify one voucher after the other.
    Alone(Arc<Multiples>),
    /// To verify vouchers of several keys side by side.
    SideBySide(Lanes, Arc<lanes::Multiples>),
}

/// What is known of a signature at once.
enum Verdict {
    Known(bool),
    /// To be seen, best together with others.
    Open(Question),
}

/// Whether `sB - kA` is written as R.
struct Question {
    lanes: Lanes,
    multiples: Arc<lanes::Multiples>,
    challenge: Scalar,
    scalar: Scalar,
    point: [u8; 32],
}

/// The keys that have multiples. Where there are too many, one that is not busy loses them.
static BUSY: Mutex<VecDeque<Weak<VoucherKey>>> = Mutex::new(VecDeque::new());
/// The most keys that have them at once: 32.5 MiB.
const MOST_BUSY: usize = (65 << 19) / Multiples::SIZE;
/// Vouchers after which a key gets them: what they save by then is what making them takes.
const OFTEN: u32 = 8;

/// The points of small order, as they are written.
static OF_SMALL_ORDER: LazyLock<[[u8; 32]; 8]> =
    LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress().to_bytes()));

impl VoucherKey {
    /// Reads a key; `None` where it is no point of the curve.
    pub fn read(key: &Pubkey) -> Option<Arc<Self>> {
        let key = VerifyingKey::from_bytes(key.as_array()).ok()?;
        Some(Arc::new(Self {
            key,
            negated: -key.to_edwards(),
            has_small_order: key.is_weak(),
            used: AtomicU32::new(0),
            is_busy: AtomicBool::new(false),
            prepared: RwLock::default(),
        }))
    }

    /// Whether it is this key.
    pub fn is(&self, key: &Pubkey) -> bool {
        self.key.as_bytes() == key.as_array()
    }

    /// Whether it has signed a message.
    fn verifies(self: &Arc<Self>, message: &[u8], signature: &[u8; 64]) -> bool {
        match self.ask(message, signature) {
            Verdict::Known(is_good) => is_good,
            Verdict::Open(question) => Question::answer_all(&[question])[0],
        }
    }

    fn ask(self: &Arc<Self>, message: &[u8], signature: &[u8; 64]) -> Verdict {
        let (halves, _) = signature.as_chunks();
        let &[point, scalar] = halves else { return Verdict::Known(false) };
        let scalar: Option<Scalar> = Scalar::from_canonical_bytes(scalar).into();
        let Some(scalar) = scalar else { return Verdict::Known(false) };
        if self.has_small_order || OF_SMALL_ORDER.contains(&point) {
            return Verdict::Known(false);
        }
        let hash = Sha512::new().chain_update(point).chain_update(self.key.as_bytes());
        let challenge = Scalar::from_hash(hash.chain_update(message));
        let expected = match self.prepared() {
            Some(Prepared::SideBySide(lanes, multiples)) => {
                return Verdict::Open(Question { lanes, multiples, challenge, scalar, point });
            }
            Some(Prepared::Alone(multiples)) => multiples.times_and_base_times(&challenge, &scalar),
            None => EdwardsPoint::vartime_double_scalar_mul_basepoint(
                &challenge,
                &self.negated,
                &scalar,
            ),
        };
        Verdict::Known(expected.compress().to_bytes() == point)
    }

    fn prepared(self: &Arc<Self>) -> Option<Prepared> {
        self.is_busy.store(true, Ordering::Relaxed);
        let known = self.prepared.read().unwrap_or_else(PoisonError::into_inner).clone();
        if known.is_none() && self.used.fetch_add(1, Ordering::Relaxed) == OFTEN {
            self.become_busy();
        }
        known
    }

    /// Gets multiples, if there is room for one more, or a key that is not busy any more.
    fn become_busy(self: &Arc<Self>) {
        let mut busy = BUSY.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..busy.len().min(2 * MOST_BUSY) {
            if busy.len() < MOST_BUSY {
                break;
            }
            let Some(oldest) = busy.pop_front() else { break };
            let Some(key) = oldest.upgrade() else { continue };
            if key.is_busy.swap(false, Ordering::Relaxed) {
                busy.push_back(oldest);
            } else {
                key.rest();
            }
        }
        if busy.len() < MOST_BUSY {
            busy.push_back(Arc::downgrade(self));
            drop(busy);
            let prepared = Some(Prepared::of(&self.negated));
            *self.prepared.write().unwrap_or_else(PoisonError::into_inner) = prepared;
        } else {
            // All are busy: it asks again later.
            drop(busy);
            self.used.store(0, Ordering::Relaxed);
        }
    }

    /// Loses its multiples, until it is used often again.
    fn rest(&self) {
        *self.prepared.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.used.store(0, Ordering::Relaxed);
    }
}

impl Prepared {
    fn of(point: &EdwardsPoint) -> Self {
        match Lanes::get() {
            Some(lanes) => Self::SideBySide(lanes, Arc::new(lanes.multiples(point))),
            None => Self::Alone(Arc::new(Multiples::of(point))),
        }
    }
}

impl Question {
    /// Answers each, as many side by side as can be.
    fn answer_all(questions: &[Self]) -> Vec<bool> {
        let mut answers = Vec::with_capacity(questions.len());
        for together in questions.chunks(Lanes::COUNT) {
            // Where there are fewer than lanes, the first is asked in the rest of them, too.
            let asked: [_; Lanes::COUNT] =
                std::array::from_fn(|lane| together.get(lane).unwrap_or(&together[0]));
            let sums = asked[0].lanes.sums(asked.map(Self::term));
            answers.extend(together.iter().zip(sums).map(|(one, sum)| one.point == sum));
        }
        answers
    }

    fn term(&self) -> lanes::Term<'_> {
        (&*self.multiples, &self.challenge, &self.scalar)
    }
}

impl fmt::Debug for VoucherKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("VoucherKey").field(&self.key).finish()
    }
}
