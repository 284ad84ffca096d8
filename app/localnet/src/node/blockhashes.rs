use std::collections::{HashMap, VecDeque};

use solana_hash::Hash;

/// Number of blocks for which a blockhash can be signed over, as on a cluster.
const MAX_AGE: u64 = 150;

/// The blockhashes that a transaction may name, each with the last block height it is valid at.
pub(crate) struct Blockhashes {
    valid: HashMap<Hash, u64>,
    oldest_first: VecDeque<Hash>,
    latest: Hash,
}

impl Blockhashes {
    /// Creates the set with the genesis blockhash at block height 0.
    pub(crate) fn new(genesis: Hash) -> Self {
        let valid = HashMap::from([(genesis, MAX_AGE)]);
        Self { valid, oldest_first: VecDeque::from([genesis]), latest: genesis }
    }

    /// Returns the latest blockhash and the last block height it is valid at.
    pub(crate) fn latest(&self) -> (Hash, u64) {
        (self.latest, self.valid.get(&self.latest).copied().unwrap_or_default())
    }

    /// Returns whether a transaction that names `blockhash` can land.
    pub(crate) fn contains(&self, blockhash: &Hash) -> bool {
        self.valid.contains_key(blockhash)
    }

    /// Adds the blockhash of a block at `height` and removes those that are too old by then.
    pub(crate) fn push(&mut self, blockhash: Hash, height: u64) {
        self.valid.insert(blockhash, height.saturating_add(MAX_AGE));
        self.oldest_first.push_back(blockhash);
        self.latest = blockhash;
        while let Some(oldest) = self.oldest_first.front()
            && self.valid.get(oldest).is_none_or(|last_height| *last_height < height)
        {
            self.valid.remove(oldest);
            self.oldest_first.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u64) -> Hash {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Hash::new_from_array(bytes)
    }

    #[test]
    fn blockhash_expires_after_150_blocks() {
        let mut blockhashes = Blockhashes::new(hash(0));
        for height in 1..=150 {
            blockhashes.push(hash(height), height);
            assert!(blockhashes.contains(&hash(0)), "{height}");
        }
        blockhashes.push(hash(151), 151);
        assert!(!blockhashes.contains(&hash(0)));
        assert!(blockhashes.contains(&hash(1)));
        assert_eq!(blockhashes.latest(), (hash(151), 301));
    }

    #[test]
    fn blocks_of_one_height_expire_no_blockhash() {
        let mut blockhashes = Blockhashes::new(hash(0));
        for number in 1..=1_000 {
            blockhashes.push(hash(number), 1);
        }
        assert!(blockhashes.contains(&hash(0)) && blockhashes.contains(&hash(1_000)));
    }
}
