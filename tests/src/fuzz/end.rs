//! The end of an episode: each party takes what it is owed, and only dust is left.

use motif_sdk::earnings;
use solana_pubkey::Pubkey;

use super::{Episode, Report, Step, promises};
use crate::{
    model::{self, Ledger, Refused},
    world::Call,
};

impl Episode {
    /// Pays every party in full. No broken account and no dispute delays another party.
    pub fn end(&mut self, report: &mut Report) -> Result<(), String> {
        self.ledger.now += 61 * 86_400;
        self.world.set_time(self.ledger.now);
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
        for (work, mint) in self.ledger.books.keys().copied().collect::<Vec<_>>() {
            if self.ledger.books[&(work, mint)].split_version
                != self.ledger.works[&work].split_version
            {
                let host = self.world.host.clone();
                let instruction = earnings::apply_split(&host.key(), &work, &mint);
                let call = Call::new([instruction], &[&host]);
                self.must("apply_split", call, report, move |ledger| {
                    ledger.apply_split(work, mint)
                })?;
            }
        }
        // Works know only older ones as parents: as often as there are generations.
        for _ in 0..self.ledger.works.len() {
            self.pull_everything(report)?;
        }
        for (work, mint) in self.ledger.books.keys().copied().collect::<Vec<_>>() {
            self.pay_all_parties(work, mint, report)?;
        }
        self.check_all()?;
        promises::check_end(&self.ledger)?;
        report.episodes += 1;
        Ok(())
    }

    /// A call that nothing may stop.
    pub(super) fn must(
        &mut self,
        name: &'static str,
        call: Call,
        report: &mut Report,
        expectation: impl Fn(&mut Ledger) -> Result<(), Refused> + 'static,
    ) -> Result<(), String> {
        let step = Step::new(name, call, expectation);
        if let Err(refused) = step.expect(&mut self.ledger.clone()) {
            return Err(format!("{name} in the end: {refused:?}"));
        }
        self.play(&step, report)
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
        let (payer, operator) = (person(self, channel.payer), person(self, channel.operator));
        for (index, license) in (0_u16..).zip(&channel.licenses) {
            let opened = self.ledger.books.contains_key(&(license.work, mint));
            if license.credit() > 0 && opened {
                let call =
                    Call::new([sdk::collect(&address, &mint, &[(index, license.work)])], &[]);
                self.must("collect", call, report, move |ledger| {
                    ledger.collect(address, &[index])
                })?;
            }
        }
        if self.ledger.now < channel.closes_at {
            let call = Call::new([sdk::request_close(&operator.key(), &address)], &[&operator]);
            let key = operator.key();
            self.must("request_close", call, report, move |ledger| {
                ledger.request_close(key, address)
            })?;
        }
        if channel.refunded.is_none() && self.ledger.takes_money(&payer.key(), &mint) {
            let call = Call::new([sdk::withdraw(&payer.key(), &address, &currency)], &[&payer]);
            let key = payer.key();
            self.must("withdraw", call, report, move |ledger| {
                ledger.withdraw(key, address).map(drop)
            })?;
        }
        let fees = channel.fees() > channel.fees_claimed;
        if fees && self.ledger.takes_money(&operator.key(), &mint) {
            let key = operator.key();
            let call = Call::new([sdk::claim_fees(&address, &key, &key, &currency)], &[]);
            self.must("claim_fees", call, report, move |ledger| {
                ledger.claim_fees(address).map(drop)
            })?;
        }
        Ok(())
    }

    pub(super) fn pull_everything(&mut self, report: &mut Report) -> Result<(), String> {
        for (child, mint) in self.ledger.books.keys().copied().collect::<Vec<_>>() {
            let book = self.ledger.books[&(child, mint)].clone();
            for parent in book.parents.iter().filter(|parent| book.due(parent) > 0) {
                let parent = parent.work;
                if !self.ledger.books.contains_key(&(parent, mint)) {
                    continue;
                }
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
