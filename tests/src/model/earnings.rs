use std::collections::BTreeMap;

use payments::PaymentsError;
use solana_pubkey::Pubkey;

use super::{Refused, Rules, exact, refused};

/// Maximum number of parents, recipients and former recipients with an open entitlement.
const MOST_PARTIES: usize = 96;

/// Earnings of one work in one currency, with the entitlement of each party.
///
/// Entitlements by earlier splits stay; the current split divides what the work kept since it was
/// applied. A verdict can take back only what was not paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// Total, base units.
    pub earned: u128,
    /// Version of `split`.
    pub split_version: u32,
    /// Parents, in order.
    pub parents: Vec<Upstream>,
    /// Recipients and shares in basis points, in order.
    pub split: Vec<(Pubkey, u16)>,
    /// Number of the last applied dispute, with the amounts kept and earned by then, or by a later
    /// claim or pull outside of disputes.
    pub contested: (u32, u128, u128),
    /// Amounts earned and kept when a verdict last dropped parents.
    pub dropped: (u128, u128),
    /// Current and former recipients.
    pub people: BTreeMap<Pubkey, Standing>,
}

/// Part of a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Parent.
    pub work: Pubkey,
    /// Share of the earnings since a verdict last dropped parents, basis points.
    pub bps: u16,
    /// Entitlement by then, base units.
    pub before: u128,
    /// Pulled amount, base units.
    pub taken: u128,
}

/// Part of a recipient, base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Entitlement by earlier splits.
    pub before: u128,
    /// Paid amount.
    pub taken: u128,
    /// Whether the account dropped it: out of the split and without an open entitlement then.
    pub forgotten: bool,
    /// Amount paid when it was last dropped, from which the account counts.
    pub written_off: u128,
}

impl Book {
    /// Creates the book of a work without earnings.
    pub fn new(parents: &[(Pubkey, u16)], split: &[(Pubkey, u16)], split_version: u32) -> Self {
        let upstream = |&(work, bps)| Upstream { work, bps, before: 0, taken: 0 };
        Self {
            earned: 0,
            split_version,
            parents: parents.iter().map(upstream).collect(),
            split: split.to_vec(),
            contested: (0, 0, 0),
            dropped: (0, 0),
            people: split.iter().map(|&(person, _)| (person, Standing::default())).collect(),
        }
    }

    /// Returns the earnings that the parents leave.
    pub fn kept(&self) -> u128 {
        let parents: u16 = self.parents.iter().map(|parent| parent.bps).sum();
        let (earned, kept) = self.dropped;
        kept + exact::share(self.earned - earned, 10_000 - parents)
    }

    /// Returns the entitlements by earlier splits.
    pub fn given_out(&self) -> u128 {
        self.people.values().map(|standing| standing.before).sum()
    }

    /// Returns a person's total entitlement, base units.
    pub fn entitled(&self, person: &Pubkey) -> u128 {
        self.entitled_of(self.kept(), person)
    }

    /// Returns a person's total entitlement for a kept amount, base units.
    fn entitled_of(&self, kept: u128, person: &Pubkey) -> u128 {
        let Some(standing) = self.people.get(person) else { return 0 };
        let bps = self.split.iter().find(|(other, _)| other == person).map_or(0, |(_, bps)| *bps);
        standing.before + exact::share(kept.saturating_sub(self.given_out()), bps)
    }

    /// Returns the amount that a person can claim, base units.
    pub fn owed(&self, person: &Pubkey) -> u128 {
        self.entitled(person) - self.people.get(person).map_or(0, |standing| standing.taken)
    }

    /// Returns the entitlement of a person that no verdict can take: what was earned before the
    /// dispute was applied or a party was paid outside of disputes, and what was paid.
    pub fn secured(&self, person: &Pubkey) -> u128 {
        let taken = self.people.get(person).map_or(0, |standing| standing.taken);
        self.entitled_of(self.contested.1, person).max(taken)
    }

    /// Returns the entitlement of the parent at a position, base units.
    pub fn entitled_parent(&self, position: usize) -> u128 {
        self.entitled_upstream(self.earned, &self.parents[position])
    }

    /// Returns the entitlement of the parent at a position that no verdict can take, as
    /// [`Book::secured`].
    pub fn secured_parent(&self, position: usize) -> u128 {
        let parent = &self.parents[position];
        self.entitled_upstream(self.contested.2, parent).max(parent.taken)
    }

    /// Returns the amount that a parent can pull, base units.
    pub fn due(&self, parent: &Upstream) -> u128 {
        self.entitled_upstream(self.earned, parent) - parent.taken
    }

    /// Base units a parent is entitled to when so many were earned.
    fn entitled_upstream(&self, earned: u128, parent: &Upstream) -> u128 {
        parent.before + exact::share(earned.saturating_sub(self.dropped.0), parent.bps)
    }

    /// Returns whether the account lists the person: former recipients are dropped at the first
    /// change of split without an open entitlement.
    pub fn knows(&self, person: &Pubkey) -> bool {
        self.people.get(person).is_some_and(|standing| !standing.forgotten)
    }

    /// Returns the amount not taken, dust included.
    pub fn left(&self) -> u128 {
        let pulled: u128 = self.parents.iter().map(|parent| parent.taken).sum();
        let paid: u128 = self.people.values().map(|standing| standing.taken).sum();
        self.earned - pulled - paid
    }

    /// Returns the dust, base units.
    pub fn dust(&self) -> u128 {
        let entitled = |parent| self.entitled_upstream(self.earned, parent);
        let parents: u128 = self.parents.iter().map(entitled).sum();
        let people: u128 = self.people.keys().map(|person| self.entitled(person)).sum();
        self.earned - parents - people
    }

    /// Adds earnings.
    ///
    /// # Errors
    /// If the total exceeds 64 bits.
    pub fn credit(&mut self, amount: u128) -> Result<(), Refused> {
        if !exact::fits(self.earned + amount) {
            return refused(PaymentsError::Overflow);
        }
        self.earned += amount;
        Ok(())
    }

    /// Pays a parent's entitlement, that of before the dispute if there is one; returns the amount.
    ///
    /// # Errors
    /// If it is not a parent, or everything is pulled.
    pub fn pull(&mut self, parent: &Pubkey, disputed: bool) -> Result<u128, Refused> {
        let earned = if disputed { self.contested.2 } else { self.earned };
        let Some(place) = self.parents.iter().position(|upstream| upstream.work == *parent) else {
            return refused(PaymentsError::ParentNotFound);
        };
        let upstream = self.parents[place];
        // A book that was told of no dispute has paid more than it says: the pull is refused.
        let new = self.entitled_upstream(earned, &upstream).saturating_sub(upstream.taken);
        if new == 0 {
            return refused(PaymentsError::NothingToClaim);
        }
        self.secure(disputed);
        self.parents[place].taken += new;
        Ok(new)
    }

    /// Secures the earnings until now, unless a dispute contests them.
    fn secure(&mut self, disputed: bool) {
        if !disputed {
            (self.contested.1, self.contested.2) = (self.kept(), self.earned);
        }
    }

    /// Pays a person's entitlement, during a dispute only the part earned before it; returns the
    /// amount, which can be 0.
    ///
    /// # Errors
    /// If it is not and was not a recipient.
    pub fn claim(&mut self, person: &Pubkey, disputed: bool) -> Result<u128, Refused> {
        if !self.knows(person) {
            return refused(PaymentsError::RecipientNotFound);
        }
        let kept = if disputed { self.contested.1 } else { self.kept() };
        let taken = self.people.get(person).map_or(0, |standing| standing.taken);
        // Without the dispute applied, more may be paid than the entitlement; the claim is
        // rejected.
        let new = self.entitled_of(kept, person).saturating_sub(taken);
        self.secure(disputed);
        self.people.entry(*person).or_default().taken += new;
        Ok(new)
    }

    /// Applies a verdict that kept these parents. A dropped parent keeps what is secured.
    pub fn reparent(&mut self, parents: &[(Pubkey, u16)]) {
        let shares: Vec<_> = self.parents.iter().map(|parent| (parent.work, parent.bps)).collect();
        if shares == parents {
            return;
        }
        let before = |position: usize, bps: u16| {
            if bps == self.parents[position].bps {
                self.entitled_parent(position)
            } else {
                self.secured_parent(position)
            }
        };
        let shares = parents.iter().map(|(_, bps)| *bps).enumerate();
        let befores: Vec<_> = shares.map(|(position, bps)| before(position, bps)).collect();
        self.dropped = (self.earned, self.earned - befores.iter().sum::<u128>());
        for ((parent, before), (_, bps)) in self.parents.iter_mut().zip(befores).zip(parents) {
            *parent = Upstream { before, bps: *bps, ..*parent };
        }
    }

    /// Applies another split. Earlier entitlements stay. After a verdict (`judged`), unsecured
    /// earnings go to the new split if they are `moved`.
    ///
    /// # Errors
    /// If an account has no room for all parties with an entitlement, unless there was a verdict.
    pub fn resplit(
        &mut self,
        split: &[(Pubkey, u16)],
        split_version: u32,
        (judged, moved): (bool, bool),
    ) -> Result<(), Refused> {
        let mut people: BTreeMap<Pubkey, Standing> = BTreeMap::new();
        let stands = |person: &Pubkey| split.iter().any(|(other, _)| other == person);
        for (person, standing) in &self.people {
            let before = if moved { self.secured(person) } else { self.entitled(person) };
            let forgotten = !stands(person) && standing.taken == before;
            let written_off = if forgotten { before } else { standing.written_off };
            people.insert(*person, Standing { before, forgotten, written_off, ..*standing });
        }
        for (person, _) in split {
            people.entry(*person).or_default();
        }
        let known = people.values().filter(|standing| !standing.forgotten).count();
        let mut rules = Rules::default();
        let fits = judged || self.parents.len() + known <= MOST_PARTIES;
        rules.require(fits, PaymentsError::TooManyParties);
        rules.check()?;

        self.people = people;
        self.split = split.to_vec();
        self.split_version = split_version;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    #[test]
    fn earlier_earnings_stay_with_earners() {
        let mut book = Book::new(&[(key(9), 2_000)], &[(key(1), 5_000), (key(2), 5_000)], 0);
        book.credit(1_001).unwrap();
        assert_eq!((book.entitled(&key(1)), book.pull(&key(9), false)), (400, Ok(200)));
        book.resplit(&[(key(2), 1_000), (key(3), 9_000)], 1, (false, false)).unwrap();
        book.credit(999).unwrap();
        let entitled = [1, 2, 3].map(|person| book.entitled(&key(person)));
        assert_eq!(entitled, [400, 400 + 80, 720]);
        assert_eq!(book.claim(&key(1), false), Ok(400));
        assert_eq!(book.left(), 2_000 - 200 - 400);
    }

    #[test]
    fn old_dust_goes_to_new_split() {
        let mut book = Book::new(&[], &[(key(1), 5_000), (key(2), 5_000)], 0);
        book.credit(1).unwrap();
        book.resplit(&[(key(2), 10_000)], 1, (false, false)).unwrap();
        assert_eq!((book.entitled(&key(1)), book.entitled(&key(2)), book.dust()), (0, 1, 0));
    }

    #[test]
    fn untold_verdict_takes_unsecured() {
        let mut book = Book::new(&[], &[(key(1), 5_000), (key(2), 5_000)], 0);
        book.credit(100).unwrap();
        assert_eq!(book.claim(&key(1), false), Ok(50));
        book.credit(60).unwrap();
        book.resplit(&[(key(3), 10_000)], 1, (true, true)).unwrap();
        // The claim has secured the other's half of 100 too.
        assert_eq!((book.owed(&key(1)), book.owed(&key(2)), book.owed(&key(3))), (0, 50, 60));
    }

    #[test]
    fn verdict_takes_contested_earnings() {
        let mut book = Book::new(&[], &[(key(1), 5_000), (key(2), 5_000)], 0);
        book.credit(100).unwrap();
        book.contested = (1, book.kept(), book.earned);
        book.credit(60).unwrap();
        assert_eq!(book.claim(&key(1), true), Ok(50));
        book.resplit(&[(key(3), 10_000)], 1, (true, true)).unwrap();
        assert_eq!((book.owed(&key(1)), book.owed(&key(2)), book.owed(&key(3))), (0, 50, 60));
    }
}
