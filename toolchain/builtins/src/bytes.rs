//! Comparison of bytes, which rustc calls as `memcmp`.
//!
//! The target's code treats `memcmp` as any other function, so LLVM does not expand it. Both lengths
//! that programs compare all the time, discriminators and addresses, are a few instructions here and
//! are inlined where the length is known; every other length is one call.

/// Compares `length` bytes: negative, zero or positive, as `memcmp` does.
///
/// # Safety
/// `length` bytes at both addresses are readable.
#[inline(always)]
pub unsafe fn compare(a: *const u8, b: *const u8, length: usize) -> i32 {
    // SAFETY: the words are inside of `length` bytes.
    let differing = |at| unsafe {
        let (a, b) = (a.add(at).cast::<u64>(), b.add(at).cast::<u64>());
        let (a, b) = (a.read_unaligned(), b.read_unaligned());
        (a != b).then(|| order(a, b))
    };
    match length {
        8 => differing(0).unwrap_or(0),
        32 => (differing(0).or_else(|| differing(8)))
            .or_else(|| differing(16).or_else(|| differing(24)))
            .unwrap_or(0),
        // SAFETY: as the caller's.
        _ => unsafe { compare_any(a, b, length) },
    }
}

/// Order of two different words by their bytes in memory.
#[inline(always)]
fn order(a: u64, b: u64) -> i32 {
    if a.to_be() < b.to_be() { -1 } else { 1 }
}

/// # Safety
/// As [`compare`].
#[inline(never)]
unsafe fn compare_any(a: *const u8, b: *const u8, length: usize) -> i32 {
    #[cfg(target_arch = "bpf")]
    if length > 32 {
        return syscall(a, b, length);
    }
    let mut at = 0;
    while at + 8 <= length {
        // SAFETY: the word is inside of `length` bytes.
        let (a, b) = unsafe {
            let (a, b) = (a.add(at).cast::<u64>(), b.add(at).cast::<u64>());
            (a.read_unaligned(), b.read_unaligned())
        };
        if a != b {
            return order(a, b);
        }
        at += 8;
    }
    while at < length {
        // SAFETY: `at` is below `length`.
        let (a, b) = unsafe { (*a.add(at), *b.add(at)) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
        at += 1;
    }
    0
}

/// Calls `sol_memcmp_`, which charges 10 compute units and one for each 250 bytes.
#[cfg(target_arch = "bpf")]
fn syscall(a: *const u8, b: *const u8, length: usize) -> i32 {
    const SOL_MEMCMP: usize = 0x5fdc_de31;
    let mut result = 0;
    // SAFETY: the runtime resolves the hash of the syscall's name.
    unsafe {
        let call: unsafe extern "C" fn(*const u8, *const u8, usize, *mut i32) =
            core::mem::transmute(SOL_MEMCMP);
        call(a, b, length, &mut result);
    }
    result
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    #[test]
    fn order_is_that_of_slices() {
        for length in 0..70 {
            let a: Vec<u8> = (0..length).map(|index| index as u8 ^ 0x5a).collect();
            assert_eq!(sign(&a, &a), Ordering::Equal, "{length} bytes");
            for at in 0..length {
                for change in [1, 0x80, 0xff] {
                    let mut b = a.clone();
                    b[at] ^= change;
                    assert_eq!(sign(&a, &b), a.cmp(&b), "byte {at} of {length}");
                }
            }
        }
    }

    fn sign(a: &[u8], b: &[u8]) -> Ordering {
        // SAFETY: both slices have as many bytes.
        unsafe { compare(a.as_ptr(), b.as_ptr(), a.len()) }.cmp(&0)
    }
}
