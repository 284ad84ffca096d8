//! Moves of known attacks, several of them as one transaction.

use licensing::{Award, Derivatives, Offer, Unit, Use, UsePrice, WorkKind, WorkStatus};
use motif_sdk::{
    channel::OpenChannelArgs,
    licensing::{AcceptOwnershipArgs, UpdateConfigArgs},
    pda,
};
use rand::{Rng, seq::IndexedRandom};
use solana_pubkey::Pubkey;

use super::{Episode, Step, licensing_steps::USES};
use crate::{
    model::{Accepting, Made, NEVER, Registering, Right, Status, Terms, Work},
    world::Person,
};

/// Salt of channels that exist for one transaction.
const BORROWED: u64 = 7;

impl Episode {
    /// Draws a step as it would be after other steps.
    fn after(
        &mut self,
        steps: &[Step],
        draw: impl FnOnce(&mut Self) -> Option<Step>,
    ) -> Option<Step> {
        let now = self.ledger.clone();
        for step in steps {
            if step.expect(&mut self.ledger).is_err() {
                break;
            }
        }
        let drawn = draw(self);
        self.ledger = now;
        drawn
    }

    /// Returns the acceptance of a work's latest terms by a payer as it reads them now, with all that
    /// is left of shared caps.
    fn quoted(&self, payer: &Person, work: Pubkey, licensed_use: Use) -> Option<Accepting> {
        let of = &self.ledger.works[&work];
        let terms = of.terms.get(&of.latest_terms)?;
        let left = |cap: Option<u64>, out: u128| {
            cap.map_or(0, |cap| u64::try_from(u128::from(cap) - out).unwrap_or(0))
        };
        let price = terms.prices.iter().find(|(other, _)| *other == licensed_use)?.1;
        let ends = [terms.expires_at, of.consent_end()];
        Some(Accepting {
            payer: payer.key(),
            work,
            terms: of.latest_terms,
            licensed_use,
            max_price: price,
            digest: terms.digest,
            min_expires_at: ends.into_iter().flatten().min().unwrap_or(NEVER),
            quota_units: left(terms.total_units, terms.units_out),
            quota_revenue: left(terms.revenue, terms.revenue_out),
            approver: None,
            approval: false,
            issuance: terms.shared_caps(),
            licensee: terms.once_each(),
            fee_accounts: terms.upfront_fee > 0 || terms.shared_caps(),
        })
    }

    /// Returns works whose latest terms a payer can accept alone and that fit.
    fn offered(&self, fits: impl Fn(&Work, &Terms) -> bool) -> Vec<Pubkey> {
        let now = self.ledger.now;
        let works = self.ledger.works.iter().filter(|(_, work)| {
            let active = work.status == Status::Active && work.dispute.is_none();
            let terms = work.terms.get(&work.latest_terms);
            active
                && work.consented_at(now)
                && terms.is_some_and(|terms| {
                    terms.valid_at(now) && !terms.approval_required && fits(work, terms)
                })
        });
        works.map(|(address, _)| *address).collect()
    }

    /// Holds a whole cap on a channel with oneself and takes the deposit back, in one transaction.
    pub(super) fn hold_cap(&mut self) -> Option<Step> {
        let capped = self.offered(|_, terms| terms.shared_caps() && terms.operators.is_empty());
        let work = *capped.choose(&mut self.random)?;
        let of = &self.ledger.works[&work];
        let terms = of.terms[&of.latest_terms].clone();
        let own = self.cast.people.iter().filter(|person| {
            let registered = self.ledger.operators.contains_key(&person.key());
            registered && self.ledger.takes_money(&person.key(), &terms.mint)
        });
        let payer = own.collect::<Vec<_>>().choose(&mut self.random).copied()?.clone();
        let conditions = &self.ledger.operators[&payer.key()].conditions;
        let args = OpenChannelArgs {
            salt: BORROWED,
            voucher_key: self.cast.key(&mut self.random).key(),
            operator_fee_bps: conditions.fee_bps,
            grace_seconds: conditions.grace_seconds.max(900),
            deposit: self.random.random_range(1..=1_000_000),
            watcher: None,
        };
        let (licensed_use, _) = *terms.prices.choose(&mut self.random)?;
        let what = self.quoted(&payer, work, licensed_use)?;
        let channel = pda::channel(&payer.key(), &payer.key(), &terms.mint, BORROWED);
        let mut steps = vec![self.opening_channel(&payer, payer.key(), terms.mint, args)];
        steps.push(self.accepting(channel, payer.clone(), None, what));
        steps.push(self.requesting_close(channel, vec![payer.clone()], &Default::default()));
        let withdraw = self.after(&steps[..1], |episode| {
            let opened = episode.ledger.channels.contains_key(&channel);
            opened.then(|| episode.withdrawing(channel, &payer))
        });
        steps.push(withdraw?);
        Some(Step::joined("hold_cap", steps)?.of_attack("cap held with borrowed money"))
    }

    /// Holds a whole cap by a license of a free use.
    pub(super) fn hold_cap_by_free_use(&mut self) -> Option<Step> {
        let free = |price: &(Use, u64)| price.1 == 0;
        let capped = self.offered(|_, terms| {
            let dear = terms.prices.iter().any(|price| price.1 > 0);
            terms.shared_caps() && dear && terms.prices.iter().any(free)
        });
        let work = *capped.choose(&mut self.random)?;
        let of = &self.ledger.works[&work];
        let terms = &of.terms[&of.latest_terms];
        let licensed_use = terms.prices.iter().find(|price| free(price))?.0;
        let (channel, payer) = self.open_channel_in(terms.mint)?;
        let what = self.quoted(&payer, work, licensed_use)?;
        Some(self.accepting(channel, payer, None, what).of_attack("cap held by a free use"))
    }

    /// Returns a channel that takes licenses, with its payer.
    fn open_channel_in(&mut self, mint: Pubkey) -> Option<(Pubkey, Person)> {
        let open = self
            .ledger
            .channels
            .iter()
            .filter(|(_, channel)| channel.mint == mint && channel.closes_at == NEVER);
        let open: Vec<_> = open.map(|(address, channel)| (*address, channel.payer)).collect();
        let (address, payer) = *open.choose(&mut self.random)?;
        Some((address, self.cast.find(&payer)?.clone()))
    }

    /// An arbiter disputes, upholds, applies and claims in one transaction.
    pub(super) fn rush_verdict(&mut self) -> Option<Step> {
        let books = self.ledger.books.keys().filter(|(work, _)| {
            let of = &self.ledger.works[work];
            of.dispute.is_none()
        });
        let books: Vec<_> = books.copied().collect();
        let &(work, mint) = books.choose(&mut self.random)?;
        let owner = self.ledger.works[&work].owner;
        let others = self.cast.people.iter().filter(|person| person.key() != owner);
        let claimant = others.collect::<Vec<_>>().choose(&mut self.random).copied()?.clone();
        let key = claimant.key();
        let award = Award { kept_parents: 0, keeps_recipients: false };
        let mut steps = vec![
            self.opening_dispute(&claimant, work, self.ledger.config.bond),
            self.deciding(&self.arbiter(), (work, owner, key), Some(award)),
            self.applying_split(&claimant, work, mint),
        ];
        let first = self.ledger.works[&work].parents.len() as u8; // at most 8
        steps.push(self.claiming(work, mint, &[(first, key)]));
        Some(Step::joined("rush_verdict", steps)?.of_attack("verdict without a hearing"))
    }

    /// The authority raises the bond before a claim that named the earlier one.
    pub(super) fn raise_bond(&mut self) -> Option<Step> {
        let work = self.work()?;
        let claimant = self.cast.any_person(&mut self.random);
        let config = self.ledger.config;
        let authority = self.cast.find(&config.authority).unwrap_or(&self.world.host).clone();
        let args = UpdateConfigArgs {
            arbiter: config.arbiter,
            dispute_bond_lamports: config.bond + 1,
            dispute_seconds: config.dispute_seconds,
        };
        let steps = vec![
            self.updating_config(&authority, args),
            self.opening_dispute(&claimant, work, config.bond),
        ];
        Some(Step::joined("raise_bond", steps)?.of_attack("bond raised before a claim"))
    }

    /// A person ends its consent before an acceptance that named the earlier end.
    pub(super) fn end_consent_first(&mut self) -> Option<Step> {
        let consented = self.offered(|work, _| work.consent.is_some());
        let work = *consented.choose(&mut self.random)?;
        let of = &self.ledger.works[&work];
        let terms = &of.terms[&of.latest_terms];
        let person = self.cast.find(&of.consent?.0)?.clone();
        let (mint, licensed_use) = (terms.mint, terms.prices.first()?.0);
        let (channel, payer) = self.open_channel_in(mint)?;
        let what = self.quoted(&payer, work, licensed_use)?;
        let now = self.ledger.now;
        let steps = vec![
            self.setting_consent_end(&person, work, Some(now)),
            self.accepting(channel, payer, None, what),
        ];
        Some(Step::joined("end_consent", steps)?.of_attack("consent ended before an acceptance"))
    }

    /// An owner withdraws a work, or changes its terms, before a buyer's acceptance of the work.
    pub(super) fn change_sold_work(&mut self) -> Option<Step> {
        let sold = self.ledger.works.iter().filter_map(|(address, work)| {
            let buyer = work.pending_owner?;
            let active = work.status == Status::Active && work.dispute.is_none();
            active.then_some((*address, work.owner, buyer))
        });
        let sold: Vec<_> = sold.collect();
        let &(work, owner, buyer) = sold.choose(&mut self.random)?;
        let (owner, buyer) = (self.cast.find(&owner)?, self.cast.find(&buyer)?.clone());
        let of = &self.ledger.works[&work];
        let expected = AcceptOwnershipArgs {
            status: WorkStatus::Active,
            latest_terms: of.latest_terms,
            split_version: of.split_version,
        };
        let change = if self.random.random_bool(0.5) {
            self.withdrawing_work(owner, work)
        } else {
            let mint = self.cast.currencies[0].mint;
            self.publishing(owner, work, mint, free_offer())
        };
        let steps = vec![change, self.accepting_ownership(&buyer, work, expected)];
        Some(Step::joined("sell_changed", steps)?.of_attack("work changed before its sale"))
    }

    /// Registers a derivative by one right, without a person's consent and for the creator alone.
    fn deriving(&mut self, creator: Pubkey, parent: Made) -> Option<Step> {
        if self.ledger.works.len() >= 12 {
            return None;
        }
        let digest = self.content();
        Some(self.registering(
            digest,
            Registering {
                creator,
                kind: WorkKind::Image,
                digest_given: true,
                consent: None,
                consent_end: None,
                model: None,
                min_expires_at: None,
                parents: vec![parent],
                split: vec![(creator, 10_000)],
                title: String::new(),
                metadata: Default::default(),
            },
        ))
    }

    /// An owner signs a derivative of a work whose person's consent ends, and then offers it
    /// without an end.
    pub(super) fn launder_consent(&mut self) -> Option<Step> {
        let ending = |work: &Work| work.consent_end().is_some_and(|end| end >= self.ledger.now);
        let works = &self.ledger.works;
        let laundered = works.iter().filter(|(_, work)| {
            let active = work.status == Status::Active && work.dispute.is_none();
            let of_ending = |(parent, _): &(Pubkey, u16)| works.get(parent).is_some_and(ending);
            active && work.inherited.ends_by.is_some() && work.parents.iter().any(of_ending)
        });
        let laundered: Vec<_> = laundered.map(|(address, work)| (*address, work.owner)).collect();
        if let Some(&(work, owner)) = laundered.choose(&mut self.random) {
            let owner = self.cast.find(&owner)?;
            let mint = self.cast.currencies[0].mint;
            let offer = self.publishing(owner, work, mint, free_offer());
            return Some(offer.of_attack("consent laundered by the owner"));
        }
        let parents = works.iter().filter(|(_, work)| {
            let active = work.status == Status::Active && work.dispute.is_none();
            active && ending(work)
        });
        let parents: Vec<_> = parents.map(|(address, work)| (*address, work.owner)).collect();
        let &(from, owner) = parents.choose(&mut self.random)?;
        let register = self.deriving(owner, Made { from, bps: 0, right: Right::Owner(owner) })?;
        Some(register.of_attack("consent laundered by the owner"))
    }

    /// A thief makes a work of its own the parent, with all earnings, of another; whose creator
    /// disputes that.
    pub(super) fn dummy_parent(&mut self) -> Option<Step> {
        let drained = self.ledger.works.iter().filter(|(_, work)| {
            work.dispute.is_none() && work.parents.iter().any(|(_, bps)| *bps == 10_000)
        });
        let drained: Vec<_> = drained.map(|(address, _)| *address).collect();
        let chosen = drained.choose(&mut self.random).copied();
        let step = match chosen.filter(|_| self.random.random_ratio(1, 4)) {
            Some(work) => {
                let claimant = self.cast.any_person(&mut self.random);
                self.opening_dispute(&claimant, work, self.ledger.config.bond)
            }
            None => {
                let from = self.work()?;
                let owner = self.ledger.works[&from].owner;
                let right = Right::Owner(owner);
                self.deriving(owner, Made { from, bps: 10_000, right })?
            }
        };
        Some(step.of_attack("dummy parent"))
    }

    /// An owner withdraws a licensed work and has an accomplice dispute it, so that its licensee
    /// derives nothing before the notice ends; the licensee does.
    pub(super) fn stage_dispute(&mut self) -> Option<Step> {
        let mut used = Vec::new();
        for (address, channel) in &self.ledger.channels {
            for (index, license) in (0_u16..).zip(&channel.licenses) {
                let work = &self.ledger.works[&license.work];
                let terms = work.terms.get(&license.terms_number);
                let allowed = terms.filter(|terms| terms.derivatives == Derivatives::Allowed);
                if let Some(terms) = allowed.filter(|_| license.units > 0) {
                    let right = Right::License(license.terms_number, *address, index);
                    let made = Made { from: license.work, bps: terms.derivative_bps, right };
                    used.push((made, channel.payer));
                }
            }
        }
        let &(made, payer) = used.choose(&mut self.random)?;
        let work = &self.ledger.works[&made.from];
        if work.dispute.is_some() {
            let derive = self.deriving(payer, made)?;
            return Some(derive.of_attack("staged dispute"));
        }
        let disputes = work.withdrawn_at.is_some() || self.random.random_ratio(1, 2);
        let step = if disputes {
            let accomplice = self.cast.any_person(&mut self.random);
            self.opening_dispute(&accomplice, made.from, self.ledger.config.bond)
        } else {
            let owner = self.cast.find(&self.ledger.works[&made.from].owner)?;
            self.withdrawing_work(owner, made.from)
        };
        Some(step.of_attack("staged dispute"))
    }

    /// The owner by a verdict withdraws its work, whose licenses of the thief's terms have a long
    /// notice, and applies the withdrawal to them.
    pub(super) fn reclaim(&mut self) -> Option<Step> {
        let mut licenses = Vec::new();
        for (address, channel) in &self.ledger.channels {
            for (index, license) in (0_u16..).zip(&channel.licenses) {
                if license.terms_number < self.ledger.works[&license.work].verdict_terms {
                    licenses.push((*address, index, license.work));
                }
            }
        }
        let &(channel, index, work) = licenses.choose(&mut self.random)?;
        let of = &self.ledger.works[&work];
        let step = if of.withdrawn_at.is_some() {
            self.applying_withdrawal(channel, (index, work))
        } else {
            let owner = self.cast.find(&of.owner)?;
            self.withdrawing_work(owner, work)
        };
        Some(step.of_attack("license of a thief's terms"))
    }
}

/// Returns an offer that is free and never ends.
fn free_offer() -> Offer {
    let price = UsePrice { licensed_use: USES[0], unit: Unit::Generation, price: 0 };
    Offer { legal_digest: [0x1E; 32], ..Offer::new(vec![price]) }
}
