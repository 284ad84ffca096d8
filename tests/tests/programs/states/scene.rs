//! A work in each state, with all accounts that instructions need.

use motif_sdk::{
    channel::Currency,
    earnings,
    licensing::{
        self as sdk, AcceptOwnershipArgs, OpenDisputeArgs, ProposeSplitArgs, Purpose, Right, Share,
        UpdateMetadataArgs, Verdict, WorkKind,
    },
    pda, till,
};
use motif_tests::world::{Call, OpenedChannel, Person, PublishedTerms, RegisteredWork, World};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::Instruction;

use super::rules::{Parent, Terms, Work};

const TOKEN_METADATA_ELF: &[u8] =
    include_bytes!("../../../../programs/artifacts/token_metadata.so");
const DAY: i64 = 86_400;
/// Time of the cells, seconds after the start.
const LATER: i64 = 20 * DAY;
const HOUR: i64 = 3_600;

#[derive(Clone)]
pub struct Scene {
    pub world: World,
    /// Voice with two recipients, whose split has changed once.
    work: RegisteredWork,
    person: Person,
    parent: Option<RegisteredWork>,
    /// Derivative of the work.
    derivative: RegisteredWork,
    /// First terms of the work.
    terms: Option<PublishedTerms>,
    channel: OpenedChannel,
    /// Channel of a payer without licenses.
    new_channel: OpenedChannel,
    /// Grantee of approvals to license and to derive.
    grantee: Person,
    heir: Person,
    claimant: Person,
    /// Currency in which the work's earnings have the old split.
    stale: Currency,
    /// Currency without earnings.
    fresh: Currency,
    split: Vec<Share>,
}

impl Scene {
    pub fn new(work_state: Work, parent_state: Parent, terms_state: Terms) -> Self {
        let mut scene = Self::beginning(parent_state != Parent::None);
        scene.publish(terms_state);
        scene.change_split();
        scene.earn();
        // In order of time.
        if work_state == Work::Gone {
            scene.at(LATER - 10 * DAY);
            scene.withdraw(&scene.work.clone());
        }
        if let (Parent::Withdrawn, Some(parent)) = (parent_state, scene.parent.clone()) {
            scene.at(LATER - 10 * DAY);
            scene.withdraw(&parent);
        }
        if let (Parent::Disputed, Some(parent)) = (parent_state, scene.parent.clone()) {
            scene.at(LATER - DAY);
            scene.dispute(&parent);
        }
        match work_state {
            Work::Disputed => {
                scene.at(LATER - DAY);
                scene.dispute(&scene.work.clone());
            }
            Work::Withdrawn => {
                scene.at(LATER - HOUR);
                scene.withdraw(&scene.work.clone());
            }
            Work::Active | Work::Gone => {}
        }
        scene.at(LATER);
        scene
    }

    fn beginning(with_parent: bool) -> Self {
        let mut world = World::new();
        let metadata = sdk::TOKEN_METADATA_PROGRAM;
        world.svm.add_program(metadata, TOKEN_METADATA_ELF).unwrap();
        let (stale, fresh) = (world.other_currency(), world.other_currency());
        let [person, grantee, heir, claimant] = [(); 4].map(|()| world.person());
        let parent = with_parent.then(|| world.work().register());
        let work = world.work().split(&[5_000, 5_000]).of(&person);
        let work = work.with(|work| work.kind = WorkKind::Voice);
        let work = parent.iter().fold(work, |work, parent| work.parent(parent, 2_000)).register();
        let derivative = world.work().parent(&work, 1_000).register();
        let channel = world.channel().open();
        let new_channel = world.channel().open();
        Self {
            world,
            work,
            person,
            parent,
            derivative,
            terms: None,
            channel,
            new_channel,
            grantee,
            heir,
            claimant,
            stale,
            fresh,
            split: Vec::new(),
        }
    }

    fn at(&mut self, after: i64) {
        self.world.set_time(World::NOW + after);
    }

    /// Publishes the terms in their state, with approvals, and accepts them if possible.
    fn publish(&mut self, state: Terms) {
        if state == Terms::None {
            return;
        }
        let terms = self.world.terms(&self.work).with(|offer| {
            offer.caps.total_units = Some(1_000);
            match state {
                Terms::NotYetValid => offer.valid_from = World::NOW + 2 * LATER,
                Terms::Expired => offer.expires_at = Some(World::NOW + 5 * DAY),
                _ => {}
            }
        });
        let terms = terms.publish();
        let owner = self.work.creator.clone();
        let payer = self.channel.payer.key();
        for (grantee, purpose) in
            [(self.grantee.key(), Purpose::License), (payer, Purpose::Derivative)]
        {
            let approve =
                sdk::grant_approval(&owner.key(), &self.work.address, 1, &grantee, purpose);
            self.happen(approve, &owner);
        }
        if state.licensed() {
            let channel = self.channel.clone();
            self.world.accept_quota(&channel, &terms, 100, 0);
            self.world.settle(&channel, &[(0, 10)]).assert_ok();
        }
        if state == Terms::Replaced {
            self.world.terms(&self.work).publish();
        }
        self.terms = Some(terms);
    }

    /// Changes the split once, applies it in one currency, and proposes another change.
    fn change_split(&mut self) {
        let host = self.world.host.clone();
        for currency in [self.world.currency, self.stale] {
            let open = earnings::open(&host.key(), &self.work.address, &currency.mint);
            self.happen(open, &host);
        }
        let (work, owner) = (self.work.address, self.work.creator.clone());
        let [one, other] = [0, 1].map(|place| self.work.recipients[place].clone());
        for (shares, applied) in [([6_000, 4_000], true), ([4_000, 6_000], false)] {
            let shares = [&one, &other].into_iter().zip(shares);
            self.split = shares
                .map(|(person, share_bps)| Share { recipient: person.key(), share_bps })
                .collect();
            let args =
                ProposeSplitArgs { recipients: 2, expires_at: None, shares: self.split.clone() };
            self.happen(sdk::propose_split(&owner.key(), &work, args), &owner);
            for person in [&one, &other] {
                let agree = sdk::approve_split_change(&person.key(), &work, &self.split);
                self.happen(agree, person);
            }
            if applied {
                let apply = sdk::apply_split_change(&host.key(), &work, &owner.key());
                self.happen(apply, &host);
            }
        }
        self.world.apply_split(&self.work.clone()).assert_ok();
        let offer = sdk::offer_ownership(&owner.key(), &work, Some(self.heir.key()));
        self.happen(offer, &owner);
    }

    /// Adds earnings to the work and its derivative, and tokens to its till.
    fn earn(&mut self) {
        let host = self.world.host.clone();
        for work in self.parent.iter().chain([&self.derivative]) {
            let mint = self.world.currency.mint;
            let open = earnings::open(&host.key(), &work.address, &mint);
            self.world.send(Call::new([open], &[&host])).assert_ok();
        }
        for work in [self.work.clone(), self.derivative.clone()] {
            self.world.open_till(&work);
            self.world.pay_into_till(&work, 10_000);
            self.world.sweep_till(&work).assert_ok();
            self.world.pay_into_till(&work, 10_000);
        }
    }

    fn withdraw(&mut self, work: &RegisteredWork) {
        let withdraw = sdk::withdraw_work(&work.creator.key(), &work.address);
        self.happen(withdraw, &work.creator);
    }

    fn dispute(&mut self, work: &RegisteredWork) {
        let claimant = self.claimant.clone();
        self.happen(open_dispute(&claimant, work), &claimant);
    }

    #[track_caller]
    fn happen(&mut self, instruction: Instruction, signer: &Person) {
        self.world.send(Call::new([instruction], &[signer])).assert_ok();
    }

    /// Returns a call of each instruction, as valid as this state allows.
    pub fn calls(&mut self) -> Vec<(&'static str, Call)> {
        let licensing = self.licensing_calls();
        licensing.into_iter().chain(self.payments_calls()).collect()
    }

    fn licensing_calls(&mut self) -> Vec<(&'static str, Call)> {
        let (owner, work) = (self.work.creator.clone(), self.work.address);
        let (host, heir) = (self.world.host.clone(), self.heir.clone());
        let (claimant, person) = (self.claimant.clone(), self.person.clone());
        let (someone, grantee) = (self.world.person(), self.grantee.key());
        let by = |signer: &Person, instruction| Call::new([instruction], &[signer]);
        let by_owner = |instruction| by(&owner, instruction);
        let proposal =
            ProposeSplitArgs { recipients: 2, expires_at: None, shares: self.split.clone() };
        // Only one change can be pending, so the pending one is canceled first.
        let propose = [
            sdk::cancel_split_change(&owner.key(), &work, &owner.key()),
            sdk::propose_split(&owner.key(), &work, proposal),
        ];
        let recipient = self.work.recipients[0].clone();
        let certificate = [
            ComputeBudgetInstruction::set_compute_unit_limit(1_000_000),
            sdk::issue_certificate(&owner.key(), &work, "A voice"),
        ];
        let decide = sdk::decide_dispute(
            &host.key(),
            &work,
            &owner.key(),
            &claimant.key(),
            Verdict::Rejected,
        );
        let expire = sdk::expire_dispute(&work, &owner.key(), &claimant.key());
        let license = Right::License { terms_number: 1, channel: self.channel.address, index: 0 };
        let publish = self.world.terms(&self.work).call();
        let purpose = Purpose::License;
        let end = Some(self.world.now() + 1);
        let approve_change = sdk::approve_split_change(&recipient.key(), &work, &self.split);
        let revoke_change = sdk::revoke_split_approval(&recipient.key(), &work);
        let retitled = UpdateMetadataArgs {
            title: "Retitled".into(),
            metadata_uri: String::new(),
            metadata_digest: [9; 32],
        };
        let owners = Right::OwnerSigns(owner.key());
        let as_read = AcceptOwnershipArgs::of(&self.world.read_work(&self.work));
        vec![
            ("register_work by owner", self.deriving(owners)),
            ("register_work by terms", self.deriving(Right::Terms(1))),
            ("register_work by approval", self.deriving(Right::Approval(1))),
            ("register_work by license", self.deriving(license)),
            ("publish_terms", publish),
            (
                "grant_approval",
                by_owner(sdk::grant_approval(&owner.key(), &work, 1, &someone.key(), purpose)),
            ),
            (
                "revoke_approval",
                by_owner(sdk::revoke_approval(
                    &owner.key(),
                    &work,
                    1,
                    &grantee,
                    purpose,
                    &owner.key(),
                )),
            ),
            ("offer_ownership", by_owner(sdk::offer_ownership(&owner.key(), &work, None))),
            ("accept_ownership", by(&heir, sdk::accept_ownership(&heir.key(), &work, as_read))),
            ("propose_split", Call::new(propose, &[&owner])),
            ("approve_split_change", by(&recipient, approve_change)),
            ("revoke_split_approval", by(&recipient, revoke_change)),
            (
                "apply_split_change",
                by(&host, sdk::apply_split_change(&host.key(), &work, &owner.key())),
            ),
            (
                "cancel_split_change",
                by_owner(sdk::cancel_split_change(&owner.key(), &work, &owner.key())),
            ),
            ("update_metadata", by_owner(sdk::update_metadata(&owner.key(), &work, retitled))),
            ("withdraw_work", by_owner(sdk::withdraw_work(&owner.key(), &work))),
            ("open_dispute", by(&someone, open_dispute(&someone, &self.work))),
            ("decide_dispute", by(&host, decide)),
            ("expire_dispute", Call::new([expire], &[])),
            ("set_consent_end", by(&person, sdk::set_consent_end(&person.key(), &work, end))),
            ("issue_certificate", Call::new(certificate, &[&owner])),
        ]
    }

    /// Returns the call that registers another derivative of the work by this right.
    fn deriving(&mut self, right: Right) -> Call {
        let creator = self.channel.payer.clone();
        let work = self.world.work().by(&creator);
        match right {
            Right::OwnerSigns(_) => work.parent(&self.work, 1_000).call(),
            right => work.parent_by(&self.work, 1_000, right).call(),
        }
    }

    fn payments_calls(&mut self) -> Vec<(&'static str, Call)> {
        let (host, work) = (self.world.host.clone(), self.work.clone());
        let (currency, stale, fresh) = (self.world.currency, self.stale, self.fresh);
        let by_host = |instruction| Call::new([instruction], &[&host]);
        let unsigned = |instruction| Call::new([instruction], &[]);
        let terms = self.terms.clone().unwrap_or_else(|| self.imagined_terms());
        let new_payer = self.new_channel.payer.clone();
        self.world.fund(&new_payer, &currency, 1_000);
        let accept = self.new_channel.accepting(&terms).quota(10, 0);
        let statement = self.world.statement(&self.channel, &[(0, 5)]);
        let withdrawal = self.channel.applying_withdrawal(&[(0, &work)]);
        let parent = self.parent.as_ref().unwrap_or(&self.derivative);
        let recipient = work.recipients[0].key();
        let close = self.channel.releasing_quota_together(0, &terms);
        self.world.fund(&work.recipients[0], &stale, 0);
        let told = earnings::apply_dispute(&work.address, &currency.mint);
        let told_late = earnings::apply_dispute(&work.address, &stale.mint);
        let claim = earnings::claim(&work.address, &recipient, &currency);
        vec![
            ("accept_terms", accept.call()),
            ("settle", statement.call()),
            ("apply_withdrawal", withdrawal.clone()),
            ("apply_withdrawal, then settle", withdrawal.then(statement.call())),
            ("release_quota", close),
            ("collect", self.channel.collecting(&[(0, &work)])),
            (
                "pull to its parent",
                unsigned(earnings::pull(&work.address, &parent.address, &currency.mint)),
            ),
            (
                "pull from a derivative",
                unsigned(earnings::pull(&self.derivative.address, &work.address, &currency.mint)),
            ),
            ("claim", unsigned(earnings::claim(&work.address, &recipient, &currency))),
            ("claim at an old split", unsigned(earnings::claim(&work.address, &recipient, &stale))),
            (
                "apply_split",
                by_host(earnings::apply_split(&host.key(), &work.address, &stale.mint)),
            ),
            ("apply_dispute", unsigned(told.clone())),
            ("apply_dispute at an old split", unsigned(told_late)),
            ("apply_dispute, then claim", unsigned(told).then(unsigned(claim))),
            ("open_earnings", by_host(earnings::open(&host.key(), &work.address, &fresh.mint))),
            ("open_till", by_host(till::open(&host.key(), &work.till(), &fresh))),
            ("sweep_till", unsigned(till::sweep(&work.till(), &currency, None))),
        ]
    }

    /// Returns the address of unpublished terms.
    fn imagined_terms(&self) -> PublishedTerms {
        PublishedTerms {
            work: self.work.address,
            number: 1,
            address: pda::terms(&self.work.address, 1),
            digest: [0; 32],
            price: 10,
            licensed_use: motif_sdk::licensing::Use::Generate,
            shared_caps: true,
            per_licensee: false,
            upfront_fee: 0,
            quota_price: 10,
            deposit_currency: Some(self.world.currency),
        }
    }
}

fn open_dispute(claimant: &Person, work: &RegisteredWork) -> Instruction {
    let args = OpenDisputeArgs {
        evidence_uri: String::new(),
        evidence_digest: [0xED; 32],
        max_bond: u64::MAX,
    };
    sdk::open_dispute(&claimant.key(), &work.address, args)
}
