use std::collections::BTreeMap;

use payments::PaymentsError;
use solana_pubkey::Pubkey;

use super::{Refused, Rules, exact, refused};

/// Parents, recipients and those former recipients who are still owed: at most so many.
const MOST_PARTIES: usize = 96;

/// What one work has earned in one currency, and whose it is.
///
/// Everything ever earned is there to be added up again: a split in force has a part of what the
/// work keeps beyond what earlier splits gave out, and nothing that was given out is taken back,
/// except by a verdict, and then only what had not been paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// Base units, ever.
    pub earned: u128,
    /// Which split of the work `split` is.
    pub split_version: u32,
    /// Parent works, in order.
    pub parents: Vec<Upstream>,
    /// Recipients and basis points, in order.
    pub split: Vec<(Pubkey, u16)>,
    /// The last dispute the book was told of, and what the work had kept by then, or by a later
    /// claim outside of disputes.
    pub contested: (u32, u128),
    /// Every recipient that ever stood in a split.
    pub people: BTreeMap<Pubkey, Standing>,
}

/// A parent's side of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// The parent.
    pub work: Pubkey,
    /// Of everything earned.
    pub bps: u16,
    /// Base units pulled so far.
    pub taken: u128,
}

/// A person's side of a book, base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// By the splits before the present one.
    pub before: u128,
    /// Paid so far.
    pub taken: u128,
    /// The chain forgot it: no longer in the split, and owed nothing when that began.
    pub forgotten: bool,
    /// What it had been paid when it was last forgotten: the chain counts from there.
    pub written_off: u128,
}

impl Book {
    /// Of a work that earns nothing yet.
    pub fn new(parents: &[(Pubkey, u16)], split: &[(Pubkey, u16)], split_version: u32) -> Self {
        let upstream = |&(work, bps)| Upstream { work, bps, taken: 0 };
        Self {
            earned: 0,
            split_version,
            parents: parents.iter().map(upstream).collect(),
            split: split.to_vec(),
            contested: (0, 0),
            people: split.iter().map(|&(person, _)| (person, Standing::default())).collect(),
        }
    }

    /// What the parents leave of everything earned.
    pub fn kept(&self) -> u128 {
        let parents: u16 = self.parents.iter().map(|parent| parent.bps).sum();
        exact::share(self.earned, 10_000 - parents)
    }

    /// What earlier splits gave out.
    pub fn given_out(&self) -> u128 {
        self.people.values().map(|standing| standing.before).sum()
    }

    /// Base units a person is entitled to, ever.
    pub fn entitled(&self, person: &Pubkey) -> u128 {
        self.entitled_of(self.kept(), person)
    }

    /// Base units a person is entitled to when so many were kept.
    fn entitled_of(&self, kept: u128, person: &Pubkey) -> u128 {
        let Some(standing) = self.people.get(person) else { return 0 };
        let bps = self.split.iter().find(|(other, _)| other == person).map_or(0, |(_, bps)| *bps);
        standing.before + exact::share(kept.saturating_sub(self.given_out()), bps)
    }

    /// Base units a person could be paid now.
    pub fn owed(&self, person: &Pubkey) -> u128 {
        self.entitled(person) - self.people.get(person).map_or(0, |standing| standing.taken)
    }

    /// Base units a person is entitled to, ever, whatever a verdict may take: what was earned before
    /// the book was told of a dispute or paid outside of one, and what was paid.
    pub fn secured(&self, person: &Pubkey) -> u128 {
        let taken = self.people.get(person).map_or(0, |standing| standing.taken);
        self.entitled_of(self.contested.1, person).max(taken)
    }

    /// Base units a parent could pull now.
    pub fn due(&self, parent: &Upstream) -> u128 {
        exact::share(self.earned, parent.bps) - parent.taken
    }

    /// Whether the chain knows the person: former recipients are forgotten at the first change
    /// of split at which nothing is owed to them.
    pub fn knows(&self, person: &Pubkey) -> bool {
        self.people.get(person).is_some_and(|standing| !standing.forgotten)
    }

    /// Base units that were not taken, dust included.
    pub fn left(&self) -> u128 {
        let pulled: u128 = self.parents.iter().map(|parent| parent.taken).sum();
        let paid: u128 = self.people.values().map(|standing| standing.taken).sum();
        self.earned - pulled - paid
    }

    /// Base units that no party is entitled to: what floors leave.
    pub fn dust(&self) -> u128 {
        let parents: u128 =
            self.parents.iter().map(|parent| exact::share(self.earned, parent.bps)).sum();
        let people: u128 = self.people.keys().map(|person| self.entitled(person)).sum();
        self.earned - parents - people
    }

    /// Adds to what was earned.
    ///
    /// # Errors
    /// When the total no longer fits an account.
    pub fn credit(&mut self, amount: u128) -> Result<(), Refused> {
        if !exact::fits(self.earned + amount) {
            return refused(PaymentsError::Overflow);
        }
        self.earned += amount;
        Ok(())
    }

    /// Pays a parent what is its own by now; returns how much.
    ///
    /// # Errors
    /// When it is no parent, or everything is pulled.
    pub fn pull(&mut self, parent: &Pubkey) -> Result<u128, Refused> {
        let earned = self.earned;
        let Some(upstream) = self.parents.iter_mut().find(|upstream| upstream.work == *parent)
        else {
            return refused(PaymentsError::ParentNotFound);
        };
        let new = exact::share(earned, upstream.bps) - upstream.taken;
        if new == 0 {
            return refused(PaymentsError::NothingToClaim);
        }
        upstream.taken += new;
        Ok(new)
    }

    /// Pays a person what is its own by now, of what was kept before a dispute when there is
    /// one; returns how much, 0 when there is nothing.
    ///
    /// # Errors
    /// When it stands, and stood, in no split.
    pub fn claim(&mut self, person: &Pubkey, disputed: bool) -> Result<u128, Refused> {
        if !self.knows(person) {
            return refused(PaymentsError::RecipientNotFound);
        }
        let kept = if disputed { self.contested.1 } else { self.kept() };
        let taken = self.people.get(person).map_or(0, |standing| standing.taken);
        // A book that was told of no dispute has paid more than it says: the claim is refused.
        let new = self.entitled_of(kept, person).saturating_sub(taken);
        self.contested.1 = kept;
        self.people.entry(*person).or_default().taken += new;
        Ok(new)
    }

    /// Brings the book to another split: what was earned until now stays with whom it was
    /// earned by. After a verdict, what is not secured goes to the new split.
    ///
    /// # Errors
    /// When more people would be owed than an account has room for, unless there was a verdict.
    pub fn resplit(
        &mut self,
        split: &[(Pubkey, u16)],
        split_version: u32,
        judged: bool,
    ) -> Result<(), Refused> {
        let mut people: BTreeMap<Pubkey, Standing> = BTreeMap::new();
        let stands = |person: &Pubkey| split.iter().any(|(other, _)| other == person);
        for (person, standing) in &self.people {
            let before = if judged { self.secured(person) } else { self.entitled(person) };
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
        assert_eq!((book.entitled(&key(1)), book.pull(&key(9))), (400, Ok(200)));
        book.resplit(&[(key(2), 1_000), (key(3), 9_000)], 1, false).unwrap();
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
        book.resplit(&[(key(2), 10_000)], 1, false).unwrap();
        assert_eq!((book.entitled(&key(1)), book.entitled(&key(2)), book.dust()), (0, 1, 0));
    }

    #[test]
    fn untold_verdict_takes_unsecured() {
        let mut book = Book::new(&[], &[(key(1), 5_000), (key(2), 5_000)], 0);
        book.credit(100).unwrap();
        assert_eq!(book.claim(&key(1), false), Ok(50));
        book.credit(60).unwrap();
        book.resplit(&[(key(3), 10_000)], 1, true).unwrap();
        // The claim has secured the other's half of 100 too.
        assert_eq!((book.owed(&key(1)), book.owed(&key(2)), book.owed(&key(3))), (0, 50, 60));
    }

    #[test]
    fn verdict_takes_contested_earnings() {
        let mut book = Book::new(&[], &[(key(1), 5_000), (key(2), 5_000)], 0);
        book.credit(100).unwrap();
        book.contested = (1, book.kept());
        book.credit(60).unwrap();
        assert_eq!(book.claim(&key(1), true), Ok(50));
        book.resplit(&[(key(3), 10_000)], 1, true).unwrap();
        assert_eq!((book.owed(&key(1)), book.owed(&key(2)), book.owed(&key(3))), (0, 50, 60));
    }
}
