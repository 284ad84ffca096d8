use solana_sha256_hasher::hashv;

/// Begins every name, so that a digest of another use is never an event's.
const TAG: &[u8] = b"motif-event-1";

/// Returns the digest of what happened, or of a value's name. Parts other than the last have a fixed
/// length for each word.
pub fn id(word: &str, parts: &[&[u8]]) -> [u8; 32] {
    let length = [u8::try_from(word.len()).unwrap_or(u8::MAX)];
    let mut all = vec![TAG, &length, word.as_bytes()];
    all.extend(parts);
    hashv(&all).to_bytes()
}
