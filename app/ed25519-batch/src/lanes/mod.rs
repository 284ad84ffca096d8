//! Eight scalar multiplications at a time.

#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
pub use avx512::{Lanes, Table, Term};

#[cfg(not(target_arch = "x86_64"))]
mod unsupported;
#[cfg(not(target_arch = "x86_64"))]
pub use unsupported::{Lanes, Table, Term};

/// Returns whether this processor verifies eight signatures at a time. It needs x86-64 with
/// AVX-512 F, DQ and IFMA.
pub fn are_supported() -> bool {
    Lanes::get().is_some()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{
        collections::HashSet,
        io::{self, Write},
        thread,
    };

    use parking_lot::Mutex;

    use super::Lanes;

    /// Returns the lanes. If the processor has none, prints once per test that they are skipped,
    /// directly to standard error: the test harness would capture `eprintln!`.
    pub fn lanes_or_skip() -> Option<Lanes> {
        static SKIPPED: Mutex<Option<HashSet<String>>> = Mutex::new(None);
        let lanes = Lanes::get();
        if lanes.is_none() {
            let test = thread::current().name().unwrap_or("a test").to_owned();
            let line = format!("{test}: lanes skipped, this processor has no AVX-512 IFMA\n");
            if SKIPPED.lock().get_or_insert_default().insert(test) {
                let _ = io::stderr().write_all(line.as_bytes());
            }
        }
        lanes
    }
}
