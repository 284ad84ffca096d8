#![doc = include_str!("../README.md")]

mod digits;
mod lanes;
mod public_key;
mod table;
#[cfg(test)]
mod tests;
mod verifier;

pub use lanes::are_supported as lanes_are_supported;
pub use public_key::PublicKey;
pub use verifier::Verifier;
