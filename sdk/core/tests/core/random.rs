/// Random numbers (xorshift), the same in each run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Returns a number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }

    /// Returns a number of any size, often at the edges.
    pub fn amount(&mut self) -> u64 {
        let number = self.number();
        match self.below(6) {
            0 => number,
            1 => number >> 32,
            2 => number % 10,
            3 => self.of(&[0, 1, u64::MAX, u64::MAX - 1, 1 << 53, 1 << 63]),
            _ => number >> 44,
        }
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.number().to_le_bytes()[..chunk.len()]);
        }
        bytes
    }
}

/// Returns the number of cases: `MOTIF_CASES`, or `usual`.
pub fn cases(usual: u64) -> u64 {
    std::env::var("MOTIF_CASES").map_or(usual, |cases| cases.parse().unwrap())
}
