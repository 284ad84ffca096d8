use motif_interface::licensing::{Fingerprint, Work};
use solana_pubkey::Pubkey;

/// What of a work's account it takes to recognise the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Where the work is.
    pub work: Pubkey,
    /// Unix seconds on chain.
    pub registered_at: i64,
    /// SHA-256 of its content.
    pub content_digest: [u8; 32],
    /// What its content looks, sounds or reads like.
    pub fingerprint: Fingerprint,
}

/// Where `registered_at` stands in a work's account, 8 bytes before the creator.
const REGISTERED_AT: usize = Work::CREATOR_OFFSET - 8;
/// Where the fingerprint stands: its scheme, and then its bits.
const FINGERPRINT: usize = Work::CONTENT_DIGEST_OFFSET + 32;

impl Registered {
    /// Bytes of a work's account that this reads.
    pub const HEAD_BYTES: usize = FINGERPRINT + 2 + 32;

    /// Reads the first bytes of an account; `None` when it is no work.
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

    /// As [`Registered::from_head`], of a work that was read already.
    pub fn of(address: Pubkey, work: &Work) -> Self {
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
            metadata_uri: String::new(),
            parents: Vec::new(),
            split: vec![Share { recipient: Pubkey::default(), share_bps: 10_000 }],
        };
        let mut account = Work::DISCRIMINATOR.to_vec();
        borsh::to_writer(&mut account, &work).unwrap();
        let address = Pubkey::new_from_array([16; 32]);
        assert_eq!(Registered::from_head(address, &account), Some(Registered::of(address, &work)));
        assert_eq!(Registered::from_head(address, &account[..Registered::HEAD_BYTES - 1]), None);
        account[0] ^= 1;
        assert_eq!(Registered::from_head(address, &account), None, "another kind of account");
    }
}
