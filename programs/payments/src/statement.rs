//! What a voucher pays for: 6 bytes an entry, license index (u16) and units (u32), both
//! little-endian, in ascending order of the index. One order and one entry a license, so that
//! equal statements have equal digests.

use anchor_lang::prelude::*;

use crate::error::PaymentsError;

/// Units used of one license since the last settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position in the channel's list of licenses.
    pub license: u16,
    /// Above zero.
    pub units: u32,
}

impl Entry {
    /// Bytes of an entry.
    pub const SIZE: usize = 6;

    /// The entry as it stands in a statement.
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let [a, b] = self.license.to_le_bytes();
        let [c, d, e, f] = self.units.to_le_bytes();
        [a, b, c, d, e, f]
    }

    fn from_bytes([a, b, c, d, e, f]: [u8; Self::SIZE]) -> Self {
        Self { license: u16::from_le_bytes([a, b]), units: u32::from_le_bytes([c, d, e, f]) }
    }
}

/// Reads a statement entry by entry; an entry that breaks the format is the last one read.
pub fn entries(bytes: &[u8]) -> Result<impl Iterator<Item = Result<Entry>> + '_> {
    let (entries, rest) = bytes.as_chunks::<{ Entry::SIZE }>();
    require!(!entries.is_empty() && rest.is_empty(), PaymentsError::InvalidStatement);
    let mut lowest: u32 = 0;
    Ok(entries.iter().map(move |bytes| {
        let entry = Entry::from_bytes(*bytes);
        let ascending = u32::from(entry.license) >= lowest;
        require!(ascending && entry.units > 0, PaymentsError::InvalidStatement);
        lowest = u32::from(entry.license) + 1;
        Ok(entry)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<Entry>> {
        entries(bytes)?.collect()
    }

    fn bytes(list: &[(u16, u32)]) -> Vec<u8> {
        list.iter().flat_map(|&(license, units)| Entry { license, units }.to_bytes()).collect()
    }

    #[test]
    fn a_statement_is_read_as_it_was_written() {
        let list = [(0, 1), (7, u32::MAX), (u16::MAX, 2)];
        let expected = list.map(|(license, units)| Entry { license, units });
        assert_eq!(read(&bytes(&list)), Ok(expected.to_vec()));
    }

    #[test]
    fn anything_else_is_malformed() {
        let malformed: [&[(u16, u32)]; 4] = [&[], &[(1, 1), (1, 1)], &[(2, 1), (1, 1)], &[(1, 0)]];
        for list in malformed {
            let refused = Err(PaymentsError::InvalidStatement.into());
            assert_eq!(read(&bytes(list)), refused, "{list:?}");
        }
        assert!(read(&bytes(&[(1, 1)])[..5]).is_err());
    }
}
