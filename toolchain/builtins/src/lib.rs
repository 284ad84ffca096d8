//! Routines that LLVM's BPF back end calls and nobody else provides in the form it expects.
//!
//! rustc returns a 128-bit integer through a pointer; LLVM's library calls expect it in
//! registers. `extern "unadjusted"` says to leave the signature to LLVM.

#![cfg_attr(target_arch = "bpf", no_std, feature(abi_unadjusted), allow(internal_features))]

pub mod bytes;
pub mod wide;

#[cfg(target_arch = "bpf")]
mod calls {
    use solana_compiler_builtins as _;

    use crate::{bytes, wide};

    #[unsafe(no_mangle)]
    #[inline(always)]
    unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
        // SAFETY: `memcmp`'s own contract.
        unsafe { bytes::compare(a, b, length) }
    }

    #[unsafe(no_mangle)]
    #[inline(always)]
    unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
        // SAFETY: `bcmp`'s own contract.
        unsafe { bytes::compare(a, b, length) }
    }

    #[unsafe(no_mangle)]
    extern "unadjusted" fn __multi3(a: i128, b: i128) -> i128 {
        wide::multiply(a as u128, b as u128) as i128
    }

    #[unsafe(no_mangle)]
    extern "unadjusted" fn __udivti3(numerator: u128, denominator: u128) -> u128 {
        wide::divide(numerator, denominator).0
    }

    #[unsafe(no_mangle)]
    extern "unadjusted" fn __umodti3(numerator: u128, denominator: u128) -> u128 {
        wide::divide(numerator, denominator).1
    }
}
