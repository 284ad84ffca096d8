//! End of an episode: each party is paid its entitlement, and only dust remains.

use motif_sdk::earnings;
use solana_pubkey::Pubkey;

use super::{Episode, Report, Step, promises};
use crate::{
    model::{self, Ledger, Refused},
    world::Call,
};

impl Episode {
    /// Pays every party in full, by permissionless calls, the payers' own and waiting: no other
    /// party's signature, broken account or dispute is needed or in the way.
    pub fn end(&mut self, report: &mut Report) -> Result<(), String> {
        for address in self.ledger.channels.keys().copied().collect::<Vec<_>>() {
            self.leave(address, report)?;
        }
        self.pass(61 * 86_400);
        for work in self.ledger.works.keys().copied().collect::<Vec<_>>() {
            let of = &self.ledger.works[&work];
            let Some(dispute) = of.dispute else { continue };
            let owner = of.owner;
            let instruction =
                motif_sdk::licensing::expire_dispute(&work, &owner, &dispute.claimant);
            self.must("expire_dispute", Call::new([instruction], &[]), report, move |ledger| {
                ledger.end_dispute(work, model::Deciding::Expired)
            })?;
        }
        for address in self.ledger.channels.keys().copied().collect::<Vec<_>>() {
            self.empty_channel(address, report)?;
        }
        for address in self.ledger.tills.keys().copied().collect::<Vec<_>>() {
            self.empty_till(address, report)?;
        }
        self.apply_splits(report)?;
        // Parents are older than children, so one pass per generation suffices.
        for _ in 0..self.ledger.works.len() {
            self.pull_everything(report)?;
        }
        for (work, mint) in self.ledger.books.keys().copied().collect::<Vec<_>>() {
            self.pay_all_parties(work, mint, report)?;
        }
        // Changes that did not fit before recipients were paid.
        self.apply_splits(report)?;
        for (work, mint) in self.ledger.books.keys().copied().collect::<Vec<_>>() {
            self.pay_all_parties(work, mint, report)?;
        }
        self.check_all()?;
        promises::check_end(&self.ledger)?;
        report.episodes += 1;
        Ok(())
    }

    /// Pays, while disputes are open, what was earned before them: a dispute delays no other party,
    /// however often it is opened again.
    pub fn pay_during_disputes(&mut self, report: &mut Report) -> Result<(), String> {
        for (work, mint) in self.ledger.books.keys().copied().collect::<Vec<_>>() {
            let of = &self.ledger.works[&work];
            if of.dispute.is_none() {
                continue;
            }
            let (number, verdict) = (of.disputes, of.verdict_version);
            if verdict > self.ledger.books[&(work, mint)].split_version {
                let host = self.world.host.clone();
                let apply = self.applying_split(&host, work, mint);
                self.take(&apply, report)?;
            }
            if self.ledger.books[&(work, mint)].contested.0 != number {
                let apply = self.applying_dispute(work, mint);
                self.take(&apply, report)?;
            }
            let book = self.ledger.books[&(work, mint)].clone();
            for person in book.people.keys().copied() {
                let earned = book.clone().claim(&person, true).unwrap_or(0);
                if earned > 0 && self.ledger.takes_money(&person, &mint) {
                    let claim = self.claiming(work, mint, &[(0, person)]);
                    self.take(&claim, report)?;
                }
            }
        }
        Ok(())
    }

    /// Sends a call that must be accepted.
    pub(super) fn must(
        &mut self,
        name: &'static str,
        call: Call,
        report: &mut Report,
        expectation: impl Fn(&mut Ledger) -> Result<(), Refused> + 'static,
    ) -> Result<(), String> {
        self.take(&Step::new(name, call, expectation), report)
    }

    /// Plays a step that must be accepted.
    fn take(&mut self, step: &Step, report: &mut Report) -> Result<(), String> {
        if let Err(refused) = step.expect(&mut self.ledger.clone()) {
            return Err(format!("{} in the end: {refused:?}", step.name));
        }
        self.play(step, report)
    }

    /// Opens the earnings of a work, unless they are open.
    fn have_book(&mut self, work: Pubkey, mint: Pubkey, report: &mut Report) -> Result<(), String> {
        if self.ledger.books.contains_key(&(work, mint)) {
            return Ok(());
        }
        let host = self.world.host.clone();
        let open = self.opening_earnings(&host, work, mint);
        self.take(&open, report)
    }

    /// Sweeps a till to all parties that can be paid.
    fn empty_till(&mut self, address: Pubkey, report: &mut Report) -> Result<(), String> {
        let till = self.ledger.tills[&address].clone();
        for (work, _) in till.works {
            self.have_book(work, till.mint, report)?;
        }
        match self.last_sweep(address) {
            Some(sweep) => self.take(&sweep, report),
            None => Ok(()),
        }
    }

    /// Brings books to the splits of their works: always to that of a verdict, to others if they
    /// fit.
    fn apply_splits(&mut self, report: &mut Report) -> Result<(), String> {
        for (work, mint) in self.ledger.books.keys().copied().collect::<Vec<_>>() {
            let (book, of) = (&self.ledger.books[&(work, mint)], &self.ledger.works[&work]);
            let judged = of.verdict_version > book.split_version;
            let fits = self.ledger.clone().apply_split(work, mint).is_ok();
            if book.split_version == of.split_version || !judged && !fits {
                continue;
            }
            let host = self.world.host.clone();
            let apply = self.applying_split(&host, work, mint);
            self.take(&apply, report)?;
        }
        Ok(())
    }

    /// The payer starts closing a channel.
    fn leave(&mut self, address: Pubkey, report: &mut Report) -> Result<(), String> {
        let channel = &self.ledger.channels[&address];
        if channel.closes_at != model::NEVER {
            return Ok(());
        }
        let payer = self.cast.people.iter().find(|person| person.key() == channel.payer);
        let payer = payer.expect("one of the cast").clone();
        let alone = motif_sdk::channel::Cosigners::default();
        let close = motif_sdk::channel::request_close(&payer.key(), &alone, &address);
        let (key, call) = (payer.key(), Call::new([close], &[&payer]));
        self.must("request_close", call, report, move |ledger| {
            ledger.request_close(&[key], address)
        })
    }

    pub(super) fn empty_channel(
        &mut self,
        address: Pubkey,
        report: &mut Report,
    ) -> Result<(), String> {
        use motif_sdk::channel as sdk;
        let channel = self.ledger.channels[&address].clone();
        let mint = channel.mint;
        let currency = self.cast.currency(&mint);
        let person = |episode: &Self, key: Pubkey| {
            let people = &episode.cast.people;
            people.iter().find(|person| person.key() == key).expect("one of the cast").clone()
        };
        let (payer, operator) = (person(self, channel.payer), channel.operator);
        let fee_owner = self.ledger.operators[&operator].conditions.fee_owner;
        for (index, license) in (0_u16..).zip(&channel.licenses) {
            if license.credit() > 0 {
                self.have_book(license.work, mint, report)?;
                let call =
                    Call::new([sdk::collect(&address, &mint, &[(index, license.work)])], &[]);
                self.must("collect", call, report, move |ledger| {
                    ledger.collect(address, &[index])
                })?;
            }
        }
        for (index, license) in (0_u16..).zip(&channel.licenses) {
            if license.holds_quota() {
                let (host, key) = (self.world.host.clone(), self.world.host.key());
                let terms = (license.work, license.terms_number);
                let release = sdk::release_quota(&key, None, &address, index, &terms.0, terms.1);
                let call = Call::new([release], &[&host]);
                self.must("release_quota", call, report, move |ledger| {
                    ledger.release_quota(&[key], address, index, terms)
                })?;
            }
        }
        if channel.refunded.is_none() && self.ledger.takes_money(&payer.key(), &mint) {
            let call = Call::new([sdk::withdraw(&payer.key(), &address, &currency)], &[&payer]);
            let key = payer.key();
            self.must("withdraw", call, report, move |ledger| {
                ledger.withdraw(key, address).map(drop)
            })?;
        }
        let fees = channel.fees() > channel.fees_claimed;
        if fees && self.ledger.takes_money(&fee_owner, &mint) {
            let claim = self.claiming_fees(address, operator, fee_owner);
            self.take(&claim, report)?;
        }
        Ok(())
    }

    pub(super) fn pull_everything(&mut self, report: &mut Report) -> Result<(), String> {
        for (child, mint) in self.ledger.books.keys().copied().collect::<Vec<_>>() {
            let book = self.ledger.books[&(child, mint)].clone();
            for parent in book.parents.iter().filter(|parent| book.due(parent) > 0) {
                let parent = parent.work;
                self.have_book(parent, mint, report)?;
                let call = Call::new([earnings::pull(&child, &parent, &mint)], &[]);
                self.must("pull", call, report, move |ledger| {
                    ledger.pull(child, parent, mint).map(drop)
                })?;
            }
        }
        Ok(())
    }

    pub(super) fn pay_all_parties(
        &mut self,
        work: Pubkey,
        mint: Pubkey,
        report: &mut Report,
    ) -> Result<(), String> {
        let book = self.ledger.books[&(work, mint)].clone();
        let currency = self.cast.currency(&mint);
        let owed = book.people.keys().filter(|person| book.owed(person) > 0);
        for person in owed.copied().collect::<Vec<_>>() {
            if self.ledger.takes_money(&person, &mint) {
                let call = Call::new([earnings::claim(&work, &person, &currency)], &[]);
                self.must("claim", call, report, move |ledger| {
                    ledger.claim(work, mint, &[person]).map(drop)
                })?;
            }
        }
        Ok(())
    }
}
