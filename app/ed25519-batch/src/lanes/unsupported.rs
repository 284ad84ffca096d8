//! Stand-in for processors without the instructions. No value of [`Lanes`] exists.

use curve25519_dalek::{EdwardsPoint, Scalar};

/// Uninhabited.
#[derive(Clone, Copy)]
pub enum Lanes {}

/// Table that is never built.
pub struct Table;

/// Table, scalar and scalar of the base point of one lane.
pub type Term<'a> = (&'a Table, &'a Scalar, &'a Scalar);

impl Lanes {
    /// Number of lanes of processors that have them.
    pub const COUNT: usize = 8;

    /// Returns `None`.
    pub fn get() -> Option<Self> {
        None
    }

    /// Cannot be called.
    pub fn table(self, _: &EdwardsPoint) -> Table {
        match self {}
    }

    /// Cannot be called.
    pub fn double_scalar_mul(self, _: [Term<'_>; Self::COUNT]) -> [[u8; 32]; Self::COUNT] {
        match self {}
    }
}
