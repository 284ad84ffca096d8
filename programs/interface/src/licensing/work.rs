use super::{
    Award, Consent, Dispute, Inherited, LicensingError, MAX_PARENTS, MAX_RECIPIENTS,
    MAX_TITLE_BYTES, Model, Offer, Parent, Share, Verdict, WorkKind, WorkStatus, check_split,
    check_title,
};
use crate::bps::WHOLE_BPS;
use crate::codec::*;
use crate::require;
use solana_pubkey::Pubkey;

/// Similarity-preserving digest of content. It finds candidates and proves nothing.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Algorithm of the bits; 0 for no fingerprint.
    pub scheme: u16,
    /// Bits, most significant first; unused bits are zero.
    pub bits: [u8; 32],
}

impl Fingerprint {
    /// No fingerprint.
    pub const NONE: Self = Self { scheme: 0, bits: [0; 32] };
}

/// Registered creation.
///
/// Seeds: `["work", creator, content_digest]`. The creator in the seeds prevents squatting of a
/// digest; the same digest under two creators is a visible conflict.
///
/// Invariants:
/// - the shares of `split` add up to the whole;
/// - `parents` existed before this work and never change, so lineage has no cycles;
/// - the first fields are a [`WorkHead`](super::WorkHead), at fixed offsets.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Kind of content.
    pub kind: WorkKind,
    /// Whether the work takes new licenses and derivatives.
    pub status: WorkStatus,
    /// Number of the latest terms; 0 before the first.
    pub latest_terms: u32,
    /// Number of changes of `split`.
    pub split_version: u32,
    /// Split version that an upheld dispute set; 0 for none. Earnings contested by that dispute
    /// follow the verdict.
    pub verdict_version: u32,
    /// Number of disputes so far, an open one included.
    pub disputes: u32,
    /// Number of the dispute that set `verdict_version`; 0 for none.
    pub verdict_dispute: u32,
    /// Number of terms that the last upheld dispute skipped; 0 for none. The notice of licenses
    /// under earlier terms is the minimum.
    pub verdict_terms: u32,
    /// Whether that dispute replaced the owner's share of the split only.
    pub verdict_keeps_recipients: bool,
    /// Time of the withdrawal, unix seconds; `i64::MAX` if not withdrawn.
    pub withdrawn_at: i64,
    /// On-chain time of the registration, unix seconds; of equal digests the earlier was first.
    pub registered_at: i64,
    /// Key that registered the work; part of the address, so it never changes.
    pub creator: Pubkey,
    /// Key that publishes terms and grants approvals; initially the creator.
    pub owner: Pubkey,
    /// SHA-256 of the content.
    pub content_digest: [u8; 32],
    /// Fingerprint of the content.
    pub fingerprint: Fingerprint,
    /// SHA-256 of the document at `metadata_uri`.
    pub metadata_digest: [u8; 32],
    /// Consent to the use of a person's voice or likeness.
    pub consent: Option<Consent>,
    /// Mint of the Token Metadata certificate; `None` before it is issued.
    pub certificate: Option<Pubkey>,
    /// Key that may accept the ownership.
    pub pending_owner: Option<Pubkey>,
    /// Conditions of the parents' terms.
    pub inherited: Inherited,
    /// Origin of a style model; `None` for every other kind.
    pub model: Option<Model>,
    /// Title that lists show, as the owner states it; possibly empty.
    pub title: String,
    /// Location of the metadata.
    pub metadata_uri: String,
    /// Works that this one derives from.
    pub parents: Vec<Parent>,
    /// Current split.
    pub split: Vec<Share>,
}

impl Work {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"work";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Maximum number of parents.
    pub const MAX_PARENTS: usize = MAX_PARENTS;
    /// Maximum length of `metadata_uri`.
    pub const MAX_URI_BYTES: usize = 200;
    /// Minimum time from a withdrawal to the end of a license, if its terms state less notice.
    pub const MIN_NOTICE_SECONDS: u32 = 86_400;
    /// Offset of `creator` in the account, for RPC filters.
    pub const CREATOR_OFFSET: usize = 53;
    /// Offset of `owner` in the account.
    pub const OWNER_OFFSET: usize = 85;
    /// Offset of `content_digest` in the account.
    pub const CONTENT_DIGEST_OFFSET: usize = 117;
    /// Offset of `consent`, the last field at a fixed offset.
    pub const CONSENT_OFFSET: usize = 215;

    const FIXED_SPACE: usize = 149 + 34 + 32 + 42 + 33 + 33 + 11 + 1;

    /// Returns the bytes of an account for a work with these numbers and lengths.
    /// `model_name_bytes` is `None` unless the work is a style model.
    pub const fn space(
        parents: usize,
        recipients: usize,
        title_bytes: usize,
        uri_bytes: usize,
        model_name_bytes: Option<usize>,
    ) -> usize {
        let model = match model_name_bytes {
            Some(name_bytes) => Model::space(name_bytes),
            None => 0,
        };
        let lists = (4 + parents * Parent::SIZE) + (4 + recipients * Share::SIZE);
        Self::FIXED_SPACE + model + (4 + title_bytes) + (4 + uri_bytes) + lists
    }

    /// Returns the bytes of this work's account with a split of `recipients`.
    pub fn space_with(&self, recipients: usize) -> usize {
        self.space_of(recipients, self.title.len(), self.metadata_uri.len())
    }

    /// Returns the bytes of this work's account with a title and a URI of these lengths.
    pub fn space_with_metadata(&self, title_bytes: usize, uri_bytes: usize) -> usize {
        self.space_of(self.split.len(), title_bytes, uri_bytes)
    }

    fn space_of(&self, recipients: usize, title_bytes: usize, uri_bytes: usize) -> usize {
        let name_bytes = self.model.as_ref().map(|model| model.base_model.len());
        Self::space(self.parents.len(), recipients, title_bytes, uri_bytes, name_bytes)
    }

    /// Replaces title and metadata.
    ///
    /// # Errors
    /// [`LicensingError::WorkDisputed`], or an error of [`UpdateMetadataArgs::check`].
    pub fn update_metadata(&mut self, new: UpdateMetadataArgs) -> Result<(), LicensingError> {
        self.require_undisputed()?;
        new.check()?;
        let UpdateMetadataArgs { title, metadata_uri, metadata_digest } = new;
        self.title = title;
        self.metadata_uri = metadata_uri;
        self.metadata_digest = metadata_digest;
        Ok(())
    }

    /// Returns the share of everything the work earns that its own split divides, basis points.
    pub fn own_bps(&self) -> u16 {
        let parents_bps: u16 = self.parents.iter().map(|parent| parent.share_bps).sum();
        WHOLE_BPS - parents_bps // at most the whole, since registration
    }

    /// Checks that no dispute is open. Ownership may change while one is.
    ///
    /// # Errors
    /// [`LicensingError::WorkDisputed`].
    pub fn require_undisputed(&self) -> Result<(), LicensingError> {
        require!(self.status != WorkStatus::Disputed, LicensingError::WorkDisputed);
        Ok(())
    }

    /// Checks that the work takes new licenses and derivatives.
    ///
    /// # Errors
    /// [`LicensingError::WorkDisputed`], [`LicensingError::WorkNotActive`].
    pub fn require_active(&self) -> Result<(), LicensingError> {
        self.require_undisputed()?;
        require!(self.status == WorkStatus::Active, LicensingError::WorkNotActive);
        Ok(())
    }

    /// Checks that the work may publish `offer` at `now`: by its own state and by the conditions
    /// it inherited.
    ///
    /// # Errors
    /// [`LicensingError::WorkDisputed`], [`LicensingError::WorkNotActive`],
    /// [`LicensingError::ConsentEnded`], [`LicensingError::TermsOutliveParent`],
    /// [`LicensingError::NotShareAlike`], [`LicensingError::ParentNotCommercial`].
    pub fn check_offer(&self, offer: &Offer, now: i64) -> Result<(), LicensingError> {
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

    /// Increments the number of the latest terms and returns it.
    ///
    /// # Errors
    /// [`LicensingError::CounterOverflow`].
    pub fn number_terms(&mut self) -> Result<u32, LicensingError> {
        let number = self.latest_terms.checked_add(1).ok_or(LicensingError::CounterOverflow)?;
        self.latest_terms = number;
        Ok(number)
    }

    /// Sets the key that may accept the ownership; `None` revokes an offer.
    ///
    /// # Errors
    /// [`LicensingError::WorkDisputed`].
    pub fn offer_ownership(&mut self, to: Option<Pubkey>) -> Result<(), LicensingError> {
        self.require_undisputed()?;
        self.pending_owner = to;
        Ok(())
    }

    /// Makes the pending owner the owner, if the work is as the owner expects it.
    ///
    /// # Errors
    /// [`LicensingError::WorkDisputed`], [`LicensingError::NotOffered`] if `accepter` is not the
    /// pending owner, [`LicensingError::WorkChanged`].
    pub fn accept_ownership(
        &mut self,
        accepter: Pubkey,
        expected: &AcceptOwnershipArgs,
    ) -> Result<(), LicensingError> {
        self.require_undisputed()?;
        require!(self.pending_owner == Some(accepter), LicensingError::NotOffered);
        require!(*expected == AcceptOwnershipArgs::of(self), LicensingError::WorkChanged);
        self.owner = accepter;
        self.pending_owner = None;
        Ok(())
    }

    /// Withdraws the work permanently.
    ///
    /// # Errors
    /// [`LicensingError::WorkDisputed`], [`LicensingError::WorkNotActive`].
    pub fn withdraw(&mut self, now: i64) -> Result<(), LicensingError> {
        self.require_active()?;
        self.status = WorkStatus::Withdrawn;
        self.withdrawn_at = now;
        Ok(())
    }

    /// Opens a dispute and returns the status to restore at its end.
    ///
    /// # Errors
    /// [`LicensingError::WorkDisputed`], [`LicensingError::OwnerCannotDispute`].
    pub fn dispute(&mut self, claimant: &Pubkey) -> Result<WorkStatus, LicensingError> {
        self.require_undisputed()?;
        require!(self.owner != *claimant, LicensingError::OwnerCannotDispute);
        self.disputes = self.disputes.checked_add(1).ok_or(LicensingError::CounterOverflow)?;
        Ok(std::mem::replace(&mut self.status, WorkStatus::Disputed))
    }

    /// Ends a dispute: restores the status, and transfers the work if the claim is upheld.
    ///
    /// # Errors
    /// [`LicensingError::CounterOverflow`].
    pub fn end_dispute(
        &mut self,
        dispute: &Dispute,
        verdict: Verdict,
    ) -> Result<(), LicensingError> {
        self.status = dispute.status_before;
        match verdict {
            Verdict::Rejected => Ok(()),
            Verdict::Upheld(award) => self.award_to(dispute.claimant, award),
        }
    }

    /// Transfers the work to the claimant: ownership, future earnings and contested earnings, as
    /// far as the award says. The old terms cease to be the latest.
    fn award_to(&mut self, claimant: Pubkey, award: Award) -> Result<(), LicensingError> {
        // Skips a number, so that the old terms are not the latest.
        self.verdict_terms = self.number_terms()?;
        self.drop_parents(award);
        let split = if award.keeps_recipients {
            self.split_with(claimant)
        } else {
            vec![Share { recipient: claimant, share_bps: WHOLE_BPS }]
        };
        self.owner = claimant;
        self.pending_owner = None;
        self.set_split(split)?;
        self.verdict_version = self.split_version;
        self.verdict_dispute = self.disputes;
        self.verdict_keeps_recipients = award.keeps_recipients;
        Ok(())
    }

    /// Takes the shares of parents that an award does not keep. They stay in the list, where
    /// earnings find them by position. What the parents' terms demand is not told apart, so it ends
    /// with the last parent.
    fn drop_parents(&mut self, award: Award) {
        let mut kept = false;
        for (position, parent) in self.parents.iter_mut().enumerate() {
            if award.keeps_parent(position) {
                kept = true;
            } else {
                parent.share_bps = 0;
            }
        }
        if !kept {
            self.inherited = Inherited::default();
        }
    }

    /// Returns the split with the claimant in the owner's place, in addition to its own share.
    fn split_with(&self, claimant: Pubkey) -> Vec<Share> {
        let mut split = self.split.clone();
        let place = |split: &[Share], key| split.iter().position(|share| share.recipient == key);
        let Some(owner) = place(&split, self.owner) else { return split };
        if place(&split, claimant).is_some() {
            let share_bps = split.remove(owner).share_bps;
            for share in split.iter_mut().filter(|share| share.recipient == claimant) {
                share.share_bps += share_bps; // both are parts of the whole
            }
        } else {
            split[owner].recipient = claimant;
        }
        split
    }

    /// Sets the last unix second of the consent; `None` for no expiry.
    ///
    /// # Errors
    /// [`LicensingError::NotConsentingPerson`].
    pub fn set_consent_end(
        &mut self,
        person: &Pubkey,
        expires_at: Option<i64>,
    ) -> Result<(), LicensingError> {
        let consent = self.consent.as_mut().filter(|consent| consent.person == *person);
        consent.ok_or(LicensingError::NotConsentingPerson)?.expires_at = expires_at;
        Ok(())
    }

    pub(super) fn set_split(&mut self, split: Vec<Share>) -> Result<(), LicensingError> {
        check_split(&split)?;
        let version = self.split_version.checked_add(1);
        self.split_version = version.ok_or(LicensingError::CounterOverflow)?;
        self.split = split;
        Ok(())
    }
}

// The layout of existing accounts never changes.
const _: () = assert!(Work::space(0, 1, 0, 0, None) == 385);
const _: () = assert!(
    Work::space(
        Work::MAX_PARENTS,
        MAX_RECIPIENTS,
        MAX_TITLE_BYTES,
        Work::MAX_URI_BYTES,
        Some(Model::MAX_NAME_BYTES)
    ) == 2_140
);

/// Arguments of `update_metadata`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct UpdateMetadataArgs {
    /// Title that lists show, at most 64 bytes; possibly empty.
    pub title: String,
    /// Location of the metadata.
    pub metadata_uri: String,
    /// SHA-256 of the document at `metadata_uri`.
    pub metadata_digest: [u8; 32],
}

impl UpdateMetadataArgs {
    /// Returns the arguments that change nothing about a work.
    pub fn of(work: &Work) -> Self {
        Self {
            title: work.title.clone(),
            metadata_uri: work.metadata_uri.clone(),
            metadata_digest: work.metadata_digest,
        }
    }

    /// Checks title and URI.
    ///
    /// # Errors
    /// [`LicensingError::UriTooLong`], or an error of [`check_title`].
    pub fn check(&self) -> Result<(), LicensingError> {
        require!(self.metadata_uri.len() <= Work::MAX_URI_BYTES, LicensingError::UriTooLong);
        check_title(&self.title)
    }
}

/// Arguments of `accept_ownership`: the work as the new owner has read it.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptOwnershipArgs {
    /// Expected status.
    pub status: WorkStatus,
    /// Expected number of the latest terms.
    pub latest_terms: u32,
    /// Expected version of the split.
    pub split_version: u32,
}

impl AcceptOwnershipArgs {
    /// Returns the arguments that accept a work as it is.
    pub fn of(work: &Work) -> Self {
        let Work { status, latest_terms, split_version, .. } = *work;
        Self { status, latest_terms, split_version }
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;
    use crate::licensing::WorkHead;

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
            verdict_terms: 0x1D1E_1F20,
            verdict_keeps_recipients: true,
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
            title: "t".repeat(MAX_TITLE_BYTES),
            metadata_uri: "u".repeat(Work::MAX_URI_BYTES),
            parents: vec![parent; Work::MAX_PARENTS],
            split: vec![share; MAX_RECIPIENTS],
        }
    }

    fn bytes(work: &Work) -> Vec<u8> {
        let mut bytes = Work::DISCRIMINATOR.to_vec();
        borsh::to_writer(&mut bytes, work).unwrap();
        bytes
    }

    #[test]
    fn largest_work_fills_its_space() {
        let largest = largest_work();
        assert_eq!(bytes(&largest).len(), Work::space(8, 32, 64, 200, Some(64)));
        assert_eq!(bytes(&largest).len(), largest.space_with(32));
        let plain = Work { model: None, ..largest };
        assert_eq!(bytes(&plain).len(), Work::space(8, 32, 64, 200, None));
    }

    #[test]
    fn offsets_point_at_their_fields() {
        let bytes = bytes(&largest_work());
        assert_eq!(bytes[Work::CREATOR_OFFSET..][..32], [1; 32]);
        assert_eq!(bytes[Work::OWNER_OFFSET..][..32], [2; 32]);
        assert_eq!(bytes[Work::CONTENT_DIGEST_OFFSET..][..32], [3; 32]);
        let consent = Option::<Consent>::deserialize(&mut &bytes[Work::CONSENT_OFFSET..]);
        assert_eq!(consent.unwrap(), largest_work().consent);
    }

    #[test]
    fn head_matches_whole_work() {
        let work = largest_work();
        assert_eq!(WorkHead::from_bytes(&bytes(&work)), Ok(work.head()));
    }

    #[test]
    fn kinds_and_statuses_match_their_bytes() {
        for (byte, &kind) in (0..).zip(WorkKind::VARIANTS) {
            assert_eq!((kind as u8, WorkKind::from_byte(byte)), (byte, Some(kind)));
        }
        for (byte, &status) in (0..).zip(WorkStatus::VARIANTS) {
            assert_eq!((status as u8, WorkStatus::from_byte(byte)), (byte, Some(status)));
        }
        assert_eq!((WorkKind::from_byte(7), WorkStatus::from_byte(3)), (None, None));
    }

    fn work_of(split: &[(u8, u16)], parents: &[u16]) -> Work {
        let key = |number: u8| Pubkey::new_from_array([number; 32]);
        let share = |&(number, share_bps): &(u8, u16)| Share { recipient: key(number), share_bps };
        let parent = |&share_bps: &u16| Parent { work: key(99), share_bps, terms_number: 1 };
        Work {
            owner: key(1),
            status: WorkStatus::Active,
            parents: parents.iter().map(parent).collect(),
            split: split.iter().map(share).collect(),
            ..largest_work()
        }
    }

    #[test]
    fn award_replaces_owners_share_only() {
        let claimant = Pubkey::new_from_array([9; 32]);
        let award = Award { kept_parents: u8::MAX, keeps_recipients: true };
        let cases: [(&[_], &[_]); 3] = [
            (&[(1, 6_000), (2, 4_000)], &[(9, 6_000), (2, 4_000)]),
            (&[(2, 4_000), (9, 1_000), (1, 5_000)], &[(2, 4_000), (9, 6_000)]),
            (&[(2, 10_000)], &[(2, 10_000)]),
        ];
        for (before, after) in cases {
            let mut work = work_of(before, &[]);
            work.award_to(claimant, award).unwrap();
            assert_eq!(work.split, work_of(after, &[]).split);
            assert_eq!((work.owner, work.verdict_keeps_recipients), (claimant, true));
        }
    }

    #[test]
    fn award_drops_parents() {
        let claimant = Pubkey::new_from_array([9; 32]);
        let shares = |work: &Work| work.parents.iter().map(|p| p.share_bps).collect::<Vec<_>>();
        let mut work = work_of(&[(1, 10_000)], &[9_000, 500]);
        let inherited = work.inherited;
        work.award_to(claimant, Award { kept_parents: 0b10, keeps_recipients: false }).unwrap();
        assert_eq!((shares(&work), work.own_bps()), (vec![0, 500], 9_500));
        assert_eq!(work.inherited, inherited);
        work.award_to(claimant, Award { kept_parents: 0, keeps_recipients: false }).unwrap();
        assert_eq!((shares(&work), work.own_bps()), (vec![0, 0], 10_000));
        assert_eq!(work.inherited, Inherited::default());
    }
}
