//! Calls of the licensing program.

use anchor_lang::error::ErrorCode;
use licensing::{Caps, Derivatives, Offer, Purpose, Unit, Use, UsePrice, WorkKind, WorkStatus};
use motif_sdk::{
    licensing::{
        self as sdk, ModelDeclaration, ParentShare, ProposeSplitArgs, Registration,
        Right as SdkRight, Share,
    },
    pda,
};
use rand::{Rng, seq::IndexedRandom};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hashv;

use super::{
    Episode, Known, Step,
    metadata_steps::{metadata, title},
};
use crate::{
    model::{Ledger, Made, Refused, Registering, Right, Status, Terms},
    world::{Call, Code, Person},
};

/// Compute units for `issue_certificate`, which calls Token Metadata three times.
const CERTIFICATE_UNITS: u32 = 400_000;

pub(super) const USES: [Use; 3] = [Use::Generate, Use::Train, Use::Play];

/// Adds a rule to the model's result that only outdated accounts can break.
pub(super) fn unless(
    broken: bool,
    code: impl Into<Code>,
    ledger: &mut Ledger,
    answer: impl FnOnce(&mut Ledger) -> Result<(), Refused>,
) -> Result<(), Refused> {
    if !broken {
        return answer(ledger);
    }
    let mut codes = match answer(&mut ledger.clone()) {
        Err(Refused(codes)) => codes,
        Ok(()) => Vec::new(),
    };
    codes.push(code.into());
    Err(Refused(codes))
}

fn shares(split: &[(Pubkey, u16)]) -> Vec<Share> {
    split.iter().map(|&(recipient, share_bps)| Share { recipient, share_bps }).collect()
}

impl Episode {
    pub(super) fn work(&mut self) -> Option<Pubkey> {
        let works: Vec<_> = self.ledger.works.keys().copied().collect();
        works.choose(&mut self.random).copied()
    }

    pub(super) fn owner_of(&mut self, work: &Pubkey) -> Person {
        let owner = self.ledger.works[work].owner;
        self.cast.mostly(&owner, &mut self.random)
    }

    /// Draws a split, nearly always with a valid total.
    fn split(&mut self) -> Vec<(Pubkey, u16)> {
        let width = self.random.random_range(1..=self.cast.people.len().min(5));
        let chosen: Vec<_> =
            self.cast.people.choose_multiple(&mut self.random, width).map(Person::key).collect();
        let mut left: u16 = 10_000;
        let mut split = Vec::new();
        for (position, person) in chosen.into_iter().enumerate() {
            let rest = (width - position - 1) as u16;
            let bps = match rest {
                0 => left,
                _ => self.random.random_range(1..=left - rest),
            };
            left -= bps;
            split.push((person, bps));
        }
        match self.random.random_range(0..40) {
            0 => split[0].1 = split[0].1.wrapping_add(1),
            1 => split.push(split[0]),
            2 => split[0].1 = 0,
            3 => split.clear(),
            _ => {}
        }
        split
    }

    /// Draws a time in the next days, sometimes a past one.
    fn moment(&mut self) -> i64 {
        let seconds = self.random.random_range(-86_400..30 * 86_400);
        self.ledger.now.saturating_add(seconds)
    }

    pub(super) fn register_work(&mut self) -> Option<Step> {
        if self.ledger.works.len() >= 12 {
            return None;
        }
        let creator = self.cast.any_person(&mut self.random);
        let digest = if self.random.random_ratio(1, 40) { [0; 32] } else { self.content() };
        let kind = *[WorkKind::Image, WorkKind::Voice, WorkKind::StyleModel, WorkKind::Text]
            .choose(&mut self.random)?;
        let consent = (kind == WorkKind::Voice || self.random.random_ratio(1, 6))
            .then(|| self.cast.any_person(&mut self.random));
        let consent_end = self.random.random_ratio(1, 5).then(|| self.moment());
        let model = (kind == WorkKind::StyleModel)
            .then(|| self.random.random_ratio(1, 4))
            .filter(|_| self.random.random_ratio(19, 20));
        let mut parents = Vec::new();
        for _ in 0..self.random.random_range(0..=3) {
            let Some(from) = self.work() else { break };
            let bps = self.random.random_range(0..=3_400);
            let right = self.right(&from, &creator);
            parents.push(Made { from, bps, right });
        }
        let min_expires_at = self.random.random_ratio(1, 8).then(|| self.moment());
        let split = self.split();
        let titled = self.random.random_ratio(1, 4);
        let what = Registering {
            creator: creator.key(),
            kind,
            digest_given: digest != [0; 32],
            consent: consent.map(|person| person.key()),
            consent_end,
            model,
            min_expires_at,
            parents,
            split,
            title: if titled { title(&mut self.random) } else { String::new() },
            metadata: if titled { metadata(&mut self.random) } else { Default::default() },
        };
        Some(self.registering(digest, what))
    }

    /// Draws the digest of a content.
    pub(super) fn content(&mut self) -> [u8; 32] {
        let number = self.random.random_range(0..1_000_u32).to_le_bytes();
        hashv(&[b"content", &number]).to_bytes()
    }

    /// Registers a work, signed by all whose consent it needs.
    pub(super) fn registering(&mut self, digest: [u8; 32], what: Registering) -> Step {
        let mut signing = vec![what.creator];
        signing.extend(what.consent);
        let (mut parents, mut rights) = (Vec::new(), Vec::new());
        for &Made { from, bps, right } in &what.parents {
            rights.push(match right {
                Right::Owner(key) => {
                    signing.push(key);
                    SdkRight::OwnerSigns(key)
                }
                Right::Terms(number) => SdkRight::Terms(number),
                Right::Approval(number) => SdkRight::Approval(number),
                Right::License(terms_number, channel, index) => {
                    SdkRight::License { terms_number, channel, index }
                }
            });
            parents.push(ParentShare { work: from, share_bps: bps });
        }
        let registration = Registration {
            consent_expires_at: what.consent_end,
            model: what.model.map(|likeness| ModelDeclaration {
                base_model: "base".to_owned(),
                training_root: [7; 32],
                likeness,
            }),
            min_expires_at: what.min_expires_at,
            title: what.title.clone(),
            metadata_uri: what.metadata.0.clone(),
            metadata_digest: what.metadata.1,
            parents,
            split: shares(&what.split),
            ..Registration::new(what.kind, digest, &what.creator)
        };
        let creator = what.creator;
        let instruction = sdk::register_work(&creator, what.consent, &registration, &rights);
        let address = pda::work(&creator, &digest);
        self.know(address, Known::Work);
        let signers = signing.iter().filter_map(|key| self.cast.find(key)).cloned();
        let call = Call::new([instruction], &distinct(&signers.collect::<Vec<_>>()));
        Step::new("register_work", call, move |ledger| ledger.register(address, &what))
    }

    /// Finds the best right to derive from a parent.
    fn right(&mut self, from: &Pubkey, creator: &Person) -> Right {
        let latest = self.ledger.works[from].latest_terms;
        let number = match self.random.random_range(0..8) {
            0 => latest.saturating_sub(1).max(1),
            _ => latest.max(1),
        };
        let licensed = self.ledger.channels.iter().find_map(|(address, channel)| {
            let own = channel.payer == creator.key();
            let index = channel.licenses.iter().position(|license| license.work == *from)?;
            let terms_number = channel.licenses[index].terms_number;
            own.then_some((terms_number, *address, index as u16))
        });
        match (self.random.random_range(0..4), licensed) {
            (0, Some((terms_number, channel, index))) => {
                Right::License(terms_number, channel, index)
            }
            (0 | 1, _) => Right::Terms(number),
            (2, _) if self.ledger.works[from].terms.contains_key(&number) => {
                Right::Approval(number)
            }
            _ => {
                let owner = self.ledger.works[from].owner;
                Right::Owner(self.cast.mostly(&owner, &mut self.random).key())
            }
        }
    }

    pub(super) fn publish_terms(&mut self) -> Option<Step> {
        let work = self.work()?;
        let owner = self.owner_of(&work);
        let mint = self.cast.currencies.choose(&mut self.random)?.mint;
        let random = &mut self.random;
        let price = match random.random_range(0..12) {
            0 => 0,
            1 => u64::MAX / 3,
            _ => random.random_range(1..=1_000),
        };
        let mut cap = |one_in: u32, most: u64| {
            random.random_ratio(1, one_in).then(|| random.random_range(0..=most))
        };
        let caps = Caps {
            total_units: cap(4, 300),
            daily_units: cap(5, 40),
            licensee_units: cap(5, 100),
            revenue: cap(5, 200_000),
        };
        let ends = random.random_ratio(1, 3);
        let valid_from = if random.random_ratio(1, 12) { self.moment() } else { 0 };
        let expires_at = ends.then(|| self.moment());
        let operators = self.named_operators();
        let random = &mut self.random;
        let count = random.random_range(0..=3).max(random.random_range(0..=1));
        let uses: Vec<_> = USES
            .iter()
            .take(count)
            .map(|&licensed_use| {
                let price = if random.random_ratio(1, 8) { 0 } else { price };
                UsePrice { licensed_use, unit: Unit::Generation, price }
            })
            .collect();
        let offer = Offer {
            commercial: random.random_ratio(4, 5),
            attribution: true,
            sublicensing: false,
            approval_required: random.random_ratio(1, 5),
            derivatives: *[
                Derivatives::Allowed,
                Derivatives::Allowed,
                Derivatives::WithApproval,
                Derivatives::Forbidden,
            ]
            .choose(random)?,
            share_alike: random.random_ratio(1, 5),
            derivative_share_bps: random.random_range(0..=2_000),
            upfront_fee: if random.random_ratio(1, 3) { random.random_range(0..=500) } else { 0 },
            free_units: if random.random_ratio(1, 4) { random.random_range(0..=20) } else { 0 },
            caps,
            valid_from,
            expires_at,
            notice_seconds: random.random_range(0..=10 * 86_400),
            legal_digest: [0x1E; 32],
            uses,
            operators,
            legal_uri: String::new(),
        };
        Some(self.publishing(&owner, work, mint, offer))
    }

    /// Draws the operators that terms name: mostly none, sometimes too many or one twice.
    fn named_operators(&mut self) -> Vec<Pubkey> {
        let count = match self.random.random_range(0..12) {
            0 => 5,
            1..4 => self.random.random_range(1..=4),
            _ => 0,
        };
        let people = self.cast.people.choose_multiple(&mut self.random, count);
        let mut operators: Vec<_> = people.map(Person::key).collect();
        if self.random.random_ratio(1, 12) {
            operators.extend(operators.first().copied());
        }
        operators
    }

    /// Publishes the next version of a work's terms; `owner` signs.
    pub(super) fn publishing(
        &self,
        owner: &Person,
        work: Pubkey,
        mint: Pubkey,
        offer: Offer,
    ) -> Step {
        let caps = offer.caps;
        let latest = self.ledger.works[&work].latest_terms;
        let number = latest + 1;
        let terms = Terms {
            prices: offer.uses.iter().map(|price| (price.licensed_use, price.price)).collect(),
            mint,
            digest: [0; 32],
            upfront_fee: offer.upfront_fee,
            free_units: offer.free_units,
            commercial: offer.commercial,
            derivatives: offer.derivatives,
            derivative_bps: offer.derivative_share_bps,
            share_alike: offer.share_alike,
            approval_required: offer.approval_required,
            total_units: caps.total_units,
            daily_units: caps.daily_units,
            licensee_units: caps.licensee_units,
            revenue: caps.revenue,
            valid_from: offer.valid_from,
            expires_at: offer.expires_at,
            operators: offer.operators.clone(),
            notice_seconds: offer.notice_seconds,
            units_out: 0,
            revenue_out: 0,
            licensees: Vec::new(),
            approvals: std::collections::BTreeMap::new(),
        };
        let instruction = sdk::publish_terms(&owner.key(), &work, latest, &mint, offer);
        let (caller, call) = (owner.key(), Call::new([instruction], &[owner]));
        Step::new("publish_terms", call, move |ledger| {
            let moved = ledger.work(&work)?.latest_terms + 1 != number;
            unless(moved, ErrorCode::ConstraintSeeds, ledger, |ledger| {
                ledger.publish(caller, work, terms.clone())
            })
        })
    }

    /// Returns a work that has terms.
    pub(super) fn some_terms(&mut self) -> Option<(Pubkey, u32)> {
        let all: Vec<_> = self
            .ledger
            .works
            .iter()
            .flat_map(|(work, of)| of.terms.keys().map(|number| (*work, *number)))
            .collect();
        let latest: Vec<_> = all
            .iter()
            .filter(|(work, number)| self.ledger.works[work].latest_terms == *number)
            .collect();
        match latest.choose(&mut self.random) {
            Some(latest) if self.random.random_ratio(9, 10) => Some(**latest),
            _ => all.choose(&mut self.random).copied(),
        }
    }

    pub(super) fn approve(&mut self) -> Option<Step> {
        let (work, terms) = self.some_terms()?;
        let owner = self.owner_of(&work);
        let grantee = self.cast.any_person(&mut self.random).key();
        let derivative = self.random.random();
        let purpose = if derivative { Purpose::Derivative } else { Purpose::License };
        let instruction = sdk::grant_approval(&owner.key(), &work, terms, &grantee, purpose);
        let (caller, call) = (owner.key(), Call::new([instruction], &[&owner]));
        Some(Step::new("grant_approval", call, move |ledger| {
            ledger.approve(caller, work, terms, grantee, derivative)
        }))
    }

    pub(super) fn revoke_approval(&mut self) -> Option<Step> {
        let all: Vec<_> = self
            .ledger
            .works
            .iter()
            .flat_map(|(work, of)| {
                of.terms.iter().flat_map(|(number, terms)| {
                    terms.approvals.iter().map(|(which, by)| (*work, *number, *which, *by))
                })
            })
            .collect();
        let &(work, terms, (grantee, derivative), granted_by) = all.choose(&mut self.random)?;
        let owner = self.owner_of(&work);
        let purpose = if derivative { Purpose::Derivative } else { Purpose::License };
        let instruction =
            sdk::revoke_approval(&owner.key(), &work, terms, &grantee, purpose, &granted_by);
        let (caller, call) = (owner.key(), Call::new([instruction], &[&owner]));
        Some(Step::new("revoke_approval", call, move |ledger| {
            let of = ledger.work(&work)?.terms.get(&terms);
            let by = of.and_then(|terms| terms.approvals.get(&(grantee, derivative))).copied();
            let other = by.is_some_and(|by| by != granted_by);
            unless(other, ErrorCode::ConstraintHasOne, ledger, |ledger| {
                ledger.revoke(caller, work, terms, grantee, derivative)
            })
        }))
    }

    pub(super) fn offer_ownership(&mut self) -> Option<Step> {
        let work = self.work()?;
        let owner = self.owner_of(&work);
        let to =
            self.random.random_ratio(4, 5).then(|| self.cast.any_person(&mut self.random).key());
        let instruction = sdk::offer_ownership(&owner.key(), &work, to);
        let (caller, call) = (owner.key(), Call::new([instruction], &[&owner]));
        Some(Step::new("offer_ownership", call, move |ledger| {
            ledger.offer_ownership(caller, work, to)
        }))
    }

    pub(super) fn accept_ownership(&mut self) -> Option<Step> {
        let work = self.work()?;
        let offered = self.ledger.works[&work].pending_owner;
        let accepter = self.cast.mostly(&offered.unwrap_or_default(), &mut self.random);
        let of = &self.ledger.works[&work];
        let (withdrawn, split_version) = (of.status == Status::Withdrawn, of.split_version);
        let status = if withdrawn { WorkStatus::Withdrawn } else { WorkStatus::Active };
        let stale = u32::from(self.random.random_ratio(1, 12));
        let latest_terms = of.latest_terms.wrapping_sub(stale);
        let expected = sdk::AcceptOwnershipArgs { status, latest_terms, split_version };
        Some(self.accepting_ownership(&accepter, work, expected))
    }

    /// Accepts the ownership of a work as `expected`.
    pub(super) fn accepting_ownership(
        &self,
        accepter: &Person,
        work: Pubkey,
        expected: sdk::AcceptOwnershipArgs,
    ) -> Step {
        let instruction = sdk::accept_ownership(&accepter.key(), &work, expected);
        let (caller, call) = (accepter.key(), Call::new([instruction], &[accepter]));
        let sdk::AcceptOwnershipArgs { status, latest_terms, split_version } = expected;
        Step::new("accept_ownership", call, move |ledger| {
            let withdrawn = status == WorkStatus::Withdrawn;
            ledger.accept_ownership(caller, work, withdrawn, latest_terms, split_version)
        })
    }

    pub(super) fn propose_split(&mut self) -> Option<Step> {
        let work = self.work()?;
        let owner = self.owner_of(&work);
        let mut split = self.split();
        let whole = split.len() as u8; // a handful
        let rest = self.random.random_ratio(1, 3) && whole > 1;
        if rest {
            split.pop();
        }
        let recipients = whole;
        let recipients = if self.random.random_ratio(1, 40) { 33 } else { recipients };
        let expires_at = self.random.random_ratio(1, 4).then(|| self.moment());
        let args = ProposeSplitArgs { recipients, expires_at, shares: shares(&split) };
        let instruction = sdk::propose_split(&owner.key(), &work, args);
        let (caller, call) = (owner.key(), Call::new([instruction], &[&owner]));
        Some(Step::new("propose_split", call, move |ledger| {
            ledger.propose_split(caller, work, recipients, expires_at, split.clone())
        }))
    }

    pub(super) fn extend_split_change(&mut self) -> Option<Step> {
        let incomplete: Vec<_> = self
            .ledger
            .works
            .iter()
            .filter(|(_, work)| {
                let change = work.change.as_ref();
                change.is_some_and(|change| change.split.len() < usize::from(change.recipients))
            })
            .map(|(address, _)| *address)
            .collect();
        let work = match incomplete.choose(&mut self.random) {
            Some(work) => *work,
            None if self.random.random_ratio(1, 8) => self.work()?,
            None => return None,
        };
        let owner = self.owner_of(&work);
        let mut part = vec![(self.cast.any_person(&mut self.random).key(), 1)];
        if let Some(change) = &self.ledger.works[&work].change {
            let given: u16 = change.split.iter().map(|(_, bps)| *bps).fold(0, u16::wrapping_add);
            part[0].1 = 10_000_u16.saturating_sub(given);
        }
        let instruction = sdk::extend_split_change(&owner.key(), &work, &shares(&part));
        let (caller, call) = (owner.key(), Call::new([instruction], &[&owner]));
        Some(Step::new("extend_split_change", call, move |ledger| {
            ledger.extend_split(caller, work, &part)
        }))
    }

    /// Returns a work with a proposed split, if any.
    fn changing(&mut self) -> Option<Pubkey> {
        let changing: Vec<_> =
            self.ledger.works.iter().filter(|(_, work)| work.change.is_some()).collect();
        let chosen = changing.choose(&mut self.random).map(|(address, _)| **address);
        if self.random.random_ratio(9, 10) { chosen.or_else(|| self.work()) } else { self.work() }
    }

    pub(super) fn approve_split_change(&mut self) -> Option<Step> {
        let work = self.changing()?;
        let of = &self.ledger.works[&work];
        let mut read = of.change.as_ref().map_or(Vec::new(), |change| change.split.clone());
        let recipient = of.split.choose(&mut self.random)?.0;
        let recipient = self.cast.mostly(&recipient, &mut self.random);
        if self.random.random_ratio(1, 15) {
            read.reverse();
        }
        let instruction = sdk::approve_split_change(&recipient.key(), &work, &shares(&read));
        let (caller, call) = (recipient.key(), Call::new([instruction], &[&recipient]));
        Some(Step::new("approve_split_change", call, move |ledger| {
            ledger.approve_split(caller, work, &read)
        }))
    }

    pub(super) fn revoke_split_approval(&mut self) -> Option<Step> {
        let work = self.changing()?;
        let recipient = self.ledger.works[&work].split.choose(&mut self.random)?.0;
        let recipient = self.cast.mostly(&recipient, &mut self.random);
        let instruction = sdk::revoke_split_approval(&recipient.key(), &work);
        let (caller, call) = (recipient.key(), Call::new([instruction], &[&recipient]));
        Some(Step::new("revoke_split_approval", call, move |ledger| {
            ledger.revoke_split(caller, work)
        }))
    }

    pub(super) fn apply_split_change(&mut self) -> Option<Step> {
        let work = self.changing()?;
        let of = &self.ledger.works[&work];
        let proposer = of.change.as_ref().map_or(of.owner, |change| change.proposer);
        let payer = self.cast.any_person(&mut self.random);
        let instruction = sdk::apply_split_change(&payer.key(), &work, &proposer);
        let call = Call::new([instruction], &[&payer]);
        Some(Step::new("apply_split_change", call, move |ledger| {
            unless(
                other_proposer(ledger, &work, &proposer),
                ErrorCode::ConstraintHasOne,
                ledger,
                |ledger| ledger.apply_split_change(work),
            )
        }))
    }

    pub(super) fn cancel_split_change(&mut self) -> Option<Step> {
        let work = self.changing()?;
        let owner = self.owner_of(&work);
        let of = &self.ledger.works[&work];
        let proposer = of.change.as_ref().map_or(of.owner, |change| change.proposer);
        let instruction = sdk::cancel_split_change(&owner.key(), &work, &proposer);
        let (caller, call) = (owner.key(), Call::new([instruction], &[&owner]));
        Some(Step::new("cancel_split_change", call, move |ledger| {
            unless(
                other_proposer(ledger, &work, &proposer),
                ErrorCode::ConstraintHasOne,
                ledger,
                |ledger| ledger.cancel_split_change(caller, work),
            )
        }))
    }

    pub(super) fn withdraw_work(&mut self) -> Option<Step> {
        let work = self.work()?;
        let owner = self.owner_of(&work);
        Some(self.withdrawing_work(&owner, work))
    }

    pub(super) fn withdrawing_work(&self, owner: &Person, work: Pubkey) -> Step {
        let instruction = sdk::withdraw_work(&owner.key(), &work);
        let (caller, call) = (owner.key(), Call::new([instruction], &[owner]));
        Step::new("withdraw_work", call, move |ledger| ledger.withdraw_work(caller, work))
    }

    pub(super) fn set_consent_end(&mut self) -> Option<Step> {
        let consented: Vec<_> = self
            .ledger
            .works
            .iter()
            .filter_map(|(work, of)| Some((*work, of.consent?.0)))
            .collect();
        let &(work, person) = consented.choose(&mut self.random)?;
        let person = self.cast.mostly(&person, &mut self.random);
        let end = self.random.random_ratio(2, 3).then(|| self.moment());
        Some(self.setting_consent_end(&person, work, end))
    }

    pub(super) fn setting_consent_end(
        &self,
        person: &Person,
        work: Pubkey,
        end: Option<i64>,
    ) -> Step {
        let instruction = sdk::set_consent_end(&person.key(), &work, end);
        let (caller, call) = (person.key(), Call::new([instruction], &[person]));
        Step::new("set_consent_end", call, move |ledger| ledger.set_consent_end(caller, work, end))
    }

    pub(super) fn issue_certificate(&mut self) -> Option<Step> {
        let work = self.work()?;
        let owner = self.owner_of(&work);
        let name = if self.random.random_ratio(1, 12) { "" } else { "A work" };
        let units = ComputeBudgetInstruction::set_compute_unit_limit(CERTIFICATE_UNITS);
        let instruction = sdk::issue_certificate(&owner.key(), &work, name);
        let (caller, call) = (owner.key(), Call::new([units, instruction], &[&owner]));
        let named = !name.is_empty();
        Some(Step::new("issue_certificate", call, move |ledger| {
            ledger.issue_certificate(caller, work, named)
        }))
    }
}

fn other_proposer(ledger: &Ledger, work: &Pubkey, proposer: &Pubkey) -> bool {
    let change = ledger.works.get(work).and_then(|work| work.change.as_ref());
    change.is_some_and(|change| change.proposer != *proposer)
}

/// Removes duplicate signers.
pub(super) fn distinct(people: &[Person]) -> Vec<&Person> {
    let mut distinct: Vec<&Person> = Vec::new();
    for person in people {
        if distinct.iter().all(|other| other.key() != person.key()) {
            distinct.push(person);
        }
    }
    distinct
}
