use bytemuck::{Pod, Zeroable};
use solana_pubkey::Pubkey;

use super::PaymentsError;
use crate::{
    bps::{WHOLE_BPS, floor_share},
    licensing::{Parent, Share, WorkHead, WorkStatus},
    require,
};

/// Earnings of a work in one currency, and the amounts its parties have taken.
///
/// Seeds: `["earnings", work, mint]`. The parts, one [`Part`] each, follow this header in the
/// same account: the parents, then the recipients of the current split in its order, then former
/// recipients with unpaid entitlements. Parts of zeros at the end are unused.
///
/// A verdict may drop parents. Shares then count from that point: `earned_before`, `own_start` and
/// each parent's `entitled_before` record what was earned and owed by then.
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
    /// Share of later earnings that the parents leave.
    pub own_bps: u16,
    /// Zeros.
    pub reserved_too: [u8; 2],
    /// Number of the work's dispute that was applied last; 0 for none.
    pub dispute: u32,
    /// Value of `own()` when that dispute was applied, or at a later claim or pull outside of
    /// disputes: a later dispute contests later earnings only.
    pub own_contested: u64,
    /// Value of `earned` at the same time.
    pub earned_contested: u64,
    /// Value of `earned` when a verdict last dropped parents; 0 before.
    pub earned_before: u64,
    /// Value of `own()` at that point.
    pub own_start: u64,
    /// Parts behind the header. Only the IDL's build has this field: it puts the type into the IDL.
    #[cfg(feature = "idl-build")]
    pub parts: [Part; 0],
}

/// One party's part of a work's earnings.
#[cfg_attr(feature = "idl-build", anchor_lang::zero_copy)]
#[cfg_attr(not(feature = "idl-build"), derive(Clone, Copy, Pod, Zeroable), repr(C))]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Parent work or recipient.
    pub key: Pubkey,
    /// Recipient's entitlement at the start of the current split; parent's entitlement when a
    /// verdict last dropped parents.
    pub entitled_before: u64,
    /// Amount pulled or claimed, base units.
    pub taken: u64,
    /// Share of everything earned for a parent, of the work's own earnings for a recipient; 0 for
    /// a former recipient and for a parent that a verdict dropped.
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
        // At most `earned`, so the sum does not wrap; `earned` never falls.
        self.own_start + floor_share(self.earned - self.earned_before, self.own_bps)
    }

    /// Returns the total entitlement of the part at `position`, base units.
    pub fn entitled(&self, position: usize, part: &Part) -> u64 {
        if position < usize::from(self.parents) {
            self.entitled_parent(self.earned, part)
        } else {
            self.entitled_of(self.own(), part)
        }
    }

    /// Returns a parent's entitlement to the first `earned` base units of everything earned.
    pub fn entitled_parent(&self, earned: u64, part: &Part) -> u64 {
        // All parties together get at most `earned`, so the sum does not wrap.
        part.entitled_before
            + floor_share(earned.saturating_sub(self.earned_before), part.share_bps)
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
        Ok(if self.contested(work)? { self.own_contested } else { self.own() })
    }

    /// Returns the part of everything earned of which parents can pull their shares: while the work
    /// is disputed, the earnings before the dispute was applied.
    ///
    /// # Errors
    /// [`PaymentsError::DisputeNotApplied`] if the open dispute was not applied to this account.
    pub fn pullable(&self, work: &WorkHead) -> Result<u64, PaymentsError> {
        Ok(if self.contested(work)? { self.earned_contested } else { self.earned })
    }

    /// Returns whether later earnings are contested by an open dispute.
    fn contested(&self, work: &WorkHead) -> Result<bool, PaymentsError> {
        if work.status != WorkStatus::Disputed {
            return Ok(false);
        }
        require!(self.dispute == work.disputes, PaymentsError::DisputeNotApplied);
        Ok(true)
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
        self.earned_contested = self.earned;
        self.dispute = work.disputes;
        Ok(())
    }

    /// Secures all earnings that no open dispute contests: a later dispute leaves them to the
    /// parties. Called when a party is paid; then [`Earnings::own_contested`] is the part of the
    /// work's own earnings that recipients can claim, and [`Earnings::earned_contested`] the part of
    /// everything earned of which parents can pull their shares.
    ///
    /// # Errors
    /// [`PaymentsError::SplitNotApplied`] if an upheld dispute was not applied to this account,
    /// [`PaymentsError::DisputeNotApplied`] if the open dispute was not.
    pub fn secure(&mut self, work: &WorkHead) -> Result<(), PaymentsError> {
        require!(!self.verdict_pending(work), PaymentsError::SplitNotApplied);
        if !self.contested(work)? {
            self.own_contested = self.own();
            self.earned_contested = self.earned;
        }
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
    /// Records the unpulled entitlement of `parent` to the first `earned` base units of everything
    /// earned as pulled and returns it.
    ///
    /// # Errors
    /// [`PaymentsError::ParentNotFound`], [`PaymentsError::NothingToClaim`].
    pub fn pull(&mut self, earned: u64, parent: &Pubkey) -> Result<u64, PaymentsError> {
        let parents = usize::from(self.earnings.parents);
        let mut parts = self.parts[..parents].iter_mut().enumerate();
        let part = parts.find(|(_, part)| part.key == *parent);
        let (_, part) = part.ok_or(PaymentsError::ParentNotFound)?;
        // `earned` never falls below the amount pulled from, so neither does the entitlement.
        let new = self.earnings.entitled_parent(earned, part) - part.taken;
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

/// Earnings that an upheld dispute moves from the old split to the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contested {
    /// Everything that is neither secured ([`Earnings::own_contested`]) nor taken.
    Unsecured,
    /// Nothing: recipients stay, and the account cannot tell what was earned before the dispute.
    Nothing,
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
/// If an upheld dispute lies in between (`verdict`), the contested earnings go to the new split:
/// `entitled_before` becomes the entitlement to what the account knows to be from before the
/// dispute, [`Earnings::own_contested`], and is at least the amount taken. For a dispute that was
/// never applied to the account, that is what was earned before an earlier dispute or payment. The
/// parts may then be more than [`Earnings::MAX_PARTS`]: until a verdict is applied, nothing can be
/// claimed.
///
/// # Errors
/// [`PaymentsError::TooManyParties`] without a verdict; pay former recipients first, so that they
/// are dropped. [`PaymentsError::Overflow`].
pub fn resplit(
    earnings: &Earnings,
    parts: &[Part],
    split: &[Share],
    verdict: Option<Contested>,
) -> Result<Resplit, PaymentsError> {
    let parents = usize::from(earnings.parents);
    let mut own_before = earnings.own_before;
    let mut old = Vec::with_capacity(parts.len());
    for (position, part) in parts.iter().enumerate().skip(parents) {
        let entitled = match verdict {
            Some(Contested::Unsecured) => {
                earnings.entitled_of(earnings.own_contested, part).max(part.taken)
            }
            None | Some(Contested::Nothing) => earnings.entitled(position, part),
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
    let fits = verdict.is_some() || new.len() <= Earnings::MAX_PARTS;
    require!(fits, PaymentsError::TooManyParties);
    Ok(Resplit { own_before, parts: new })
}

/// Parents' parts, and the work's own part, after a verdict that dropped parents.
#[derive(Debug, PartialEq, Eq)]
pub struct Reparent {
    /// New value of [`Earnings::earned_before`].
    pub earned_before: u64,
    /// New value of [`Earnings::own_start`].
    pub own_start: u64,
    /// New value of [`Earnings::own_bps`].
    pub own_bps: u16,
    /// New parts of the parents.
    pub parts: Vec<Part>,
}

/// Returns the parents' parts after a verdict; `None` if it dropped no parent.
///
/// A kept parent keeps its share. A dropped one keeps its entitlement to what the account knows to
/// be from before the dispute, [`Earnings::earned_contested`], and at least the amount pulled. The
/// rest becomes the work's own, and follows the verdict as its own part does.
pub fn reparent(earnings: &Earnings, parts: &[Part], parents: &[Parent]) -> Option<Reparent> {
    let pairs = || parts.iter().zip(parents);
    if pairs().all(|(part, parent)| part.share_bps == parent.share_bps) {
        return None;
    }
    let new = pairs().map(|(part, parent)| {
        let entitled_before = if part.share_bps == parent.share_bps {
            earnings.entitled_parent(earnings.earned, part)
        } else {
            earnings.entitled_parent(earnings.earned_contested, part).max(part.taken)
        };
        Part { entitled_before, share_bps: parent.share_bps, ..*part }
    });
    let parts: Vec<_> = new.collect();
    let entitled: u64 = parts.iter().map(|part| part.entitled_before).sum(); // at most `earned`
    let parents_bps: u16 = parts.iter().map(|part| part.share_bps).sum();
    Some(Reparent {
        earned_before: earnings.earned,
        own_start: earnings.earned - entitled,
        own_bps: WHOLE_BPS - parents_bps, // at most the whole, since registration
        parts,
    })
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

    /// Returns the amount that the parent at `position` can pull now, base units. `work` is the head
    /// of the work's account. Excludes earnings contested by an open dispute that has been applied
    /// to this account.
    pub fn pullable(&self, position: usize, work: &WorkHead) -> u64 {
        let Some(part) = self.parents.get(position) else { return 0 };
        let earned = self.earnings.pullable(work).unwrap_or(self.earnings.earned);
        self.earnings.entitled_parent(earned, part).saturating_sub(part.taken)
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
const _: () = assert!(Earnings::HEADER_SPACE == 136);
const _: () = assert!(Earnings::space(1) == 192);

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
            let earned = self.earnings.earned;
            Book { earnings: &mut self.earnings, parts: &mut self.parts }.pull(earned, &key(parent))
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
            let verdict = judged.then_some(Contested::Unsecured);
            let change = resplit(&self.earnings, &self.parts, &split, verdict)?;
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
            verdict_terms: 0,
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

    /// A verdict drops the second of three parents and gives the work to recipient 9.
    fn judged(told: bool) -> Account {
        let mut account = Account::new(&[1_000, 6_000, 500], &[10_000]);
        account.credit(1_000).unwrap();
        assert_eq!(account.pull(101), Ok(600));
        account.credit(1_000).unwrap();
        if told {
            account.earnings.contest(&work(WorkStatus::Disputed, 1)).unwrap();
        }
        account.credit(1_001).unwrap();
        let parent = |number, share_bps| Parent { work: key(number), share_bps, terms_number: 0 };
        let parents = [parent(100, 1_000), parent(101, 0), parent(102, 500)];
        let Account { earnings, parts } = &account;
        let new = reparent(earnings, &parts[..3], &parents).unwrap();
        account.split(&[(9, 10_000)], true).unwrap();
        account.parts[..3].copy_from_slice(&new.parts);
        let Reparent { earned_before, own_start, own_bps, .. } = new;
        account.earnings = Earnings { earned_before, own_start, own_bps, ..account.earnings };
        account
    }

    #[test]
    fn dropped_parent_keeps_uncontested_share() {
        let mut account = judged(true);
        assert_eq!(account.pull(101), Ok(600), "its share of the second thousand");
        assert_eq!(account.pull(101), Err(PaymentsError::NothingToClaim));
        assert_eq!((account.pull(100), account.pull(102)), (Ok(300), Ok(150)));
        // 3,001 earned: 1,650 are the parents', 500 of the first 2,000 the old recipient's.
        assert_eq!((account.claim(0), account.claim(9)), (Ok(500), Ok(851)));
        account.credit(1_000).unwrap();
        assert_eq!((account.pull(100), account.pull(102)), (Ok(100), Ok(50)));
        assert_eq!(account.pull(101), Err(PaymentsError::NothingToClaim));
        assert_eq!(account.claim(9), Ok(850));
    }

    #[test]
    fn untold_verdict_takes_unpulled_share() {
        let mut account = judged(false);
        assert_eq!(account.pull(101), Err(PaymentsError::NothingToClaim));
        assert_eq!((account.pull(100), account.pull(102)), (Ok(300), Ok(150)));
        assert_eq!(account.claim(9), Ok(3_001 - 600 - 450));
    }

    #[test]
    fn kept_parents_change_nothing() {
        let account = Account::new(&[1_000, 500], &[10_000]);
        let parent = |number, share_bps| Parent { work: key(number), share_bps, terms_number: 0 };
        let parents = [parent(100, 1_000), parent(101, 500)];
        assert_eq!(reparent(&account.earnings, &account.parts[..2], &parents), None);
    }

    #[test]
    fn dispute_contests_parents_shares() {
        let disputed = work(WorkStatus::Disputed, 1);
        let mut account = Account::new(&[2_000], &[10_000]);
        account.credit(1_000).unwrap();
        let earnings = &mut account.earnings;
        assert_eq!(earnings.pullable(&disputed), Err(PaymentsError::DisputeNotApplied));
        earnings.contest(&disputed).unwrap();
        earnings.credit(500).unwrap();
        assert_eq!(earnings.pullable(&disputed), Ok(1_000));
        assert_eq!(earnings.pullable(&work(WorkStatus::Active, 1)), Ok(1_500));
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
