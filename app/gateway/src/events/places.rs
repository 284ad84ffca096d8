use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use tokio_util::sync::CancellationToken;

use crate::error::GatewayError;

/// Maximum number of streams of one reader.
const PER_READER: u32 = 8;

/// Places of the open streams.
///
/// Keys are free, so readers without a part on chain, strangers, share a half of the places. A new stream of one
/// ends the oldest of the network that has most of them, so that a person who has nothing yet is always
/// heard. A reader with a part takes the place of a stranger, or of a network that has many.
#[derive(Debug, Default)]
pub struct Places {
    /// In the order of their beginning.
    open: BTreeMap<u64, Place>,
    next: u64,
}

/// Place of one stream.
#[derive(Clone, Debug)]
pub struct Place {
    /// Person or channel whose events are streamed.
    pub reader: [u8; 32],
    /// Network of the client.
    pub network: IpAddr,
    /// Whether the reader has no part on chain.
    pub is_stranger: bool,
    /// Ends the stream.
    pub ends: CancellationToken,
}

impl Places {
    /// Takes one of at most `most` places. Returns its number.
    ///
    /// # Errors
    /// [`GatewayError::TooManyStreams`], [`GatewayError::StreamsFull`].
    pub fn take(&mut self, most: u32, place: Place) -> Result<u64, GatewayError> {
        let places = most as usize;
        let own = self.open.values().filter(|open| open.reader == place.reader).count();
        if own >= PER_READER as usize {
            return Err(GatewayError::TooManyStreams(PER_READER));
        }
        let is_full = self.open.len() >= places;
        let strangers = self.open.values().filter(|open| open.is_stranger).count();
        let is_beyond = place.is_stranger && strangers >= places.div_ceil(2);
        if is_full || is_beyond {
            let ended = match strangers {
                0 => self.oldest_of_crowd(&place.network),
                _ => self.oldest_of_largest(true).map(|(oldest, _)| oldest),
            };
            let ended = ended.filter(|_| places > 0).ok_or(GatewayError::StreamsFull(most))?;
            if let Some(ended) = self.open.remove(&ended) {
                ended.ends.cancel();
            }
        }
        let number = self.next;
        self.next += 1;
        self.open.insert(number, place);
        Ok(number)
    }

    /// Gives a place back.
    pub fn leave(&mut self, number: u64) {
        self.open.remove(&number);
    }

    /// Returns the oldest stream of a network that would still have as many as the newcomer's.
    fn oldest_of_crowd(&self, newcomer: &IpAddr) -> Option<u64> {
        let own = self.open.values().filter(|open| open.network == *newcomer).count();
        let (oldest, count) = self.oldest_of_largest(false)?;
        (count >= own + 2).then_some(oldest)
    }

    /// Returns the oldest stream of the network that has most of one kind of readers, and how many it has.
    fn oldest_of_largest(&self, are_strangers: bool) -> Option<(u64, usize)> {
        let mut networks: HashMap<IpAddr, (u64, usize)> = HashMap::new();
        for (number, open) in self.open.iter().filter(|(_, open)| open.is_stranger == are_strangers)
        {
            networks.entry(open.network).or_insert((*number, 0)).1 += 1;
        }
        networks.into_values().max_by_key(|(oldest, count)| (*count, u64::MAX - oldest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(reader: u8, network: u8, is_stranger: bool) -> Place {
        let (reader, network) = ([reader; 32], IpAddr::from([10, 0, 0, network]));
        Place { reader, network, is_stranger, ends: CancellationToken::new() }
    }

    /// Takes a place of eight; returns what ends the stream.
    fn take(places: &mut Places, place: Place) -> Option<CancellationToken> {
        let ends = place.ends.clone();
        places.take(8, place).ok().map(|_| ends)
    }

    #[test]
    fn strangers_share_half_of_the_places() {
        let mut places = Places::default();
        let strangers: Vec<_> =
            (0..20).map(|at| take(&mut places, place(at, 1, true)).unwrap()).collect();
        let open = strangers.iter().filter(|ends| !ends.is_cancelled()).count();
        assert_eq!((open, places.open.len()), (4, 4), "the newest four");
        assert!(strangers[16..].iter().all(|ends| !ends.is_cancelled()));
        let honest = take(&mut places, place(100, 2, true)).unwrap();
        for at in 30..60 {
            take(&mut places, place(at, 1, true)).unwrap();
        }
        assert!(!honest.is_cancelled(), "those of the other network make room");
    }

    #[test]
    fn reader_with_part_takes_places_of_strangers() {
        let mut places = Places::default();
        let strangers: Vec<_> =
            (0..4).map(|at| take(&mut places, place(at, 1, true)).unwrap()).collect();
        let known: Vec<_> =
            (50..58).map(|at| take(&mut places, place(at, 2, false)).unwrap()).collect();
        assert!(strangers.iter().all(CancellationToken::is_cancelled));
        assert!(!known.iter().any(CancellationToken::is_cancelled));
        // One network has all: it refuses its own, and makes room for others up to their half.
        assert!(take(&mut places, place(60, 2, false)).is_none());
        assert!(take(&mut places, place(61, 2, true)).is_none());
        for at in 70..74 {
            take(&mut places, place(at, 3, false)).unwrap();
        }
        assert!(take(&mut places, place(74, 3, false)).is_none());
        assert_eq!(known.iter().filter(|ends| ends.is_cancelled()).count(), 4);
        take(&mut places, place(80, 4, true)).unwrap();
    }

    #[test]
    fn place_is_given_back() {
        let mut places = Places::default();
        let numbers: Vec<_> = (0..8).map(|_| places.take(9, place(1, 1, false)).unwrap()).collect();
        let refused = places.take(9, place(1, 1, false));
        assert!(matches!(refused, Err(GatewayError::TooManyStreams(8))), "{refused:?}");
        places.leave(numbers[3]);
        places.take(9, place(1, 1, false)).unwrap();
        let refused = Places::default().take(0, place(1, 1, true));
        assert!(matches!(refused, Err(GatewayError::StreamsFull(0))), "{refused:?}");
    }
}
