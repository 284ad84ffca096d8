//! The one type of the `licensing` program that fingerprints need.

/// As the program has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// How the bits were made.
    pub scheme: u16,
    /// What they are.
    pub bits: [u8; 32],
}
