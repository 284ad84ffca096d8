#![allow(internal_features)]
#![no_std]
#![feature(abi_unadjusted)]
use solana_compiler_builtins as _;
const LO: u64 = u32::MAX as u64;
#[inline(always)]
fn mul64(a: u64, b: u64) -> (u64, u64) {
    let (a1, a0, b1, b0) = (a >> 32, a & LO, b >> 32, b & LO);
    let (p00, p01, p10, p11) = (a0 * b0, a0 * b1, a1 * b0, a1 * b1);
    let mid = (p00 >> 32) + (p01 & LO) + (p10 & LO);
    (p11 + (p01 >> 32) + (p10 >> 32) + (mid >> 32), (mid << 32) | (p00 & LO))
}
#[unsafe(no_mangle)]
pub unsafe extern "unadjusted" fn __multi3(a: i128, b: i128) -> i128 {
    let (al, ah, bl, bh) = (a as u64, (a >> 64) as u64, b as u64, (b >> 64) as u64);
    let (hi, lo) = mul64(al, bl);
    let hi = hi.wrapping_add(ah.wrapping_mul(bl)).wrapping_add(al.wrapping_mul(bh));
    (((hi as u128) << 64) | lo as u128) as i128
}
#[unsafe(no_mangle)]
pub unsafe extern "unadjusted" fn __udivti3(n: u128, d: u128) -> u128 { div_rem(n, d).0 }
#[unsafe(no_mangle)]
pub unsafe extern "unadjusted" fn __umodti3(n: u128, d: u128) -> u128 { div_rem(n, d).1 }
/// Binary long division on 64-bit halves (never divides a u128).
#[inline(never)]
fn div_rem(n: u128, d: u128) -> (u128, u128) {
    if d > n { return (0, n); }
    let (nh, dh) = ((n >> 64) as u64, (d >> 64) as u64);
    if nh == 0 { let (q, r) = (n as u64 / d as u64, n as u64 % d as u64); return (q as u128, r as u128); }
    if dh == 0 {
        let d = d as u64;
        let q1 = nh / d; let r1 = nh % d;
        let (q0, r0) = div128by64(r1, n as u64, d);
        return (((q1 as u128) << 64) | q0 as u128, r0 as u128);
    }
    let s = dh.leading_zeros() - nh.leading_zeros();
    let (mut q, mut r, mut d) = (0u64, n, d << s);
    let mut i = s + 1;
    while i > 0 { q <<= 1; if r >= d { r -= d; q |= 1; } d >>= 1; i -= 1; }
    (q as u128, r)
}
#[inline(always)]
fn div128by64(hi: u64, lo: u64, d: u64) -> (u64, u64) {
    if hi == 0 { return (lo / d, lo % d); }
    let s = d.leading_zeros();
    let d = d << s;
    let (h, l) = if s == 0 { (hi, lo) } else { ((hi << s) | (lo >> (64 - s)), lo << s) };
    let (d1, d0) = (d >> 32, d & LO);
    let (l1, l0) = (l >> 32, l & LO);
    let step = |h: u64, l: u64| -> (u64, u64) {
        let (mut q, mut r) = (h / d1, h % d1);
        while q > LO || q * d0 > ((r << 32) | l) { q -= 1; r += d1; if r > LO { break; } }
        (q, (h << 32).wrapping_add(l).wrapping_sub(q.wrapping_mul(d)))
    };
    let (q1, r1) = step(h, l1);
    let (q0, r0) = step(r1, l0);
    ((q1 << 32) | q0, r0 >> s)
}
