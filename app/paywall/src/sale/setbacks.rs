use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use motif_sdk::Pubkey;

/// Payments of wallets that have failed. A wallet waits after several of them, each time longer: every
/// failure costs a simulation, a fee, or the work of an answer.
#[derive(Debug, Default)]
pub struct Setbacks(Mutex<HashMap<Pubkey, Setback>>);

#[derive(Clone, Copy, Debug)]
struct Setback {
    count: u32,
    /// Unix second from which on the wallet may buy.
    waits_until: i64,
    /// Unix second at which the failures are forgotten.
    forgotten_at: i64,
}

impl Setbacks {
    /// Number of failures without a wait.
    pub const FREE: u32 = 3;
    /// Number of wallets above which the one that is forgotten first is removed.
    const MAX_WALLETS: usize = 16_384;
    /// Maximum wait, as a power of two, in seconds.
    const MAX_DOUBLINGS: u32 = 9;
    const FORGET_SECONDS: i64 = 3_600;

    /// Returns the seconds for which a wallet has to wait; 0 if it may buy.
    pub fn wait(&self, wallet: &Pubkey, now: i64) -> i64 {
        self.lock().get(wallet).map_or(0, |setback| (setback.waits_until - now).max(0))
    }

    /// Counts failures of a wallet's payment.
    pub fn add(&self, wallet: Pubkey, failures: u32, now: i64) {
        let mut all = self.lock();
        let known = all.get(&wallet).filter(|setback| setback.forgotten_at > now);
        let count = known.map_or(0, |setback| setback.count).saturating_add(failures);
        let doublings = count.checked_sub(Self::FREE + 1).map(|over| over.min(Self::MAX_DOUBLINGS));
        let wait = doublings.map_or(0, |doublings| 1 << doublings);
        let (waits_until, forgotten_at) = (now + wait, now + Self::FORGET_SECONDS);
        all.insert(wallet, Setback { count, waits_until, forgotten_at });
        if all.len() > Self::MAX_WALLETS
            && let Some(first) =
                all.iter().min_by_key(|(_, one)| one.forgotten_at).map(|(key, _)| *key)
        {
            all.remove(&first);
        }
    }

    /// Forgets the failures of a wallet that has paid.
    pub fn clear(&self, wallet: &Pubkey) {
        self.lock().remove(wallet);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Pubkey, Setback>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALLET: Pubkey = Pubkey::new_from_array([1; 32]);

    #[test]
    fn wait_doubles_after_free_failures() {
        let setbacks = Setbacks::default();
        let mut waits = Vec::new();
        for _ in 0..15 {
            setbacks.add(WALLET, 1, 100);
            waits.push(setbacks.wait(&WALLET, 100));
        }
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512]);
        assert_eq!(setbacks.wait(&WALLET, 611), 1);
        assert_eq!(setbacks.wait(&WALLET, 612), 0);
        assert_eq!(setbacks.wait(&Pubkey::default(), 100), 0);
        setbacks.clear(&WALLET);
        setbacks.add(WALLET, 1, 100);
        assert_eq!(setbacks.wait(&WALLET, 100), 0);
    }

    #[test]
    fn old_failures_are_forgotten() {
        let setbacks = Setbacks::default();
        setbacks.add(WALLET, 4, 100);
        assert_eq!(setbacks.wait(&WALLET, 100), 1);
        setbacks.add(WALLET, 1, 100 + Setbacks::FORGET_SECONDS);
        assert_eq!(setbacks.wait(&WALLET, 100 + Setbacks::FORGET_SECONDS), 0);
    }

    #[test]
    fn number_of_wallets_is_bounded() {
        let setbacks = Setbacks::default();
        for number in 0..=Setbacks::MAX_WALLETS {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_le_bytes());
            setbacks.add(Pubkey::new_from_array(key), 4, number as i64);
        }
        assert_eq!(setbacks.lock().len(), Setbacks::MAX_WALLETS);
        assert!(!setbacks.lock().contains_key(&Pubkey::default()), "the oldest one");
    }
}
