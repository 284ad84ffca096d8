use motif_interface::receipt::bundle::BundlePath;

use crate::generation::Generation;

/// First byte of all evidence: the number of the layout.
const LAYOUT: u8 = b'1';

/// Values of a generation that no query filters or adds up. They are one column.
///
/// The layout is documented in the migration. PostgreSQL's indexes and
/// [`LookupKey`](crate::lookup_key::LookupKey) refer to two of the digests by their position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// SHA-256 of the receipt's bytes.
    pub receipt_digest: [u8; 32],
    /// SHA-256 of the output.
    pub output_digest: [u8; 32],
    /// SHA-256 of the request.
    pub request_digest: [u8; 32],
    /// Signature that covers the receipt.
    pub receipt_signature: [u8; 64],
    /// Signature of the voucher.
    pub voucher_signature: [u8; 64],
    /// Key that signed the voucher.
    pub voucher_key: [u8; 32],
    /// Merkle path from the receipt to what was signed.
    pub bundle: BundlePath,
}

impl Evidence {
    /// Creates the evidence of a generation whose receipt has this digest.
    pub fn new(generation: &Generation, receipt_digest: [u8; 32]) -> Self {
        let signed = &generation.receipt;
        Self {
            receipt_digest,
            output_digest: signed.receipt.output_digest,
            request_digest: signed.receipt.request_digest,
            receipt_signature: signed.signature,
            voucher_signature: generation.voucher_signature,
            voucher_key: generation.voucher_key.to_bytes(),
            bundle: signed.bundle,
        }
    }

    /// Returns the column's value.
    pub fn to_bytes(self) -> Vec<u8> {
        let parts: [&[u8]; 8] = [
            &[LAYOUT],
            &self.receipt_digest,
            &self.output_digest,
            &self.request_digest,
            &self.receipt_signature,
            &self.voucher_signature,
            &self.voucher_key,
            self.bundle.as_bytes(),
        ];
        parts.concat()
    }

    /// Parses [`Evidence::to_bytes`]. Returns `None` for any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (layout, mut rest) = bytes.split_first()?;
        let evidence = Self {
            receipt_digest: take(&mut rest)?,
            output_digest: take(&mut rest)?,
            request_digest: take(&mut rest)?,
            receipt_signature: take(&mut rest)?,
            voucher_signature: take(&mut rest)?,
            voucher_key: take(&mut rest)?,
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
    use motif_interface::receipt::bundle::BundleSibling;

    use super::*;

    /// Length of evidence without a Merkle path.
    const UNBUNDLED: usize = 257;

    fn evidence(siblings: u8) -> Evidence {
        let sibling = |number| BundleSibling { hash: [number; 32], is_left: number % 2 == 0 };
        let siblings: Vec<_> = (0..siblings).map(sibling).collect();
        Evidence {
            receipt_digest: [11; 32],
            output_digest: [12; 32],
            request_digest: [14; 32],
            receipt_signature: [15; 64],
            voucher_signature: [16; 64],
            voucher_key: [17; 32],
            bundle: BundlePath::new(&siblings).unwrap(),
        }
    }

    #[test]
    fn evidence_round_trips_with_indexed_digests() {
        for siblings in 0..=4 {
            let written = evidence(siblings).to_bytes();
            assert_eq!(Evidence::from_bytes(&written), Some(evidence(siblings)));
            // `substr` counts from 1.
            assert_eq!(written[2 - 1..][..32], [11; 32]);
            assert_eq!(written[34 - 1..][..32], [12; 32]);
        }
        assert_eq!(evidence(0).to_bytes().len(), UNBUNDLED);
    }

    #[test]
    fn evidence_of_wrong_length_is_rejected() {
        let written = evidence(1).to_bytes();
        for length in (0..written.len()).filter(|length| *length != UNBUNDLED) {
            assert_eq!(Evidence::from_bytes(&written[..length]), None, "{length}");
        }
        assert_eq!(Evidence::from_bytes(&[&written[..], &[0]].concat()), None);
    }

    #[test]
    fn evidence_of_unknown_layout_is_rejected() {
        let written = evidence(1).to_bytes();
        assert_eq!(Evidence::from_bytes(&[b"2", &written[1..]].concat()), None);
    }
}
