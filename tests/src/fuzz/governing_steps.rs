//! Calls of the licensing program about disputes and the config.

use anchor_lang::error::ErrorCode;
use licensing::{Award, LicensingError, Verdict};
use motif_sdk::licensing::{self as sdk, OpenDisputeArgs, UpdateConfigArgs};
use rand::{Rng, seq::IndexedRandom};
use solana_pubkey::Pubkey;

use super::{Episode, Step, licensing_steps::unless};
use crate::{
    model::{Awarded, Deciding, Ledger, Refused},
    world::{Call, Code, Person},
};

impl Episode {
    pub(super) fn open_dispute(&mut self) -> Option<Step> {
        let work = self.work()?;
        let claimant = self.cast.any_person(&mut self.random);
        let bond = self.ledger.config.bond;
        let max_bond = if self.random.random_ratio(1, 12) { bond.saturating_sub(1) } else { bond };
        Some(self.opening_dispute(&claimant, work, max_bond))
    }

    pub(super) fn opening_dispute(&self, claimant: &Person, work: Pubkey, max_bond: u64) -> Step {
        let args =
            OpenDisputeArgs { evidence_digest: [3; 32], evidence_uri: String::new(), max_bond };
        let instruction = sdk::open_dispute(&claimant.key(), &work, args);
        let (caller, call) = (claimant.key(), Call::new([instruction], &[claimant]));
        Step::new("open_dispute", call, move |ledger| ledger.open_dispute(caller, work, max_bond))
    }

    /// Returns a disputed work with its owner and claimant.
    pub(super) fn disputed(&mut self) -> Option<(Pubkey, Pubkey, Pubkey)> {
        let disputed: Vec<_> = self
            .ledger
            .works
            .iter()
            .filter_map(|(work, of)| Some((*work, of.owner, of.dispute?.claimant)))
            .collect();
        disputed.choose(&mut self.random).copied()
    }

    pub(super) fn decide_dispute(&mut self) -> Option<Step> {
        let (work, owner, claimant) = self.disputed()?;
        let arbiter = match self.random.random_range(0..10) {
            0 => self.cast.any_person(&mut self.random),
            _ => self.arbiter(),
        };
        let upheld = self.random.random_bool(0.5);
        let kept_parents: u8 =
            if self.random.random_bool(0.5) { u8::MAX } else { self.random.random() };
        let award = Award { kept_parents, keeps_recipients: self.random.random_ratio(1, 3) };
        Some(self.deciding(&arbiter, (work, owner, claimant), upheld.then_some(award)))
    }

    /// Returns the arbiter, which can be the host.
    pub(super) fn arbiter(&self) -> Person {
        let arbiter = self.ledger.config.arbiter;
        self.cast.find(&arbiter).unwrap_or(&self.world.host).clone()
    }

    /// Decides the dispute about a work between owner and claimant: upheld with this award, or
    /// rejected.
    pub(super) fn deciding(
        &self,
        arbiter: &Person,
        (work, owner, claimant): (Pubkey, Pubkey, Pubkey),
        award: Option<Award>,
    ) -> Step {
        let verdict = award.map_or(Verdict::Rejected, Verdict::Upheld);
        let instruction = sdk::decide_dispute(&arbiter.key(), &work, &owner, &claimant, verdict);
        let (caller, call) = (arbiter.key(), Call::new([instruction], &[arbiter]));
        Step::new("decide_dispute", call, move |ledger| {
            let how = award.map_or(Deciding::Rejected(caller), |award| {
                let Award { kept_parents, keeps_recipients } = award;
                let kept_parents = std::array::from_fn(|place| kept_parents >> place & 1 == 1);
                Deciding::Upheld(caller, Awarded { kept_parents, keeps_recipients })
            });
            let others = other_parties(ledger, &work, &owner, &claimant);
            unless(others, ErrorCode::ConstraintHasOne, ledger, |ledger| {
                ledger.end_dispute(work, how)
            })
        })
    }

    pub(super) fn expire_dispute(&mut self) -> Option<Step> {
        let (work, owner, claimant) = self.disputed()?;
        let call = Call::new([sdk::expire_dispute(&work, &owner, &claimant)], &[]);
        Some(Step::new("expire_dispute", call, move |ledger| {
            let others = other_parties(ledger, &work, &owner, &claimant);
            unless(others, ErrorCode::ConstraintHasOne, ledger, |ledger| {
                ledger.end_dispute(work, Deciding::Expired)
            })
        }))
    }

    pub(super) fn authority(&mut self) -> Person {
        let authority = self.ledger.config.authority;
        match self.random.random_range(0..6) {
            0 => self.cast.any_person(&mut self.random),
            _ if authority == self.world.host.key() => self.world.host.clone(),
            _ => self.cast.mostly(&authority, &mut self.random),
        }
    }

    pub(super) fn initialize(&mut self) -> Option<Step> {
        let thief = self.cast.any_person(&mut self.random);
        let args = sdk::InitializeArgs {
            cluster: [9; 32],
            arbiter: thief.key(),
            dispute_bond_lamports: 10_000_000,
            dispute_seconds: 86_400,
        };
        let call = Call::new([sdk::initialize(&thief.key(), args)], &[&thief]);
        Some(Step::new("initialize", call, |_| {
            let codes = vec![
                Code::from((Pubkey::default(), 0)),
                LicensingError::NotUpgradeAuthority.into(),
            ];
            Err(Refused(codes))
        }))
    }

    pub(super) fn update_config(&mut self) -> Option<Step> {
        let authority = self.authority();
        let arbiter = self.cast.any_person(&mut self.random).key();
        let dispute_seconds = self.random.random_range(80_000..=61 * 86_400);
        let dispute_bond_lamports = self.random.random_range(0..=20_000_000);
        let args = UpdateConfigArgs { arbiter, dispute_bond_lamports, dispute_seconds };
        Some(self.updating_config(&authority, args))
    }

    pub(super) fn updating_config(&self, authority: &Person, args: UpdateConfigArgs) -> Step {
        let instruction = sdk::update_config(&authority.key(), args.clone());
        let least = self.least_bond();
        let (caller, call) = (authority.key(), Call::new([instruction], &[authority]));
        let UpdateConfigArgs { arbiter, dispute_bond_lamports, dispute_seconds } = args;
        Step::new("update_config", call, move |ledger| {
            ledger.update_config(caller, arbiter, dispute_bond_lamports, dispute_seconds, least)
        })
    }

    pub(super) fn offer_authority(&mut self) -> Option<Step> {
        let authority = self.authority();
        let to =
            self.random.random_ratio(2, 3).then(|| self.cast.any_person(&mut self.random).key());
        let instruction = sdk::offer_authority(&authority.key(), to);
        let (caller, call) = (authority.key(), Call::new([instruction], &[&authority]));
        Some(Step::new("offer_authority", call, move |ledger| ledger.offer_authority(caller, to)))
    }

    pub(super) fn accept_authority(&mut self) -> Option<Step> {
        let offered = self.ledger.config.pending_authority.unwrap_or_default();
        let accepter = self.cast.mostly(&offered, &mut self.random);
        let instruction = sdk::accept_authority(&accepter.key());
        let (caller, call) = (accepter.key(), Call::new([instruction], &[&accepter]));
        Some(Step::new("accept_authority", call, move |ledger| ledger.accept_authority(caller)))
    }
}

fn other_parties(ledger: &Ledger, work: &Pubkey, owner: &Pubkey, claimant: &Pubkey) -> bool {
    let Some(work) = ledger.works.get(work) else { return false };
    let other_claimant = work.dispute.is_some_and(|dispute| dispute.claimant != *claimant);
    work.owner != *owner || other_claimant
}
