use motif_sdk::receipt::bundle::BundlePath;

use super::Generation;

/// The layout that is written: the first byte of all evidence.
const LAYOUT: u8 = b'1';

/// What proves a generation, which is one column because nobody filters by it or adds it up.
///
/// The layout is in the migration that made the column. What a server indexes of it is named
/// there and in [`Name`](super::finding::Name) by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    /// SHA-256 of the receipt's bytes.
    pub receipt_digest: [u8; 32],
    /// SHA-256 of the output.
    pub output_digest: [u8; 32],
    /// SHA-256 of the request.
    pub request_digest: [u8; 32],
    /// Covers the receipt.
    pub receipt_signature: [u8; 64],
    /// The voucher's.
    pub voucher_signature: [u8; 64],
    /// The way from the receipt to what was signed.
    pub bundle: BundlePath,
}

impl Evidence {
    /// A generation's, whose receipt has this digest.
    pub fn of(generation: &Generation, receipt_digest: [u8; 32]) -> Self {
        let signed = &generation.receipt;
        Self {
            receipt_digest,
            output_digest: signed.receipt.output_digest,
            request_digest: signed.receipt.request_digest,
            receipt_signature: signed.signature,
            voucher_signature: generation.voucher_signature,
            bundle: signed.bundle,
        }
    }

    /// As the column has it.
    pub fn to_bytes(self) -> Vec<u8> {
        let parts: [&[u8]; 7] = [
            &[LAYOUT],
            &self.receipt_digest,
            &self.output_digest,
            &self.request_digest,
            &self.receipt_signature,
            &self.voucher_signature,
            self.bundle.as_bytes(),
        ];
        parts.concat()
    }

    /// Reads [`Evidence::to_bytes`]; `None` where it is anything else.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (layout, mut rest) = bytes.split_first()?;
        let evidence = Self {
            receipt_digest: take(&mut rest)?,
            output_digest: take(&mut rest)?,
            request_digest: take(&mut rest)?,
            receipt_signature: take(&mut rest)?,
            voucher_signature: take(&mut rest)?,
            bundle: BundlePath::from_bytes(rest)?,
        };
        (*layout == LAYOUT).then_some(evidence)
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use motif_sdk::receipt::bundle::BundleSibling;

    use super::*;

    fn evidence(siblings: u8) -> Evidence {
        let sibling = |number| BundleSibling { hash: [number; 32], is_left: number % 2 == 0 };
        let siblings: Vec<_> = (0..siblings).map(sibling).collect();
        Evidence {
            receipt_digest: [11; 32],
            output_digest: [12; 32],
            request_digest: [14; 32],
            receipt_signature: [15; 64],
            voucher_signature: [16; 64],
            bundle: BundlePath::new(&siblings).unwrap(),
        }
    }

    #[test]
    fn evidence_is_read_as_it_was_written_and_its_digests_are_where_a_server_looks_for_them() {
        for siblings in 0..=4 {
            let written = evidence(siblings).to_bytes();
            assert_eq!(Evidence::read(&written), Some(evidence(siblings)));
            // `substr` counts from 1.
            assert_eq!(written[2 - 1..][..32], [11; 32]);
            assert_eq!(written[34 - 1..][..32], [12; 32]);
        }
        assert_eq!(evidence(0).to_bytes().len(), 225);
    }

    #[test]
    fn evidence_of_another_length_or_layout_is_not_read() {
        let written = evidence(1).to_bytes();
        for length in (0..written.len()).filter(|length| *length != 225) {
            assert_eq!(Evidence::read(&written[..length]), None, "{length}");
        }
        assert_eq!(Evidence::read(&[&written[..], &[0]].concat()), None);
        assert_eq!(Evidence::read(&[b"2", &written[1..]].concat()), None);
    }
}
