use motif_interface::licensing::{Fingerprint, Work};
use solana_pubkey::Pubkey;

/// Index entry of a registered work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Address of the work.
    pub work: Pubkey,
    /// On-chain unix second of registration.
    pub registered_at: i64,
    /// SHA-256 of the content.
    pub content_digest: [u8; 32],
    /// Fingerprint of the content.
    pub fingerprint: Fingerprint,
}

/// Offset of `registered_at` in a work's account, 8 bytes before the creator.
const REGISTERED_AT: usize = Work::CREATOR_OFFSET - 8;
/// Offset of the fingerprint: scheme, then bits.
const FINGERPRINT: usize = Work::CONTENT_DIGEST_OFFSET + 32;

impl Registered {
    /// Number of bytes of a work's account that an entry is read from.
    pub const HEAD_BYTES: usize = FINGERPRINT + 2 + 32;

    /// Parses the first bytes of an account; returns `None` if it is not a work.
    pub fn from_head(work: Pubkey, head: &[u8]) -> Option<Self> {
        let head = head.get(..Self::HEAD_BYTES)?;
        if !head.starts_with(Work::DISCRIMINATOR) {
            return None;
        }
        let fingerprint = Fingerprint {
            scheme: u16::from_le_bytes(bytes(head, FINGERPRINT)?),
            bits: bytes(head, FINGERPRINT + 2)?,
        };
        Some(Self {
            work,
            registered_at: i64::from_le_bytes(bytes(head, REGISTERED_AT)?),
            content_digest: bytes(head, Work::CONTENT_DIGEST_OFFSET)?,
            fingerprint,
        })
    }

    /// Creates the entry of a deserialized work.
    pub fn from_work(address: Pubkey, work: &Work) -> Self {
        Self {
            work: address,
            registered_at: work.registered_at,
            content_digest: work.content_digest,
            fingerprint: work.fingerprint,
        }
    }
}

fn bytes<const N: usize>(head: &[u8], at: usize) -> Option<[u8; N]> {
    head.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use motif_interface::licensing::{Inherited, Share, WorkKind, WorkStatus};

    use super::*;

    #[test]
    fn account_head_matches_whole_work() {
        let work = Work {
            version: 1,
            bump: 2,
            kind: WorkKind::Image,
            status: WorkStatus::Active,
            latest_terms: 3,
            split_version: 4,
            verdict_version: 5,
            disputes: 6,
            verdict_dispute: 7,
            verdict_terms: 0,
            verdict_keeps_recipients: false,
            withdrawn_at: i64::MAX,
            registered_at: -8,
            creator: Pubkey::new_from_array([9; 32]),
            owner: Pubkey::new_from_array([10; 32]),
            content_digest: [11; 32],
            fingerprint: Fingerprint { scheme: 0x0C0D, bits: [14; 32] },
            metadata_digest: [15; 32],
            consent: None,
            certificate: None,
            pending_owner: None,
            inherited: Inherited::default(),
            model: None,
            title: String::new(),
            metadata_uri: String::new(),
            parents: Vec::new(),
            split: vec![Share { recipient: Pubkey::default(), share_bps: 10_000 }],
        };
        let mut account = Work::DISCRIMINATOR.to_vec();
        borsh::to_writer(&mut account, &work).unwrap();
        let address = Pubkey::new_from_array([16; 32]);
        assert_eq!(
            Registered::from_head(address, &account),
            Some(Registered::from_work(address, &work))
        );
        assert_eq!(Registered::from_head(address, &account[..Registered::HEAD_BYTES - 1]), None);
        account[0] ^= 1;
        assert_eq!(Registered::from_head(address, &account), None, "another kind of account");
    }
}
