use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the time, unix seconds.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}
