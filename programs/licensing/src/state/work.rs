use anchor_lang::prelude::*;

use super::{
    Consent, Dispute, Inherited, MAX_RECIPIENTS, Model, Offer, Parent, Share, SplitChange, Verdict,
    WorkHead, check_split,
};
use crate::{bps::WHOLE_BPS, error::LicensingError};

/// What a work is. Stored as one byte, in this order: append only.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum WorkKind {
    Image,
    Recording,
    Voice,
    Text,
    Video,
    Dataset,
    StyleModel,
}

impl WorkKind {
    const ALL: [Self; 7] = [
        Self::Image,
        Self::Recording,
        Self::Voice,
        Self::Text,
        Self::Video,
        Self::Dataset,
        Self::StyleModel,
    ];

    /// The kind stored as this byte.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

/// Whether a work takes new licenses and derivatives. Stored as one byte, in this order:
/// append only.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub enum WorkStatus {
    Active,
    /// For good: what was licensed before runs out.
    Withdrawn,
    /// Until its dispute ends.
    Disputed,
}

impl WorkStatus {
    const ALL: [Self; 3] = [Self::Active, Self::Withdrawn, Self::Disputed];

    /// The status stored as this byte.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

/// A similarity-preserving digest of the content: for "looks or sounds like", never proof.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq, InitSpace)]
pub struct Fingerprint {
    /// Which algorithm made the bits; 0 for none.
    pub scheme: u16,
    /// The bits, first bit first; unused ones are zero.
    pub bits: [u8; 32],
}

/// A registered creation.
///
/// Seeds: `["work", creator, content_digest]`. With the creator in the seeds nobody can squat
/// another's digest; the same digest under two creators is a visible conflict.
///
/// Always true:
/// - `split` gives away exactly the whole;
/// - `parents` existed before this work and never change, so lineage has no cycles;
/// - the first fields are a [`WorkHead`], at fixed places.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Work {
    pub version: u8,
    pub bump: u8,
    pub kind: WorkKind,
    pub status: WorkStatus,
    /// Number of the latest terms; 0 while there are none.
    pub latest_terms: u32,
    /// Counts changes of `split`.
    pub split_version: u32,
    /// Split version that an upheld dispute set; 0 for none. What was earned under that dispute
    /// follows the verdict.
    pub verdict_version: u32,
    /// Counts the disputes there have been; while the work is disputed, the number of this one.
    pub disputes: u32,
    /// Number of the dispute that set `verdict_version`; 0 for none.
    pub verdict_dispute: u32,
    /// Unix seconds of the withdrawal; `i64::MAX` while there is none.
    pub withdrawn_at: i64,
    /// Unix seconds on chain at registration: the earlier of two equal digests was first.
    pub registered_at: i64,
    /// Registered the work; part of its address, so it never changes.
    pub creator: Pubkey,
    /// Publishes terms and approves; the creator, until ownership is handed over.
    pub owner: Pubkey,
    /// SHA-256 of the content.
    pub content_digest: [u8; 32],
    pub fingerprint: Fingerprint,
    /// SHA-256 of what `metadata_uri` points to.
    pub metadata_digest: [u8; 32],
    /// For the use of a person's voice or likeness.
    pub consent: Option<Consent>,
    /// Mint of the Token Metadata certificate, if one was issued.
    pub certificate: Option<Pubkey>,
    /// Offered the work; becomes its owner by accepting.
    pub pending_owner: Option<Pubkey>,
    pub inherited: Inherited,
    /// Of a style model, and of nothing else.
    pub model: Option<Model>,
    pub metadata_uri: String,
    pub parents: Vec<Parent>,
    pub split: Vec<Share>,
}

impl Work {
    pub const SEED: &'static [u8] = b"work";
    pub const VERSION: u8 = 1;
    pub const MAX_PARENTS: usize = 8;
    pub const MAX_URI_BYTES: usize = 200;
    /// A withdrawal ends no license earlier than this, whatever its terms say.
    pub const MIN_NOTICE_SECONDS: u32 = 86_400;
    /// Where `creator`, `owner` and `content_digest` stand in the account, for filters.
    pub const CREATOR_OFFSET: usize = 48;
    pub const OWNER_OFFSET: usize = 80;
    pub const CONTENT_DIGEST_OFFSET: usize = 112;
    /// Where `consent` stands: the last field before those whose places vary.
    pub const CONSENT_OFFSET: usize = 210;

    const FIXED_SPACE: usize = 144 + 34 + 32 + 42 + 33 + 33 + 11 + 1;

    /// Bytes of an account for a work with so many parents and recipients and so long a URI; of
    /// a model, with so long a name of what it adapts.
    pub const fn space(
        parents: usize,
        recipients: usize,
        uri_bytes: usize,
        model_name_bytes: Option<usize>,
    ) -> usize {
        let model = match model_name_bytes {
            Some(name_bytes) => Model::space(name_bytes),
            None => 0,
        };
        let lists = (4 + parents * Parent::SIZE) + (4 + recipients * Share::SIZE);
        Self::FIXED_SPACE + model + (4 + uri_bytes) + lists
    }

    /// Bytes of this work's account if it had so many recipients.
    pub fn space_with(&self, recipients: usize) -> usize {
        let name_bytes = self.model.as_ref().map(|model| model.base_model.len());
        Self::space(self.parents.len(), recipients, self.metadata_uri.len(), name_bytes)
    }

    /// The fields that other programs decide by.
    pub fn head(&self) -> WorkHead {
        WorkHead {
            kind: self.kind,
            status: self.status,
            latest_terms: self.latest_terms,
            split_version: self.split_version,
            verdict_version: self.verdict_version,
            disputes: self.disputes,
            withdrawn_at: self.withdrawn_at,
        }
    }

    /// What the work keeps for its own split, basis points of everything it earns.
    pub fn own_bps(&self) -> u16 {
        let parents_bps: u16 = self.parents.iter().map(|parent| parent.share_bps).sum();
        WHOLE_BPS - parents_bps // registration keeps the sum at or below the whole
    }

    /// Whoever says "my work" now may have to give it back.
    pub fn require_undisputed(&self) -> Result<()> {
        require!(self.status != WorkStatus::Disputed, LicensingError::WorkDisputed);
        Ok(())
    }

    /// The work offers something new.
    pub fn require_active(&self) -> Result<()> {
        self.require_undisputed()?;
        require!(self.status == WorkStatus::Active, LicensingError::WorkNotActive);
        Ok(())
    }

    /// Whether the work may offer this at `now`: itself, and by what its parents demand.
    pub fn check_offer(&self, offer: &Offer, now: i64) -> Result<()> {
        self.require_active()?;
        let consented = self.consent.is_none_or(|consent| consent.valid_at(now));
        require!(consented, LicensingError::ConsentEnded);
        let Inherited { expires_at, share_alike, non_commercial } = self.inherited;
        if let Some(end) = expires_at {
            let ends = offer.expires_at.is_some_and(|expires_at| expires_at <= end);
            require!(ends, LicensingError::TermsOutliveParent);
        }
        require!(!share_alike || offer.shares_alike(), LicensingError::NotShareAlike);
        require!(!non_commercial || !offer.commercial, LicensingError::ParentNotCommercial);
        Ok(())
    }

    /// Counts the terms about to be published; returns their number.
    pub fn number_terms(&mut self) -> Result<u32> {
        let number = self.latest_terms.checked_add(1).ok_or(LicensingError::CounterOverflow)?;
        self.latest_terms = number;
        Ok(number)
    }

    /// Offers the work to somebody, or to nobody any more.
    pub fn offer_ownership(&mut self, to: Option<Pubkey>) -> Result<()> {
        self.require_undisputed()?;
        self.pending_owner = to;
        Ok(())
    }

    /// Makes whoever the work was offered to last its owner.
    pub fn accept_ownership(&mut self, accepter: Pubkey) -> Result<()> {
        self.require_undisputed()?;
        require!(self.pending_owner == Some(accepter), LicensingError::NotOffered);
        self.owner = accepter;
        self.pending_owner = None;
        Ok(())
    }

    /// Pays by the new split from now on.
    pub fn apply_split(&mut self, change: &SplitChange) -> Result<()> {
        self.require_undisputed()?;
        change.check(self)?;
        self.set_split(change.split.clone())
    }

    /// Takes no new licenses or derivatives from now on.
    pub fn withdraw(&mut self, now: i64) -> Result<()> {
        self.require_active()?;
        self.status = WorkStatus::Withdrawn;
        self.withdrawn_at = now;
        Ok(())
    }

    /// Stands still until the claim is decided; returns what the work goes back to then.
    pub fn dispute(&mut self, claimant: &Pubkey) -> Result<WorkStatus> {
        self.require_undisputed()?;
        require!(self.owner != *claimant, LicensingError::OwnerCannotDispute);
        self.disputes = self.disputes.checked_add(1).ok_or(LicensingError::CounterOverflow)?;
        Ok(std::mem::replace(&mut self.status, WorkStatus::Disputed))
    }

    /// Goes on after a dispute.
    pub fn end_dispute(&mut self, dispute: &Dispute, verdict: Verdict) -> Result<()> {
        self.status = dispute.status_before;
        match verdict {
            Verdict::Rejected => Ok(()),
            Verdict::Upheld => self.award_to(dispute.claimant),
        }
    }

    /// Gives the work to whom it belongs: its money from now on, what is not claimed of its
    /// earnings while it was disputed, and the only right to say on which terms it is licensed.
    fn award_to(&mut self, claimant: Pubkey) -> Result<()> {
        self.number_terms()?; // never published, so that the old terms are not the latest
        self.owner = claimant;
        self.pending_owner = None;
        self.set_split(vec![Share { recipient: claimant, share_bps: WHOLE_BPS }])?;
        self.verdict_version = self.split_version;
        self.verdict_dispute = self.disputes;
        Ok(())
    }

    /// Ends the consent then, or never.
    pub fn set_consent_end(&mut self, person: &Pubkey, expires_at: Option<i64>) -> Result<()> {
        let consent = self.consent.as_mut().filter(|consent| consent.person == *person);
        consent.ok_or(LicensingError::NotConsentingPerson)?.expires_at = expires_at;
        Ok(())
    }

    fn set_split(&mut self, split: Vec<Share>) -> Result<()> {
        check_split(&split)?;
        let version = self.split_version.checked_add(1);
        self.split_version = version.ok_or(LicensingError::CounterOverflow)?;
        self.split = split;
        Ok(())
    }
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Work::space(0, 1, 0, None) == 376);
const _: () = assert!(
    Work::space(
        Work::MAX_PARENTS,
        MAX_RECIPIENTS,
        Work::MAX_URI_BYTES,
        Some(Model::MAX_NAME_BYTES)
    ) == 2_067
);

#[cfg(test)]
mod tests {
    use super::*;

    fn largest_work() -> Work {
        let share = Share { recipient: Pubkey::default(), share_bps: 1 };
        let parent = Parent { work: Pubkey::default(), share_bps: 1, terms_number: 1 };
        Work {
            version: Work::VERSION,
            bump: 255,
            kind: WorkKind::StyleModel,
            status: WorkStatus::Disputed,
            latest_terms: 0x0102_0304,
            split_version: 0x0506_0708,
            verdict_version: 0x090A_0B0C,
            disputes: 0x1516_1718,
            verdict_dispute: 0x191A_1B1C,
            withdrawn_at: -0x0D0E_0F10_1112_1314,
            registered_at: 1,
            creator: Pubkey::new_from_array([1; 32]),
            owner: Pubkey::new_from_array([2; 32]),
            content_digest: [3; 32],
            fingerprint: Fingerprint { scheme: 1, bits: [4; 32] },
            metadata_digest: [5; 32],
            consent: Some(Consent { person: Pubkey::default(), expires_at: Some(1) }),
            certificate: Some(Pubkey::default()),
            pending_owner: Some(Pubkey::default()),
            inherited: Inherited { expires_at: Some(1), share_alike: true, non_commercial: true },
            model: Some(Model {
                base_model: "m".repeat(Model::MAX_NAME_BYTES),
                training_root: [6; 32],
                previous: Some(Pubkey::default()),
            }),
            metadata_uri: "u".repeat(Work::MAX_URI_BYTES),
            parents: vec![parent; Work::MAX_PARENTS],
            split: vec![share; MAX_RECIPIENTS],
        }
    }

    fn bytes(work: &Work) -> Vec<u8> {
        let mut bytes = Vec::new();
        work.try_serialize(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_largest_work_fills_exactly_the_space_it_asks_for() {
        let largest = largest_work();
        assert_eq!(bytes(&largest).len(), Work::space(8, 32, 200, Some(64)));
        assert_eq!(bytes(&largest).len(), largest.space_with(32));
        let plain = Work { model: None, ..largest };
        assert_eq!(bytes(&plain).len(), Work::space(8, 32, 200, None));
    }

    #[test]
    fn filter_offsets_point_at_what_they_name() {
        let bytes = bytes(&largest_work());
        assert_eq!(bytes[Work::CREATOR_OFFSET..][..32], [1; 32]);
        assert_eq!(bytes[Work::OWNER_OFFSET..][..32], [2; 32]);
        assert_eq!(bytes[Work::CONTENT_DIGEST_OFFSET..][..32], [3; 32]);
        let consent = Option::<Consent>::deserialize(&mut &bytes[Work::CONSENT_OFFSET..]);
        assert_eq!(consent.unwrap(), largest_work().consent);
    }

    #[test]
    fn a_head_is_what_the_whole_work_says() {
        let work = largest_work();
        assert_eq!(WorkHead::from_bytes(&bytes(&work)), Ok(work.head()));
    }

    #[test]
    fn every_kind_and_status_is_the_byte_it_is_stored_as() {
        for (byte, kind) in (0..).zip(WorkKind::ALL) {
            assert_eq!((kind as u8, WorkKind::from_byte(byte)), (byte, Some(kind)));
        }
        for (byte, status) in (0..).zip(WorkStatus::ALL) {
            assert_eq!((status as u8, WorkStatus::from_byte(byte)), (byte, Some(status)));
        }
        assert_eq!((WorkKind::from_byte(7), WorkStatus::from_byte(3)), (None, None));
    }
}
