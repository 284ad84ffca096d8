use std::cell::{Ref, RefMut};

use anchor_lang::prelude::*;
use licensing::{Parent, Share, WorkHead, WorkStatus, bps::floor_share};

use crate::error::PaymentsError;

/// What a work has earned in one currency, ever, and who has taken what of it.
///
/// Seeds: `["earnings", work, mint]`. Its parts, one [`Part`] each, follow this header in the
/// same account: the parents, then the recipients of the present split in its order, then
/// former recipients who are still owed. Parts of zeros behind those are room to spare.
///
/// Always true: what all parts are entitled to, and so what they have taken, adds up to at most
/// `earned`. Every entitlement is a floor of a growing total: it never falls, except for what
/// was contested when an upheld dispute gave the work to somebody else.
#[account(zero_copy)]
#[repr(C)]
#[derive(Debug)]
pub struct Earnings {
    pub version: u8,
    pub bump: u8,
    /// How many of the parts are parents'.
    pub parents: u8,
    pub reserved: u8,
    /// Which version of the work's split the parts are.
    pub split_version: u32,
    pub work: Pubkey,
    pub mint: Pubkey,
    /// Base units of `mint`, as all amounts here.
    pub earned: u64,
    /// What all recipients there ever were had been entitled to when the present split began.
    pub own_before: u64,
    /// What the parents leave, of everything earned.
    pub own_bps: u16,
    pub reserved_too: [u8; 2],
    /// Number of the work's dispute that `own_contested` is about; 0 for none.
    pub dispute: u32,
    /// `own()` when that dispute was brought to this account: what came later is contested.
    pub own_contested: u64,
}

/// One party's part of what a work earns.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// A parent work, or a recipient.
    pub key: Pubkey,
    /// A recipient's entitlement when the present split began; 0 for a parent.
    pub entitled_before: u64,
    /// Base units it has pulled or claimed.
    pub taken: u64,
    /// Of everything earned for a parent, of the work's own part for a recipient; 0 for a
    /// recipient that is no longer in the split.
    pub share_bps: u16,
    pub reserved: [u8; 6],
}

impl Part {
    pub const SIZE: usize = size_of::<Self>();
}

impl Earnings {
    pub const SEED: &'static [u8] = b"earnings";
    pub const VERSION: u8 = 1;
    pub const HEADER_SPACE: usize = Self::DISCRIMINATOR.len() + size_of::<Self>();
    /// Parents, recipients and former recipients together.
    pub const MAX_PARTS: usize = 96;
    /// Where these stand in the account, for filters.
    pub const WORK_OFFSET: usize = 16;
    pub const MINT_OFFSET: usize = 48;

    /// Bytes of an account with so many parts.
    pub const fn space(parts: usize) -> usize {
        Self::HEADER_SPACE + parts * Part::SIZE
    }

    /// Adds to what the work has earned.
    pub fn credit(&mut self, amount: u64) -> Result<()> {
        self.earned = self.earned.checked_add(amount).ok_or(PaymentsError::Overflow)?;
        Ok(())
    }

    /// What the parents leave of everything earned, base units.
    pub fn own(&self) -> u64 {
        floor_share(self.earned, self.own_bps)
    }

    /// Base units a part is entitled to, ever; `position` is where it stands.
    pub fn entitled(&self, position: usize, part: &Part) -> u64 {
        if position < usize::from(self.parents) {
            floor_share(self.earned, part.share_bps)
        } else {
            self.entitled_of(self.own(), part)
        }
    }

    /// What a recipient is entitled to of the first `own` base units of the work's own part.
    pub fn entitled_of(&self, own: u64, part: &Part) -> u64 {
        // All recipients together get at most `own`, so the sum does not wrap.
        part.entitled_before + floor_share(own.saturating_sub(self.own_before), part.share_bps)
    }

    /// What of the work's own part recipients can claim now: while the work is disputed, what
    /// it had earned before.
    ///
    /// # Errors
    /// [`PaymentsError::DisputeNotApplied`] while this account has not been told of the dispute.
    pub fn claimable(&self, work: &WorkHead) -> Result<u64> {
        if work.status != WorkStatus::Disputed {
            return Ok(self.own());
        }
        require!(self.dispute == work.disputes, PaymentsError::DisputeNotApplied);
        Ok(self.own_contested)
    }

    /// Notes from where on earnings are contested.
    pub fn contest(&mut self, work: &WorkHead) -> Result<()> {
        require!(work.status == WorkStatus::Disputed, PaymentsError::WorkNotDisputed);
        require!(self.dispute != work.disputes, PaymentsError::DisputeApplied);
        let current = self.split_version == work.split_version;
        require!(current, PaymentsError::SplitNotApplied);
        self.own_contested = self.own();
        self.dispute = work.disputes;
        Ok(())
    }
}

/// An account's parts with the header they belong to, for change.
pub struct Book<'a> {
    pub earnings: &'a mut Earnings,
    pub parts: &'a mut [Part],
}

impl Book<'_> {
    /// Everything `parent` is entitled to and has not pulled, which is now pulled.
    pub fn pull(&mut self, parent: &Pubkey) -> Result<u64> {
        let parents = usize::from(self.earnings.parents);
        let mut parts = self.parts[..parents].iter_mut().enumerate();
        let part = parts.find(|(_, part)| part.key == *parent);
        let (_, part) = part.ok_or(PaymentsError::ParentNotFound)?;
        let new = floor_share(self.earnings.earned, part.share_bps) - part.taken; // it never falls
        require!(new > 0, PaymentsError::NothingToClaim);
        part.taken += new;
        Ok(new)
    }

    /// Everything `recipient` is entitled to of the first `own` base units of the work's own
    /// part and has not claimed, which is now claimed; 0 when there is nothing. It is looked for
    /// at `position` first: a split may just have moved it.
    pub fn claim(&mut self, own: u64, position: usize, recipient: &Pubkey) -> Result<u64> {
        let parents = usize::from(self.earnings.parents);
        let here = |part: &Part| part.key == *recipient;
        let position = if position >= parents && self.parts.get(position).is_some_and(here) {
            position
        } else {
            let found = self.parts[parents..].iter().position(here);
            parents + found.ok_or(PaymentsError::RecipientNotFound)?
        };
        let part = &mut self.parts[position];
        // `own` never falls below what was claimed from, so neither does the entitlement.
        let new = self.earnings.entitled_of(own, part) - part.taken;
        part.taken += new;
        Ok(new)
    }
}

/// The parts of a work that begins to earn.
pub fn first_parts(parents: &[Parent], split: &[Share]) -> Vec<Part> {
    let parents = parents.iter().map(|parent| Part {
        key: parent.work,
        share_bps: parent.share_bps,
        ..Part::default()
    });
    parents.chain(split.iter().map(new_recipient)).collect()
}

/// What an upheld dispute takes from the recipients of the split before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contested {
    /// What the work's own part earned beyond this many base units.
    Since(u64),
    /// Everything unclaimed.
    Unclaimed,
}

/// How a change of split leaves earnings behind.
#[derive(Debug, PartialEq, Eq)]
pub struct Resplit {
    pub own_before: u64,
    pub parts: Vec<Part>,
}

/// The parts after a change to `split`.
///
/// What was earned before stays as the old split gave it: `entitled_before` becomes the
/// entitlement so far, and the new shares are of what comes after, and of the old split's dust.
/// Where an upheld dispute lies in between, what it contested goes to the new split instead:
/// `entitled_before` becomes the entitlement up to `verdict`'s point, or, where the account was
/// never told of that dispute, what was taken.
///
/// # Errors
/// [`PaymentsError::TooManyParties`]: pay former recipients first; who is owed nothing is dropped.
pub fn resplit(
    earnings: &Earnings,
    parts: &[Part],
    split: &[Share],
    verdict: Option<Contested>,
) -> Result<Resplit> {
    let parents = usize::from(earnings.parents);
    let mut own_before = earnings.own_before;
    let mut old = Vec::with_capacity(parts.len());
    for (position, part) in parts.iter().enumerate().skip(parents) {
        let entitled = match verdict {
            None => earnings.entitled(position, part),
            Some(Contested::Since(own)) => earnings.entitled_of(own, part),
            Some(Contested::Unclaimed) => part.taken,
        };
        // Every recipient's `entitled_before` is part of the sum; that of dropped ones stays.
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
    require!(new.len() <= Earnings::MAX_PARTS, PaymentsError::TooManyParties);
    Ok(Resplit { own_before, parts: new })
}

fn new_recipient(share: &Share) -> Part {
    Part { key: share.recipient, share_bps: share.share_bps, ..Part::default() }
}

/// An account of earnings, opened for change: header and parts.
pub struct EarningsMut<'a> {
    pub earnings: RefMut<'a, Earnings>,
    pub parts: RefMut<'a, [Part]>,
}

impl<'a> EarningsMut<'a> {
    /// Opens an account that Anchor has already checked to be earnings of this program.
    pub fn open(account: &'a AccountLoader<'_, Earnings>) -> Result<Self> {
        require!(account.as_ref().is_writable, ErrorCode::AccountNotMutable);
        let data = account.as_ref().try_borrow_mut_data()?;
        check_length(data.len())?;
        let (earnings, parts) = RefMut::map_split(data, |data| {
            let (_, body) = data.split_at_mut(Earnings::DISCRIMINATOR.len());
            let (header, parts) = body.split_at_mut(size_of::<Earnings>());
            (bytemuck::from_bytes_mut(header), bytemuck::cast_slice_mut(parts))
        });
        Ok(Self { earnings, parts })
    }

    pub fn book(&mut self) -> Book<'_> {
        Book { earnings: &mut self.earnings, parts: &mut self.parts }
    }

    /// Puts a new split's parts in place of the old ones; the account must have room.
    pub fn replace(&mut self, resplit: &Resplit, split_version: u32) {
        let (kept, room) = self.parts.split_at_mut(resplit.parts.len());
        kept.copy_from_slice(&resplit.parts);
        room.fill(Part::default());
        self.earnings.own_before = resplit.own_before;
        self.earnings.split_version = split_version;
    }
}

/// An account of earnings, opened for reading.
pub struct EarningsRef<'a> {
    pub earnings: Ref<'a, Earnings>,
    pub parts: Ref<'a, [Part]>,
}

impl<'a> EarningsRef<'a> {
    /// Opens an account that Anchor has already checked to be earnings of this program.
    pub fn open(account: &'a AccountLoader<'_, Earnings>) -> Result<Self> {
        let data = account.as_ref().try_borrow_data()?;
        check_length(data.len())?;
        let (earnings, parts) = Ref::map_split(data, |data| {
            let (header, parts) = data.split_at(Earnings::HEADER_SPACE);
            let header = &header[Earnings::DISCRIMINATOR.len()..];
            (bytemuck::from_bytes(header), bytemuck::cast_slice(parts))
        });
        Ok(Self { earnings, parts })
    }
}

fn check_length(bytes: usize) -> Result<()> {
    let part_bytes = bytes.checked_sub(Earnings::HEADER_SPACE);
    let whole = part_bytes.is_some_and(|bytes| bytes.is_multiple_of(Part::SIZE));
    require!(whole, PaymentsError::InvalidEarningsData);
    Ok(())
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Part::SIZE == 56);
const _: () = assert!(Earnings::HEADER_SPACE == 112);
const _: () = assert!(Earnings::space(1) == 168);

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

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

        fn credit(&mut self, amount: u64) -> Result<()> {
            self.earnings.credit(amount)
        }

        fn pull(&mut self, parent: u8) -> Result<u64> {
            Book { earnings: &mut self.earnings, parts: &mut self.parts }.pull(&key(parent))
        }

        fn claim_at(&mut self, position: usize, recipient: u8) -> Result<u64> {
            let mut book = Book { earnings: &mut self.earnings, parts: &mut self.parts };
            let own = book.earnings.own();
            book.claim(own, position, &key(recipient))
        }

        fn claim(&mut self, recipient: u8) -> Result<u64> {
            self.claim_at(usize::from(recipient), recipient)
        }

        fn split(&mut self, split: &[(u8, u16)], verdict: Option<Contested>) -> Result<()> {
            let split: Vec<_> = split.iter().copied().map(share).collect();
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
    fn many_small_credits_pay_exactly_what_one_large_one_pays() {
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
    fn nothing_is_paid_twice_or_to_strangers_wherever_they_say_they_stand() {
        let mut account = Account::new(&[2_000], &[10_000]);
        account.credit(100).unwrap();
        for position in [0, 1, 2, usize::MAX] {
            let stranger = account.claim_at(position, 9);
            assert_eq!(stranger, Err(PaymentsError::RecipientNotFound.into()));
            // A parent is paid by being pulled for.
            let parent = account.claim_at(position, 100);
            assert_eq!(parent, Err(PaymentsError::RecipientNotFound.into()));
        }
        assert_eq!(account.claim_at(usize::MAX, 0), Ok(80));
        assert_eq!(account.claim_at(1, 0), Ok(0));
        assert_eq!(account.pull(9), Err(PaymentsError::ParentNotFound.into()));
        assert_eq!(account.pull(0), Err(PaymentsError::ParentNotFound.into()));
    }

    #[test]
    fn the_largest_amount_is_shared_out_without_overflow() {
        let mut account = Account::new(&[1], &[1, 9_999]);
        account.credit(u64::MAX).unwrap();
        assert_eq!(account.credit(1), Err(PaymentsError::Overflow.into()));
        let taken = [account.pull(100), account.claim(0), account.claim(1)]
            .map(|part| u128::from(part.unwrap()));
        let dust = u128::from(u64::MAX) - taken.iter().sum::<u128>();
        assert!(dust < 3);
    }

    #[test]
    fn what_was_earned_before_a_change_is_paid_at_the_old_split() {
        let mut account = Account::new(&[], &[5_000, 5_000]);
        account.credit(1_000).unwrap();
        account.split(&[(0, 9_000), (2, 1_000)], None).unwrap();
        account.credit(100).unwrap();
        assert_eq!([0, 1, 2].map(|n| account.claim(n).unwrap()), [590, 500, 10]);
    }

    #[test]
    fn who_left_and_is_owed_nothing_is_dropped_by_the_next_change() {
        let mut account = Account::new(&[], &[5_000, 5_000]);
        account.credit(1_000).unwrap();
        account.split(&[(0, 10_000)], None).unwrap();
        assert_eq!(account.parts.len(), 2);
        assert_eq!(account.claim(1), Ok(500));
        account.split(&[(3, 10_000)], None).unwrap();
        assert_eq!(account.parts.iter().map(|part| part.key).collect::<Vec<_>>(), [key(3), key(0)]);
        account.credit(100).unwrap();
        assert_eq!([account.claim(3), account.claim(0)], [Ok(100), Ok(500)]);
        assert_eq!(account.claim(1), Err(PaymentsError::RecipientNotFound.into()));
    }

    #[test]
    fn an_upheld_dispute_nobody_applied_gives_what_nobody_took_to_the_claimant() {
        let mut account = Account::new(&[2_000], &[5_000, 5_000]);
        account.credit(1_000).unwrap();
        assert_eq!(account.claim_at(1, 0), Ok(400));
        account.split(&[(9, 10_000)], Some(Contested::Unclaimed)).unwrap();
        assert_eq!(account.parts.len(), 2);
        account.credit(100).unwrap();
        // 1,100 earned, 220 for the parent, 400 gone.
        assert_eq!([account.claim(9), account.pull(100)], [Ok(480), Ok(220)]);
    }

    fn work(status: WorkStatus, disputes: u32) -> WorkHead {
        WorkHead {
            kind: licensing::WorkKind::Image,
            status,
            latest_terms: 0,
            split_version: 0,
            verdict_version: 0,
            disputes,
            withdrawn_at: i64::MAX,
        }
    }

    #[test]
    fn a_dispute_contests_what_is_earned_after_it_was_applied() {
        let (active, disputed) = (work(WorkStatus::Active, 0), work(WorkStatus::Disputed, 1));
        let mut account = Account::new(&[2_000], &[5_000, 5_000]);
        account.credit(1_000).unwrap();
        let earnings = &mut account.earnings;
        assert_eq!(earnings.claimable(&active), Ok(800));
        let unapplied = PaymentsError::DisputeNotApplied.into();
        assert_eq!(earnings.claimable(&disputed), Err(unapplied));
        assert_eq!(earnings.contest(&active), Err(PaymentsError::WorkNotDisputed.into()));
        assert_eq!(earnings.contest(&disputed), Ok(()));
        assert_eq!(earnings.contest(&disputed), Err(PaymentsError::DisputeApplied.into()));
        let changed = WorkHead { split_version: 1, disputes: 2, ..disputed };
        assert_eq!(earnings.contest(&changed), Err(PaymentsError::SplitNotApplied.into()));

        account.credit(1_000).unwrap();
        assert_eq!(account.earnings.claimable(&disputed), Ok(800));
        assert_eq!(account.earnings.claimable(&work(WorkStatus::Active, 1)), Ok(1_600));
        let mut book = Book { earnings: &mut account.earnings, parts: &mut account.parts };
        assert_eq!(book.claim(800, 1, &key(0)), Ok(400));
        // Upheld: what came later is the claimant's, what came before still the recipients'.
        account.split(&[(9, 10_000)], Some(Contested::Since(800))).unwrap();
        assert_eq!([9, 0, 1].map(|who| account.claim(who).unwrap_or(0)), [800, 0, 400]);
    }

    #[test]
    fn more_parties_than_fit_are_refused_until_former_ones_were_paid() {
        let mut account = Account::new(&[], &[10_000]);
        for round in 0..95 {
            account.credit(1).unwrap();
            account.split(&[(round + 1, 10_000)], None).unwrap();
        }
        assert_eq!(account.parts.len(), Earnings::MAX_PARTS);
        account.credit(1).unwrap();
        let refused = account.split(&[(200, 10_000)], None);
        assert_eq!(refused, Err(PaymentsError::TooManyParties.into()));
        assert_eq!(account.claim(0), Ok(1));
        assert_eq!(account.split(&[(200, 10_000)], None), Ok(()));
    }

    /// Splits amended at random, credits and claims in between.
    #[test]
    fn money_is_conserved_however_splits_are_amended() {
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
                        let lost = lost.then_some(Contested::Unclaimed);
                        account.split(&split, lost).unwrap();
                    }
                }
                let Account { earnings, parts } = &account;
                let entitled =
                    parts.iter().enumerate().map(|(at, part)| earnings.entitled(at, part));
                // Who was dropped had taken everything.
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

    /// One to six of twelve people, with shares that give the whole away.
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
