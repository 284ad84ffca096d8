use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, LazyLock, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use curve25519_dalek::{EdwardsPoint, Scalar, constants::EIGHT_TORSION};
use ed25519_dalek::VerifyingKey;
use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha512};

use crate::{
    lanes::{self, Lanes},
    table::Table,
};

/// Public key that verifies many signatures. Clones share one lookup table.
///
/// A signature (R, s) of a message is valid if `sB - kA` is encoded as R, where k is the hash of R,
/// A and the message; if s is canonical; and if neither A nor R has a small order. Strict
/// verification decodes R to find its order. This type compares R with the eight encodings of points
/// of small order instead: any other encoding of such a point is not canonical and never equals the
/// encoding of `sB - kA`. The order of A is determined once.
#[derive(Clone)]
pub struct PublicKey(Arc<State>);

struct State {
    key: VerifyingKey,
    /// -A.
    negated: EdwardsPoint,
    has_small_order: bool,
    /// Signatures verified since the key last had no table.
    uses: AtomicU32,
    /// True if a signature was verified since the key was last considered for eviction.
    is_busy: AtomicBool,
    /// Table of -A while the key is one of the busy ones.
    table: RwLock<Option<KeyTable>>,
    /// Where the key competes for a table.
    busy_keys: &'static BusyKeys,
}

/// Lookup table of a busy key.
#[derive(Clone)]
pub(crate) enum KeyTable {
    /// Verifies one signature at a time.
    Single(Arc<Table>),
    /// Verifies eight signatures at a time.
    Lanes(Lanes, Arc<lanes::Table>),
}

/// First part of a verification: everything but the equation, unless that is cheaper at once.
pub(crate) enum Check {
    Done(bool),
    /// To be evaluated together with others.
    Pending(Equation),
}

/// Whether `sB - kA` is encoded as R.
pub(crate) struct Equation {
    lanes: Lanes,
    table: Arc<lanes::Table>,
    challenge: Scalar,
    scalar: Scalar,
    point: [u8; 32],
}

/// Keys that have a table, in the order in which they are considered for eviction. An entry does not
/// keep its key alive.
pub(crate) struct BusyKeys(Mutex<VecDeque<Weak<State>>>);

/// Busy keys of this process.
static BUSY_KEYS: BusyKeys = BusyKeys::new();

/// Maximum number of keys with a table: 512, whose tables have 32.5 MiB.
pub(crate) const MAX_BUSY_KEYS: usize = (65 << 19) / Table::SIZE;
/// Signatures after which a key gets a table: their verification costs what building a table costs.
pub(crate) const BUSY_AFTER: u32 = 8;

/// Canonical encodings of the points of small order.
static SMALL_ORDER: LazyLock<[[u8; 32]; 8]> =
    LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress().to_bytes()));

impl PublicKey {
    /// Decodes a key. Returns `None` if the bytes do not encode a point of the curve.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Self::from_bytes_among(bytes, &BUSY_KEYS)
    }

    /// Decodes a key that competes for a table with those of `busy_keys`.
    pub(crate) fn from_bytes_among(bytes: &[u8; 32], busy_keys: &'static BusyKeys) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes).ok()?;
        Some(Self(Arc::new(State {
            key,
            negated: -key.to_edwards(),
            has_small_order: key.is_weak(),
            uses: AtomicU32::new(0),
            is_busy: AtomicBool::new(false),
            table: RwLock::default(),
            busy_keys,
        })))
    }

    /// Returns the encoded key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.key.as_bytes()
    }

    /// Returns whether `signature` is this key's signature of `message`, as
    /// [`VerifyingKey::verify_strict`] decides it. Verifies one signature at a time; concurrent
    /// signatures are verified faster by a [`Verifier`](crate::Verifier).
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        match self.check(message, signature) {
            Check::Done(is_valid) => is_valid,
            Check::Pending(equation) => Equation::evaluate_all(&[equation])[0],
        }
    }

    pub(crate) fn check(&self, message: &[u8], signature: &[u8; 64]) -> Check {
        let (halves, _) = signature.as_chunks();
        let &[point, scalar] = halves else { return Check::Done(false) };
        let scalar: Option<Scalar> = Scalar::from_canonical_bytes(scalar).into();
        let Some(scalar) = scalar else { return Check::Done(false) };
        if self.0.has_small_order || SMALL_ORDER.contains(&point) {
            return Check::Done(false);
        }
        let hash = Sha512::new().chain_update(point).chain_update(self.as_bytes());
        let challenge = Scalar::from_hash(hash.chain_update(message));
        let expected = match self.use_table() {
            Some(KeyTable::Lanes(lanes, table)) => {
                return Check::Pending(Equation { lanes, table, challenge, scalar, point });
            }
            Some(KeyTable::Single(table)) => table.double_scalar_mul(&challenge, &scalar),
            None => EdwardsPoint::vartime_double_scalar_mul_basepoint(
                &challenge,
                &self.0.negated,
                &scalar,
            ),
        };
        Check::Done(expected.compress().to_bytes() == point)
    }

    /// Returns the key's table, if it has one, and counts a use.
    fn use_table(&self) -> Option<KeyTable> {
        let state = &*self.0;
        state.is_busy.store(true, Ordering::Relaxed);
        let table = state.table.read().clone();
        if table.is_none() && state.uses.fetch_add(1, Ordering::Relaxed) == BUSY_AFTER {
            self.add_table();
        }
        table
    }

    /// Gives the key a table if fewer than the maximum exist or an idle key can be evicted.
    fn add_table(&self) {
        if self.0.busy_keys.add(&self.0) {
            self.set_table(KeyTable::new(&self.0.negated));
        } else {
            // All keys are busy: this one tries again after as many more signatures.
            self.0.uses.store(0, Ordering::Relaxed);
        }
    }

    fn set_table(&self, table: KeyTable) {
        *self.0.table.write() = Some(table);
    }
}

impl State {
    fn remove_table(&self) {
        *self.table.write() = None;
        self.uses.store(0, Ordering::Relaxed);
    }
}

impl BusyKeys {
    pub const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    /// Adds a key, evicting an idle one at the maximum. Returns `false` if all keys are busy.
    fn add(&self, key: &Arc<State>) -> bool {
        let mut keys = self.0.lock();
        for _ in 0..keys.len().min(2 * MAX_BUSY_KEYS) {
            if keys.len() < MAX_BUSY_KEYS {
                break;
            }
            let Some(oldest) = keys.pop_front() else { break };
            let Some(key) = oldest.upgrade() else { continue };
            if key.is_busy.swap(false, Ordering::Relaxed) {
                keys.push_back(oldest);
            } else {
                key.remove_table();
            }
        }
        let has_room = keys.len() < MAX_BUSY_KEYS;
        if has_room {
            keys.push_back(Arc::downgrade(key));
        }
        has_room
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl KeyTable {
    fn new(point: &EdwardsPoint) -> Self {
        match Lanes::get() {
            Some(lanes) => Self::Lanes(lanes, Arc::new(lanes.table(point))),
            None => Self::Single(Arc::new(Table::new(point))),
        }
    }
}

impl Equation {
    /// Returns whether each equation holds, evaluating up to [`Lanes::COUNT`] at a time.
    pub fn evaluate_all(equations: &[Self]) -> Vec<bool> {
        let mut results = Vec::with_capacity(equations.len());
        for batch in equations.chunks(Lanes::COUNT) {
            // Unused lanes repeat the first equation.
            let filled: [_; Lanes::COUNT] =
                std::array::from_fn(|lane| batch.get(lane).unwrap_or(&batch[0]));
            let sums = filled[0].lanes.double_scalar_mul(filled.map(Self::term));
            results.extend(batch.iter().zip(sums).map(|(equation, sum)| equation.point == sum));
        }
        results
    }

    fn term(&self) -> lanes::Term<'_> {
        (&*self.table, &self.challenge, &self.scalar)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("PublicKey").field(&self.0.key).finish()
    }
}

/// Access of the unit tests to the table of a key.
#[cfg(test)]
impl PublicKey {
    pub(crate) fn has_table(&self) -> bool {
        self.0.table.read().is_some()
    }

    /// Gives the key a table for one signature at a time.
    pub(crate) fn with_single_table(self) -> Self {
        self.set_table(KeyTable::Single(Arc::new(Table::new(&self.0.negated))));
        self
    }

    /// Gives the key the table that busy keys have on this processor.
    pub(crate) fn with_busy_table(self) -> Self {
        self.set_table(KeyTable::new(&self.0.negated));
        self
    }
}
