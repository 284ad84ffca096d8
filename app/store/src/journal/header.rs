use std::ops::Range;

use super::frame::PAGE;

/// First page of a segment, which names the journal.
///
/// Layout: [`MAGIC`] (8 bytes), the journal's id (32), zeros up to a whole page. The store's tables have
/// the seal's key, from which the id is derived, so that a journal of another store is recognized.
#[derive(Debug)]
pub struct Header;

/// What the first page of a segment names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nothing: the file is new.
    Nothing,
    /// This store.
    This,
    /// Another store, or the file is no segment.
    Other,
}

const MAGIC: [u8; 8] = *b"motif\x00J\x01";
const ID: Range<usize> = 8..40;

impl Header {
    /// Returns the page of a journal.
    pub fn to_page(id: &[u8; 32]) -> Vec<u8> {
        let mut page = vec![0; PAGE];
        page[..MAGIC.len()].copy_from_slice(&MAGIC);
        page[ID].copy_from_slice(id);
        page
    }

    /// Returns whose page it is. An empty page is of a new file.
    pub fn owner(page: &[u8], id: &[u8; 32]) -> Owner {
        if page.iter().all(|byte| *byte == 0) {
            return Owner::Nothing;
        }
        let is_this = page.starts_with(&MAGIC) && page.get(ID) == Some(&id[..]);
        if is_this { Owner::This } else { Owner::Other }
    }
}
