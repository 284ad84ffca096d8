use bytemuck::{Pod, Zeroable};
use solana_pubkey::Pubkey;

use super::PaymentsError;
use crate::{
    bps::floor_share,
    licensing::{Parent, Share, WorkHead, WorkStatus},
    require,
};

/// Earnings of a work in one currency, and the amounts its parties have taken.
///
/// Seeds: `["earnings", work, mint]`. The parts, one [`Part`] each, follow this header in the
/// same account: the parents, then the recipients of the current split in its order, then former
/// recipients with unpaid entitlements. Parts of zeros at the end are unused.
///
/// Invariant: the entitlements of all parts, and so the amounts taken, add up to at most `earned`.
/// An entitlement is a floor of a growing total: it never falls, except for earnings that an
/// upheld dispute contested.
#[cfg_attr(feature = "idl-build", anchor_lang::zero_copy)]
#[cfg_attr(not(feature = "idl-build"), derive(Clone, Copy, Pod, Zeroable), repr(C))]
#[derive(Debug)]
pub struct Earnings {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Number of parents' parts.
    pub parents: u8,
    /// Zero.
    pub reserved: u8,
    /// Version of the work's split that the parts follow.
    pub split_version: u32,
    /// Work that earns.
    pub work: Pubkey,
    /// Mint of all amounts.
    pub mint: Pubkey,
    /// Total earned, base units of `mint` like all amounts here.
    pub earned: u64,
    /// Total entitlement of all recipients, former ones included, at the start of the current
    /// split.
    pub own_before: u64,
    /// Share of everything earned that the parents leave.
    pub own_bps: u16,
    /// Zeros.
    pub reserved_too: [u8; 2],
    /// Number of the work's dispute that was applied last; 0 for none.
    pub dispute: u32,
    /// Value of `own()` when that dispute was applied, or at a later claim outside of disputes: a
    /// later dispute contests later earnings only.
    pub own_contested: u64,
}

/// One party's part of a work's earnings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Part {
    /// Parent work or recipient.
    pub key: Pubkey,
    /// Recipient's entitlement at the start of the current split; 0 for a parent.
    pub entitled_before: u64,
    /// Amount pulled or claimed, base units.
    pub taken: u64,
    /// Share of everything earned for a parent, of the work's own earnings for a recipient; 0 for
    /// a former recipient.
    pub share_bps: u16,
    /// Zeros.
    pub reserved: [u8; 6],
}

impl Part {
    /// Bytes of a part.
    pub const SIZE: usize = size_of::<Self>();
}

impl Earnings {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"earnings";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Bytes before the parts.
    pub const HEADER_SPACE: usize = 8 + size_of::<Self>();
    /// Maximum number of parts after a change that the work's recipients agreed to: parents,
    /// recipients and former recipients together. A verdict is applied whatever the number.
    pub const MAX_PARTS: usize = 96;
    /// Offset of `work` in the account, for RPC filters.
    pub const WORK_OFFSET: usize = 16;
    /// Offset of `mint` in the account, for RPC filters.
    pub const MINT_OFFSET: usize = 48;

    /// Returns the bytes of an account with `parts`.
    pub const fn space(parts: usize) -> usize {
        Self::HEADER_SPACE + parts * Part::SIZE
    }

    /// Adds to the earnings.
    ///
    /// # Errors
    /// [`PaymentsError::Overflow`].
    pub fn credit(&mut self, amount: u64) -> Result<(), PaymentsError> {
        self.earned = self.earned.checked_add(amount).ok_or(PaymentsError::Overflow)?;
        Ok(())
    }

    /// Returns the work's own earnings, which the parents leave, base units.
    pub fn own(&self) -> u64 {
        floor_share(self.earned, self.own_bps)
    }

    /// Returns the total entitlement of the part at `position`, base units.
    pub fn entitled(&self, position: usize, part: &Part) -> u64 {
        if position < usize::from(self.parents) {
            floor_share(self.earned, part.share_bps)
        } else {
            self.entitled_of(self.own(), part)
        }
    }

    /// Returns a recipient's entitlement to the first `own` base units of the work's own earnings.
    pub fn entitled_of(&self, own: u64, part: &Part) -> u64 {
        // All recipients together get at most `own`, so the sum does not wrap.
        part.entitled_before + floor_share(own.saturating_sub(self.own_before), part.share_bps)
    }

    /// Returns the part of the work's own earnings that recipients can claim: while the work is
    /// disputed, the earnings before the dispute was applied.
    ///
    /// # Errors
    /// [`PaymentsError::DisputeNotApplied`] if the open dispute was not applied to this account.
    pub fn claimable(&self, work: &WorkHead) -> Result<u64, PaymentsError> {
        if work.status != WorkStatus::Disputed {
            return Ok(self.own());
        }
        require!(self.dispute == work.disputes, PaymentsError::DisputeNotApplied);
        Ok(self.own_contested)
    }

    /// Returns whether an upheld dispute lies between the split that the parts follow and the
    /// work's current one.
    pub fn verdict_pending(&self, work: &WorkHead) -> bool {
        work.verdict_version > self.split_version
    }

    /// Applies the work's open dispute: later earnings are contested. The account may follow an
    /// earlier split that its recipients agreed to change, but not one that a verdict has ended.
    ///
    /// # Errors
    /// [`PaymentsError::WorkNotDisputed`], [`PaymentsError::DisputeApplied`],
    /// [`PaymentsError::SplitNotApplied`].
    pub fn contest(&mut self, work: &WorkHead) -> Result<(), PaymentsError> {
        require!(work.status == WorkStatus::Disputed, PaymentsError::WorkNotDisputed);
        require!(self.dispute != work.disputes, PaymentsError::DisputeApplied);
        require!(!self.verdict_pending(work), PaymentsError::SplitNotApplied);
        self.own_contested = self.own();
        self.dispute = work.disputes;
        Ok(())
    }
}

/// Header and parts of an earnings account, for changes.
pub struct Book<'a> {
    /// Header.
    pub earnings: &'a mut Earnings,
    /// Parts, unused ones included.
    pub parts: &'a mut [Part],
}

impl Book<'_> {
    /// Records the unpulled entitlement of `parent` as pulled and returns it.
    ///
    /// # Errors
    /// [`PaymentsError::ParentNotFound`], [`PaymentsError::NothingToClaim`].
    pub fn pull(&mut self, parent: &Pubkey) -> Result<u64, PaymentsError> {
        let parents = usize::from(self.earnings.parents);
        let mut parts = self.parts[..parents].iter_mut().enumerate();
        let part = parts.find(|(_, part)| part.key == *parent);
        let (_, part) = part.ok_or(PaymentsError::ParentNotFound)?;
        let new = floor_share(self.earnings.earned, part.share_bps) - part.taken; // never falls
        require!(new > 0, PaymentsError::NothingToClaim);
        part.taken += new;
        Ok(new)
    }

    /// Records the unclaimed entitlement of `recipient` to the first `own` base units of the
    /// work's own earnings as claimed and returns it; 0 if all is claimed. `position` is a hint: a
    /// change of split may have moved the recipient.
    ///
    /// # Errors
    /// [`PaymentsError::RecipientNotFound`].
    pub fn claim(
        &mut self,
        own: u64,
        position: usize,
        recipient: &Pubkey,
    ) -> Result<u64, PaymentsError> {
        let parents = usize::from(self.earnings.parents);
        let here = |part: &Part| part.key == *recipient;
        let position = if position >= parents && self.parts.get(position).is_some_and(here) {
            position
        } else {
            let found = self.parts[parents..].iter().position(here);
            parents + found.ok_or(PaymentsError::RecipientNotFound)?
        };
        let part = &mut self.parts[position];
        // `own` never falls below the amount claimed from, so neither does the entitlement.
        let new = self.earnings.entitled_of(own, part) - part.taken;
        part.taken += new;
        Ok(new)
    }
}

/// Returns the parts of a new earnings account.
pub fn first_parts(parents: &[Parent], split: &[Share]) -> Vec<Part> {
    let parents = parents.iter().map(|parent| Part {
        key: parent.work,
        share_bps: parent.share_bps,
        ..Part::default()
    });
    parents.chain(split.iter().map(new_recipient)).collect()
}

/// Earnings after a change of split.
#[derive(Debug, PartialEq, Eq)]
pub struct Resplit {
    /// New value of [`Earnings::own_before`].
    pub own_before: u64,
    /// New parts.
    pub parts: Vec<Part>,
}

/// Returns the parts after a change to `split`.
///
/// Earlier earnings stay with the old split: `entitled_before` becomes the entitlement so far, and
/// the new shares apply to later earnings and to the old split's dust.
///
/// If an upheld dispute lies in between (`judged`), the contested earnings go to the new split:
/// `entitled_before` becomes the entitlement to what the account knows to be from before the
/// dispute, [`Earnings::own_contested`], and is at least the amount taken. For a dispute that was
/// never applied to the account, that is what was earned before an earlier dispute or claim. The
/// parts may then be more than [`Earnings::MAX_PARTS`]: until a verdict is applied, nothing can be
/// claimed.
///
/// # Errors
/// [`PaymentsError::TooManyParties`] if not `judged`; pay former recipients first, so that they are
/// dropped. [`PaymentsError::Overflow`].
pub fn resplit(
    earnings: &Earnings,
    parts: &[Part],
    split: &[Share],
    judged: bool,
) -> Result<Resplit, PaymentsError> {
    let parents = usize::from(earnings.parents);
    let mut own_before = earnings.own_before;
    let mut old = Vec::with_capacity(parts.len());
    for (position, part) in parts.iter().enumerate().skip(parents) {
        let entitled = if judged {
            earnings.entitled_of(earnings.own_contested, part).max(part.taken)
        } else {
            earnings.entitled(position, part)
        };
        // The sum contains every recipient's `entitled_before`, those of dropped ones included.
        own_before -= part.entitled_before;
        own_before = own_before.checked_add(entitled).ok_or(PaymentsError::Overflow)?;
        old.push(Part { entitled_before: entitled, share_bps: 0, ..*part });
    }
    let mut new = parts[..parents].to_vec();
    for share in split {
        let known = old.iter().position(|part| part.key == share.recipient);
        new.push(match known {
            Some(position) => Part { share_bps: share.share_bps, ..old.swap_remove(position) },
            None => new_recipient(share),
        });
    }
    new.extend(old.into_iter().filter(|part| part.taken < part.entitled_before));
    let fits = judged || new.len() <= Earnings::MAX_PARTS;
    require!(fits, PaymentsError::TooManyParties);
    Ok(Resplit { own_before, parts: new })
}

fn new_recipient(share: &Share) -> Part {
    Part { key: share.recipient, share_bps: share.share_bps, ..Part::default() }
}

/// An earnings account with its parts, as read from a cluster.
#[derive(Clone, Debug)]
pub struct EarningsAccount {
    /// Work, currency and totals.
    pub earnings: Earnings,
    /// Parents' parts of everything earned.
    pub parents: Vec<Part>,
    /// Recipients' parts of what the parents leave: first those of the current split, then former
    /// recipients with unpaid entitlements.
    pub recipients: Vec<Part>,
}

impl EarningsAccount {
    /// Reads an account's data; returns `None` if it is not an earnings account. The caller checks
    /// the account's owner.
    pub fn from_bytes(data: &[u8]) -> Option<Self> {
        let body = data.strip_prefix(Earnings::DISCRIMINATOR)?;
        let (header, parts) = body.split_at_checked(size_of::<Earnings>())?;
        let (parts, rest) = parts.as_chunks::<{ Part::SIZE }>();
        let earnings: Earnings = bytemuck::pod_read_unaligned(header);
        let mut parents: Vec<Part> =
            parts.iter().map(|bytes| bytemuck::pod_read_unaligned(bytes)).collect();
        if !rest.is_empty() || parents.len() < usize::from(earnings.parents) {
            return None;
        }
        let mut recipients = parents.split_off(usize::from(earnings.parents));
        // Unused parts at the end are zeros.
        while recipients.last().is_some_and(|part| *part == Part::default()) {
            recipients.pop();
        }
        Some(Self { earnings, parents, recipients })
    }

    /// Returns the total entitlement of the parent at `position`, base units.
    pub fn parent_entitled(&self, position: usize) -> u64 {
        self.parents.get(position).map_or(0, |part| self.earnings.entitled(position, part))
    }

    /// Returns the total entitlement of the recipient at `position`, base units.
    pub fn entitled(&self, position: usize) -> u64 {
        let at = self.parents.len() + position;
        self.recipients.get(position).map_or(0, |part| self.earnings.entitled(at, part))
    }

    /// Returns the amount that the recipient at `position` can claim now, base units. `work` is the
    /// head of the work's account. Excludes earnings contested by an open dispute that has been
    /// applied to this account.
    pub fn claimable(&self, position: usize, work: &WorkHead) -> u64 {
        let Some(part) = self.recipients.get(position) else { return 0 };
        let own = self.earnings.claimable(work).unwrap_or_else(|_| self.earnings.own());
        self.earnings.entitled_of(own, part).saturating_sub(part.taken)
    }

    /// Returns the position of a recipient, or `None` if it has no part.
    pub fn position(&self, recipient: &Pubkey) -> Option<usize> {
        self.recipients.iter().position(|part| part.key == *recipient)
    }
}

// The layout of existing accounts never changes.
const _: () = assert!(Part::SIZE == 56);
const _: () = assert!(Earnings::HEADER_SPACE == 112);
const _: () = assert!(Earnings::space(1) == 168);

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    fn share((number, bps): (u8, u16)) -> Share {
        Share { recipient: key(number), share_bps: bps }
    }

    /// Earnings with these parents, keys from 100, and recipients, keys from 0.
    struct Account {
        earnings: Earnings,
        parts: Vec<Part>,
    }

    impl Account {
        fn new(parents_bps: &[u16], split_bps: &[u16]) -> Self {
            let parents = parents_bps.iter().zip(100..);
            let parents: Vec<_> = parents
                .map(|(&share_bps, number)| Parent {
                    work: key(number),
                    share_bps,
                    terms_number: 0,
                })
                .collect();
            let split: Vec<_> = (0..).zip(split_bps.iter().copied()).map(share).collect();
            Self {
                earnings: Earnings {
                    parents: parents.len() as u8,
                    own_bps: 10_000 - parents_bps.iter().sum::<u16>(),
                    ..Earnings::zeroed()
                },
                parts: first_parts(&parents, &split),
            }
        }

        fn credit(&mut self, amount: u64) -> Result<(), PaymentsError> {
            self.earnings.credit(amount)
        }

        fn pull(&mut self, parent: u8) -> Result<u64, PaymentsError> {
            Book { earnings: &mut self.earnings, parts: &mut self.parts }.pull(&key(parent))
        }

        fn claim_at(&mut self, position: usize, recipient: u8) -> Result<u64, PaymentsError> {
            let mut book = Book { earnings: &mut self.earnings, parts: &mut self.parts };
            let own = book.earnings.own();
            book.claim(own, position, &key(recipient))
        }

        fn claim(&mut self, recipient: u8) -> Result<u64, PaymentsError> {
            self.claim_at(usize::from(recipient), recipient)
        }

        fn split(&mut self, split: &[(u8, u16)], judged: bool) -> Result<(), PaymentsError> {
            let split: Vec<_> = split.iter().copied().map(share).collect();
            let change = resplit(&self.earnings, &self.parts, &split, judged)?;
            self.earnings.own_before = change.own_before;
            self.parts = change.parts;
            Ok(())
        }

        fn entitled(&self, recipient: u8) -> u64 {
            let parts = self.parts.iter().enumerate().skip(usize::from(self.earnings.parents));
            let mut own = parts.filter(|(_, part)| part.key == key(recipient));
            own.next().map_or(0, |(position, part)| self.earnings.entitled(position, part))
        }
    }

    #[test]
    fn parents_are_paid_before_the_split() {
        let mut account = Account::new(&[2_000], &[5_000, 5_000]);
        account.credit(1_001).unwrap();
        assert_eq!(account.pull(100), Ok(200));
        assert_eq!(account.claim_at(1, 0), Ok(400));
        assert_eq!(account.claim_at(2, 1), Ok(400));
    }

    #[test]
    fn small_credits_pay_like_one_large() {
        let split = [3_333, 3_333, 3_334];
        let (mut small, mut large) =
            (Account::new(&[1_111], &split), Account::new(&[1_111], &split));
        let mut paid = [0; 3];
        for _ in 0..1_000 {
            small.credit(7).unwrap();
            for (number, paid) in (0..).zip(&mut paid) {
                *paid += small.claim(number).unwrap();
            }
        }
        large.credit(7_000).unwrap();
        let at_once = [0, 1, 2].map(|number| large.claim(number).unwrap());
        assert_eq!(paid, at_once);
    }

    #[test]
    fn strangers_and_repeats_are_not_paid() {
        let mut account = Account::new(&[2_000], &[10_000]);
        account.credit(100).unwrap();
        for position in [0, 1, 2, usize::MAX] {
            let stranger = account.claim_at(position, 9);
            assert_eq!(stranger, Err(PaymentsError::RecipientNotFound));
            // Parents are paid by `pull`.
            let parent = account.claim_at(position, 100);
            assert_eq!(parent, Err(PaymentsError::RecipientNotFound));
        }
        assert_eq!(account.claim_at(usize::MAX, 0), Ok(80));
        assert_eq!(account.claim_at(1, 0), Ok(0));
        assert_eq!(account.pull(9), Err(PaymentsError::ParentNotFound));
        assert_eq!(account.pull(0), Err(PaymentsError::ParentNotFound));
    }

    #[test]
    fn largest_amount_does_not_overflow() {
        let mut account = Account::new(&[1], &[1, 9_999]);
        account.credit(u64::MAX).unwrap();
        assert_eq!(account.credit(1), Err(PaymentsError::Overflow));
        let taken = [account.pull(100), account.claim(0), account.claim(1)]
            .map(|part| u128::from(part.unwrap()));
        let dust = u128::from(u64::MAX) - taken.iter().sum::<u128>();
        assert!(dust < 3);
    }

    #[test]
    fn earlier_earnings_follow_old_split() {
        let mut account = Account::new(&[], &[5_000, 5_000]);
        account.credit(1_000).unwrap();
        account.split(&[(0, 9_000), (2, 1_000)], false).unwrap();
        account.credit(100).unwrap();
        assert_eq!([0, 1, 2].map(|n| account.claim(n).unwrap()), [590, 500, 10]);
    }

    #[test]
    fn paid_former_recipient_is_dropped() {
        let mut account = Account::new(&[], &[5_000, 5_000]);
        account.credit(1_000).unwrap();
        account.split(&[(0, 10_000)], false).unwrap();
        assert_eq!(account.parts.len(), 2);
        assert_eq!(account.claim(1), Ok(500));
        account.split(&[(3, 10_000)], false).unwrap();
        assert_eq!(account.parts.iter().map(|part| part.key).collect::<Vec<_>>(), [key(3), key(0)]);
        account.credit(100).unwrap();
        assert_eq!([account.claim(3), account.claim(0)], [Ok(100), Ok(500)]);
        assert_eq!(account.claim(1), Err(PaymentsError::RecipientNotFound));
    }

    #[test]
    fn unapplied_verdict_moves_unclaimed() {
        let mut account = Account::new(&[2_000], &[5_000, 5_000]);
        account.credit(1_000).unwrap();
        assert_eq!(account.claim_at(1, 0), Ok(400));
        account.split(&[(9, 10_000)], true).unwrap();
        assert_eq!(account.parts.len(), 2);
        account.credit(100).unwrap();
        // 1,100 earned, 220 for the parent, 400 gone.
        assert_eq!([account.claim(9), account.pull(100)], [Ok(480), Ok(220)]);
    }

    fn work(status: WorkStatus, disputes: u32) -> WorkHead {
        WorkHead {
            kind: crate::licensing::WorkKind::Image,
            status,
            latest_terms: 0,
            split_version: 0,
            verdict_version: 0,
            disputes,
            withdrawn_at: i64::MAX,
        }
    }

    #[test]
    fn dispute_contests_later_earnings() {
        let (active, disputed) = (work(WorkStatus::Active, 0), work(WorkStatus::Disputed, 1));
        let mut account = Account::new(&[2_000], &[5_000, 5_000]);
        account.credit(1_000).unwrap();
        let earnings = &mut account.earnings;
        assert_eq!(earnings.claimable(&active), Ok(800));
        let unapplied = PaymentsError::DisputeNotApplied;
        assert_eq!(earnings.claimable(&disputed), Err(unapplied));
        assert_eq!(earnings.contest(&active), Err(PaymentsError::WorkNotDisputed));
        assert_eq!(earnings.contest(&disputed), Ok(()));
        assert_eq!(earnings.contest(&disputed), Err(PaymentsError::DisputeApplied));
        let judged = WorkHead { split_version: 1, verdict_version: 1, disputes: 2, ..disputed };
        assert_eq!(earnings.contest(&judged), Err(PaymentsError::SplitNotApplied));
        // A change that the recipients agreed to may wait.
        let changed = WorkHead { split_version: 1, disputes: 2, ..disputed };
        assert_eq!(Earnings { ..*earnings }.contest(&changed), Ok(()));

        account.credit(1_000).unwrap();
        assert_eq!(account.earnings.claimable(&disputed), Ok(800));
        assert_eq!(account.earnings.claimable(&work(WorkStatus::Active, 1)), Ok(1_600));
        let mut book = Book { earnings: &mut account.earnings, parts: &mut account.parts };
        assert_eq!(book.claim(800, 1, &key(0)), Ok(400));
        // Upheld: what came later is the claimant's, what came before still the recipients'.
        account.split(&[(9, 10_000)], true).unwrap();
        assert_eq!([9, 0, 1].map(|who| account.claim(who).unwrap_or(0)), [800, 0, 400]);
    }

    #[test]
    fn too_many_parties_are_rejected() {
        let mut account = Account::new(&[], &[10_000]);
        for round in 0..95 {
            account.credit(1).unwrap();
            account.split(&[(round + 1, 10_000)], false).unwrap();
        }
        assert_eq!(account.parts.len(), Earnings::MAX_PARTS);
        account.credit(1).unwrap();
        let refused = account.split(&[(200, 10_000)], false);
        assert_eq!(refused, Err(PaymentsError::TooManyParties));
        assert_eq!(account.claim(0), Ok(1));
        assert_eq!(account.split(&[(200, 10_000)], false), Ok(()));
    }

    #[test]
    fn verdict_is_applied_beyond_the_limit() {
        let mut account = Account::new(&[], &[10_000]);
        for round in 0..95 {
            account.credit(1).unwrap();
            account.split(&[(round + 1, 10_000)], false).unwrap();
        }
        account.earnings.own_contested = account.earnings.own();
        account.credit(1).unwrap();
        assert_eq!(account.split(&[(200, 10_000)], true), Ok(()));
        assert_eq!(account.parts.len(), Earnings::MAX_PARTS);
        account.earnings.own_contested = account.earnings.own();
        let judges: Vec<_> = (201..233).map(|number| (number, 312)).collect();
        assert_eq!(account.split(&judges, true), Ok(()));
        assert_eq!(account.parts.len(), Earnings::MAX_PARTS + 32);
        assert_eq!([account.claim(0), account.claim(200)], [Ok(1), Ok(1)]);
    }

    #[test]
    fn unapplied_verdict_keeps_known_earnings() {
        let mut account = Account::new(&[], &[5_000, 5_000]);
        account.credit(100).unwrap();
        // An earlier dispute, or a claim of the other recipient.
        account.earnings.own_contested = account.earnings.own();
        account.credit(60).unwrap();
        assert_eq!(account.claim(0), Ok(80));
        account.split(&[(9, 10_000)], true).unwrap();
        assert_eq!([0, 1, 9].map(|who| account.claim(who).unwrap_or(0)), [0, 50, 30]);
    }

    /// Changes splits at random, with credits and claims in between.
    #[test]
    fn random_resplits_conserve_money() {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for _ in 0..300 {
            let parents: Vec<_> = (0..random(4)).map(|_| random(2_501) as u16).collect();
            let mut account = Account::new(&parents, &[10_000]);
            let (mut before, mut taken) = ([0; 12], [0; 12]);
            for _ in 0..60 {
                let mut lost = false;
                match random(4) {
                    0 => account.credit(random(50)).unwrap(),
                    1 => account.credit(random(1 << 40)).unwrap(),
                    2 => {
                        let who = random(12) as u8;
                        let position = random(20) as usize;
                        let paid = account.claim_at(position, who).unwrap_or(0);
                        taken[usize::from(who)] += paid;
                    }
                    _ => {
                        let split = random_split(&mut random);
                        lost = random(5) == 0;
                        account.earnings.own_contested = random(account.earnings.own() + 1);
                        account.split(&split, lost).unwrap();
                    }
                }
                let Account { earnings, parts } = &account;
                let entitled =
                    parts.iter().enumerate().map(|(at, part)| earnings.entitled(at, part));
                // A dropped recipient had taken everything.
                let listed: u64 = parts[parents.len()..].iter().map(|part| part.taken).sum();
                let dropped = taken.iter().sum::<u64>() - listed;
                let entitled = entitled.sum::<u64>() + dropped;
                assert!(entitled <= earnings.earned, "owed more than earned");
                let present = parts[parents.len()..].iter().filter(|part| part.share_bps > 0);
                let parties = parents.len() + present.count();
                assert!(earnings.earned - entitled < parties as u64, "more than dust");
                for who in 0..12 {
                    let now = account.entitled(who as u8).max(taken[who]);
                    assert!(lost || now >= before[who], "an entitlement fell");
                    assert!(now >= taken[who]);
                    before[who] = now;
                }
            }
        }
    }

    /// Returns a split among one to six of twelve recipients.
    fn random_split(random: &mut impl FnMut(u64) -> u64) -> Vec<(u8, u16)> {
        let first = random(12) as u8;
        let people = 1 + random(6) as u8;
        let mut rest = 10_000;
        let mut split = Vec::new();
        for number in 1..people {
            let share = 1 + random(1_500) as u16;
            rest -= share;
            split.push(((first + number) % 12, share));
        }
        split.push((first, rest));
        split
    }
}
