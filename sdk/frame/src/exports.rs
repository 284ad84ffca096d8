//! Memory blocks that a module and its host hand over to each other, by address and length.

/// Defines the exports of a module, with one state for each instance. They exist in the crate that is built with
/// `--cfg motif_module`, as `toolchain/build-wasm.sh` does, and not in those it depends on.
///
/// - `motif_allocate(length) -> address`: a block that the host fills with a frame;
/// - `motif_call(address, length) -> address << 32 | length`: consumes a block, and returns the answer's;
/// - `motif_release(address, length)`: frees an answer's block.
#[macro_export]
macro_rules! exports {
    ($state:ident) => {
        #[cfg(motif_module)]
        mod exports {
            use std::cell::RefCell;

            use super::$state;

            thread_local! {
                static STATE: RefCell<$state> = RefCell::new(<$state>::default());
            }

            #[unsafe(no_mangle)]
            extern "C" fn motif_allocate(length: usize) -> usize {
                $crate::allocate(length)
            }

            /// # Safety
            /// The block is one that `motif_call` returned, and is released once.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn motif_release(address: usize, length: usize) {
                // SAFETY: as the caller guarantees.
                unsafe { $crate::release(address, length) }
            }

            /// # Safety
            /// The block is one that `motif_allocate` returned for this length, and is used once.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn motif_call(address: usize, length: usize) -> u64 {
                // SAFETY: as the caller guarantees.
                let input = unsafe { $crate::take(address, length) };
                let output = STATE.with_borrow_mut(|state| state.call(&input));
                $crate::give(output)
            }
        }
    };
}

/// Returns the address of a new block of `length` zeros.
pub fn allocate(length: usize) -> usize {
    let block = vec![0_u8; length].into_boxed_slice();
    Box::into_raw(block).cast::<u8>() as usize
}

/// Returns a block's content, and takes its memory.
///
/// # Safety
/// The block is one of [`allocate`] or [`give`], with its length, and is taken or released once.
pub unsafe fn take(address: usize, length: usize) -> Box<[u8]> {
    let block = std::ptr::slice_from_raw_parts_mut(address as *mut u8, length);
    // SAFETY: the block is a boxed slice of this length that has no other owner.
    unsafe { Box::from_raw(block) }
}

/// Frees a block.
///
/// # Safety
/// As [`take`].
pub unsafe fn release(address: usize, length: usize) {
    // SAFETY: as the caller guarantees.
    drop(unsafe { take(address, length) });
}

/// Hands content over as a block: its address in the high half, its length in the low half. Addresses of
/// WebAssembly have 32 bits.
pub fn give(content: Vec<u8>) -> u64 {
    let block = content.into_boxed_slice();
    let length = block.len() as u64;
    let address = Box::into_raw(block).cast::<u8>() as u64;
    address << 32 | length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_is_handed_over() {
        for length in [0, 1, 70_000] {
            let address = allocate(length);
            // SAFETY: the block was just allocated, and is taken once.
            let block = unsafe { take(address, length) };
            assert_eq!(block.len(), length);
            assert!(block.iter().all(|byte| *byte == 0));
        }
        // SAFETY: the block was just allocated, and is released once.
        unsafe { release(allocate(9), 9) };
    }
}
