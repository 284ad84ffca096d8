//! Statements: the units that a voucher pays for, by license.
//!
//! A statement is a list of 6-byte entries, license index (u16) and units (u32), both
//! little-endian, in ascending order of the index. Each license has at most one entry, so equal
//! statements have equal digests.

use solana_sha256_hasher::hash;

use crate::{payments::PaymentsError, require};

/// Units of one license since the last settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Index in the channel's list of licenses.
    pub license: u16,
    /// Units, above zero.
    pub units: u32,
}

impl Entry {
    /// Bytes of an entry.
    pub const SIZE: usize = 6;

    /// Returns the bytes of the entry in a statement.
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let [a, b] = self.license.to_le_bytes();
        let [c, d, e, f] = self.units.to_le_bytes();
        [a, b, c, d, e, f]
    }

    fn from_bytes([a, b, c, d, e, f]: [u8; Self::SIZE]) -> Self {
        Self { license: u16::from_le_bytes([a, b]), units: u32::from_le_bytes([c, d, e, f]) }
    }
}

/// Reads the entries of a statement; iteration must stop at the first error.
///
/// # Errors
/// [`PaymentsError::InvalidStatement`], also for an item that breaks the format.
pub fn entries(
    bytes: &[u8],
) -> Result<impl Iterator<Item = Result<Entry, PaymentsError>> + '_, PaymentsError> {
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

/// Units per license since the last settlement, as a payer or a gateway accumulates them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// In ascending order of the license.
    entries: Vec<Entry>,
}

/// Error returned when a statement cannot take more licenses, or more units of one license.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "statement full: at most {licenses} licenses and {units} units of each; settle first",
    licenses = Statement::MAX_LICENSES,
    units = u32::MAX
)]
pub struct StatementFull;

impl Statement {
    /// Maximum number of licenses, so that a statement settles in one packet of 1,232 bytes, with the
    /// 52 bytes that set the transaction's compute unit limit and price.
    pub const MAX_LICENSES: usize = 88;

    /// Adds units of a license.
    ///
    /// # Errors
    /// [`StatementFull`]; the statement is then unchanged.
    pub fn add(&mut self, license: u16, units: u32) -> Result<(), StatementFull> {
        match self.position(license) {
            Ok(position) => {
                let present = &mut self.entries[position].units;
                *present = present.checked_add(units).ok_or(StatementFull)?;
            }
            Err(_) if self.entries.len() == Self::MAX_LICENSES => return Err(StatementFull),
            Err(position) if units > 0 => self.entries.insert(position, Entry { license, units }),
            Err(_) => {}
        }
        Ok(())
    }

    /// Returns the position of a license's entry, or the one at which it is inserted.
    fn position(&self, license: u16) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&license, |entry| entry.license)
    }

    /// Returns the entries in ascending order of the license.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.entries.iter().copied()
    }

    /// Returns whether the statement has no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the number of licenses.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the bytes that are signed and settled.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.entries().flat_map(Entry::to_bytes).collect()
    }

    /// Returns the SHA-256 of [`Statement::to_bytes`], which a voucher names.
    pub fn digest(&self) -> [u8; 32] {
        hash(&self.to_bytes()).to_bytes()
    }
}

impl FromIterator<(u16, u32)> for Statement {
    /// Creates a statement. Later units of a license replace earlier ones; entries of zero units
    /// are omitted.
    fn from_iter<T: IntoIterator<Item = (u16, u32)>>(entries: T) -> Self {
        let mut statement = Self::default();
        for (license, units) in entries.into_iter().filter(|(_, units)| *units > 0) {
            let entry = Entry { license, units };
            match statement.position(license) {
                Ok(position) => statement.entries[position] = entry,
                Err(position) => statement.entries.insert(position, entry),
            }
        }
        statement
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<Entry>, PaymentsError> {
        entries(bytes)?.collect()
    }

    fn bytes(list: &[(u16, u32)]) -> Vec<u8> {
        list.iter().flat_map(|&(license, units)| Entry { license, units }.to_bytes()).collect()
    }

    #[test]
    fn written_entries_are_read_back() {
        let list = [(0, 1), (7, u32::MAX), (u16::MAX, 2)];
        let expected = list.map(|(license, units)| Entry { license, units });
        assert_eq!(read(&bytes(&list)), Ok(expected.to_vec()));
    }

    #[test]
    fn malformed_statement_is_rejected() {
        let malformed: [&[(u16, u32)]; 4] = [&[], &[(1, 1), (1, 1)], &[(2, 1), (1, 1)], &[(1, 0)]];
        for list in malformed {
            assert_eq!(read(&bytes(list)), Err(PaymentsError::InvalidStatement), "{list:?}");
        }
        assert!(read(&bytes(&[(1, 1)])[..5]).is_err());
    }

    #[test]
    fn equal_units_make_equal_statements() {
        let (mut one, mut other) = (Statement::default(), Statement::default());
        for (license, units) in [(3, 1), (1, 2), (3, 4)] {
            one.add(license, units).unwrap();
        }
        for (license, units) in [(1, 1), (3, 5), (1, 1)] {
            other.add(license, units).unwrap();
        }
        assert_eq!(one.digest(), other.digest());
    }

    #[test]
    fn full_statement_is_unchanged() {
        let mut statement: Statement = [(0, u32::MAX)].into_iter().collect();
        assert_eq!(statement.add(0, 1), Err(StatementFull));
        let most = Statement::MAX_LICENSES;
        for license in 1..most as u16 {
            statement.add(license, 1).unwrap();
        }
        assert_eq!(statement.add(most as u16, 1), Err(StatementFull));
        assert_eq!((statement.len(), statement.to_bytes().len()), (most, most * Entry::SIZE));
    }
}
