use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Weak},
};

use motif_sdk::fingerprint::MAX_CONTENT_BYTES;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{admission::network, error::RecognitionError};

/// Bytes of content that clients are uploading: of all clients and of each address.
///
/// An upload counts what has arrived, so that a slow client takes little of it.
#[derive(Debug)]
pub struct Uploads {
    all: Arc<Semaphore>,
    /// IPv6 addresses of one /64 count together.
    by_address: Mutex<HashMap<IpAddr, Weak<Semaphore>>>,
}

/// Upload in progress; its bytes are returned on drop.
#[derive(Debug)]
pub struct Upload {
    all: Arc<Semaphore>,
    own: Arc<Semaphore>,
    taken: Vec<OwnedSemaphorePermit>,
}

impl Uploads {
    const MAX_BYTES: usize = 8 * MAX_CONTENT_BYTES;
    const MAX_BYTES_PER_ADDRESS: usize = 2 * MAX_CONTENT_BYTES;
    /// Number of addresses from which those without uploads are removed.
    const MAX_ADDRESSES: usize = 1_024;

    /// Begins an upload of an address.
    pub fn begin(&self, address: IpAddr) -> Upload {
        let mut by_address = self.by_address.lock();
        if by_address.len() >= Self::MAX_ADDRESSES {
            by_address.retain(|_, own| own.strong_count() > 0);
        }
        let network = network(address);
        let own = by_address.get(&network).and_then(Weak::upgrade).unwrap_or_else(|| {
            let own = Arc::new(Semaphore::new(Self::MAX_BYTES_PER_ADDRESS));
            by_address.insert(network, Arc::downgrade(&own));
            own
        });
        Upload { all: self.all.clone(), own, taken: Vec::new() }
    }
}

impl Default for Uploads {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(Self::MAX_BYTES)), by_address: Mutex::default() }
    }
}

impl Upload {
    /// Counts bytes that have arrived.
    ///
    /// # Errors
    /// [`RecognitionError::Busy`] if the address or all clients have too many.
    pub fn add(&mut self, bytes: usize) -> Result<(), RecognitionError> {
        let bytes = u32::try_from(bytes).map_err(|_| RecognitionError::Busy)?;
        for limit in [&self.own, &self.all] {
            let taken = limit.clone().try_acquire_many_owned(bytes);
            let taken = taken.map_err(|_| RecognitionError::Busy)?;
            match self.taken.iter_mut().find(|earlier| Arc::ptr_eq(earlier.semaphore(), limit)) {
                Some(earlier) => earlier.merge(taken),
                None => self.taken.push(taken),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_uploads_leave_room() {
        let uploads = Uploads::default();
        let one: IpAddr = [1, 1, 1, 1].into();
        let mut slow: Vec<_> = (0..1_000).map(|_| uploads.begin(one)).collect();
        slow.iter_mut().for_each(|upload| upload.add(1).unwrap());
        let mut whole = uploads.begin(one);
        whole.add(MAX_CONTENT_BYTES).unwrap();
        assert!(uploads.begin([2, 2, 2, 2].into()).add(MAX_CONTENT_BYTES).is_ok());
    }

    #[test]
    fn address_cannot_take_all_bytes() {
        let uploads = Uploads::default();
        let mut upload = uploads.begin([1, 1, 1, 1].into());
        upload.add(MAX_CONTENT_BYTES).unwrap();
        upload.add(MAX_CONTENT_BYTES).unwrap();
        assert_eq!(upload.add(1), Err(RecognitionError::Busy));
        assert_eq!(uploads.begin([1, 1, 1, 1].into()).add(1), Err(RecognitionError::Busy));
        assert_eq!(uploads.begin([2, 2, 2, 2].into()).add(1), Ok(()));
        drop(upload);
        assert_eq!(uploads.begin([1, 1, 1, 1].into()).add(1), Ok(()));
    }
}
