//! Where processors have no such instructions there are no lanes.

use curve25519_dalek::{EdwardsPoint, Scalar};

/// There is none.
#[derive(Clone, Copy)]
pub enum Lanes {}

/// Nobody has any.
pub struct Multiples;

/// As where there are lanes.
pub type Term<'a> = (&'a Multiples, &'a Scalar, &'a Scalar);

impl Lanes {
    /// How many there would be.
    pub const COUNT: usize = 8;

    /// `None`.
    pub fn get() -> Option<Self> {
        None
    }

    /// Is never called.
    pub fn multiples(self, _: &EdwardsPoint) -> Multiples {
        match self {}
    }

    /// Is never called.
    pub fn sums(self, _: [Term<'_>; Self::COUNT]) -> [[u8; 32]; Self::COUNT] {
        match self {}
    }
}
