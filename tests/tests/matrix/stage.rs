//! A world in which there is two of everything, so that each account has a double to stand in
//! for it.

use std::collections::BTreeMap;

use motif_sdk::{
    licensing::{self as sdk, OpenDisputeArgs, Purpose, Share, WorkKind},
    till,
};
use motif_tests::world::{Call, OpenedChannel, Person, PublishedTerms, RegisteredWork, World};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

const TOKEN_METADATA_ELF: &[u8] = include_bytes!("../../../programs/artifacts/token_metadata.so");

/// What a known-good call starts from. Clones share nothing.
#[derive(Clone)]
pub struct Stage {
    pub world: World,
    /// Pays every fee, and has no part in any instruction.
    pub fee_payer: Person,
    /// Two families: works, and what has become of them.
    pub families: [Family; 2],
}

/// A parent, its derivative, their terms, and a channel that licenses and paid for both.
#[derive(Clone)]
pub struct Family {
    pub parent: RegisteredWork,
    pub child: RegisteredWork,
    /// Of the child: they ask for approval and have every cap.
    pub capped: PublishedTerms,
    /// License 0 is of `capped`, license 1 of `terms`; both are settled and partly collected.
    pub channel: OpenedChannel,
    /// A voice, and whose it is.
    pub voice: RegisteredWork,
    pub person: Person,
    pub disputed: RegisteredWork,
    pub claimant: Person,
    /// Approved to license and to derive under `capped`.
    pub grantee: Person,
    /// Proposed for the parent, without approvals.
    pub proposed: Vec<Share>,
}

impl Stage {
    pub fn new() -> Self {
        let mut world = World::new();
        let metadata = sdk::TOKEN_METADATA_PROGRAM;
        world.svm.add_program(metadata, TOKEN_METADATA_ELF).unwrap();
        let fee_payer = world.person();
        world.other_currency();
        let families = [Family::new(&mut world), Family::new(&mut world)];
        Self { world, fee_payer, families }
    }

    /// The family that calls are about; the other one is for doubles.
    pub fn family(&self) -> Family {
        self.families[0].clone()
    }

    /// A call of these instructions, signed by the signers they name.
    pub fn call(&self, instructions: Vec<Instruction>) -> Call {
        let people = self.people();
        let metas = instructions.iter().flat_map(|instruction| &instruction.accounts);
        let keys = metas.filter(|meta| meta.is_signer).map(|meta| meta.pubkey);
        let mut signers = vec![&self.fee_payer];
        for key in keys {
            if signers.iter().all(|signer| signer.key() != key) {
                signers.push(&people[&key]);
            }
        }
        Call::new(instructions, &signers)
    }

    /// Has one of these instructions happen.
    #[track_caller]
    pub fn happen(&mut self, instruction: Instruction) {
        let call = self.call(vec![instruction]);
        self.world.send(call).assert_ok();
    }

    fn people(&self) -> BTreeMap<Pubkey, Person> {
        self.world.people().map(|person| (person.key(), person)).collect()
    }
}

impl Family {
    fn new(world: &mut World) -> Self {
        let parent = world.work().split(&[4_000, 6_000]).register();
        let child = world.work().split(&[5_000, 5_000]).parent(&parent, 2_000).register();
        let (person, claimant, grantee) = (world.person(), world.person(), world.person());
        let voice = world.work().with(|work| work.kind = WorkKind::Voice).of(&person).register();
        let disputed = world.work().register();

        let capped = world.terms(&child).with(|offer| {
            offer.approval_required = true;
            offer.caps.total_units = Some(1_000);
            offer.caps.revenue = Some(100_000);
            offer.caps.licensee_units = Some(500);
        });
        let capped = capped.publish();
        let terms = world.terms(&parent).publish();
        let channel = world.channel().open();
        let accepting = channel.accepting(&capped).quota(100, 10_000).approved_by(&child.creator);
        world.send(accepting.call()).assert_ok();
        world.accept(&channel, &terms);
        world.settle(&channel, &[(0, 10), (1, 10)]).assert_ok();
        world.open_earnings(&parent);
        world.open_earnings(&child);
        world.collect(&channel, &[(0, &child), (1, &parent)]).assert_ok();
        world.settle(&channel, &[(0, 10), (1, 10)]).assert_ok();

        let mut happen = |instruction, signer: &Person| {
            world.send(Call::new([instruction], &[signer])).assert_ok();
        };
        for purpose in [Purpose::License, Purpose::Derivative] {
            let (owner, work) = (child.creator.key(), &child.address);
            let approve = sdk::grant_approval(&owner, work, 1, &grantee.key(), purpose);
            happen(approve, &child.creator);
        }
        let shares = parent.recipients.iter().zip([5_000, 5_000]);
        let proposed: Vec<_> = shares
            .map(|(person, share_bps)| Share { recipient: person.key(), share_bps })
            .collect();
        for propose in
            sdk::propose_split_in_parts(&parent.creator.key(), &parent.address, &proposed)
        {
            happen(propose, &parent.creator);
        }
        let evidence = OpenDisputeArgs { evidence_uri: String::new(), evidence_digest: [0xED; 32] };
        let open = sdk::open_dispute(&claimant.key(), &disputed.address, evidence);
        happen(open, &claimant);

        let statement = world.statement(&channel, &[(0, 1), (1, 1)]);
        for part in statement.buffer_instructions() {
            world.send(part).assert_ok();
        }
        let (host, currency) = (world.host.clone(), world.currency);
        let till = till::open(&host.key(), &child.till(), &currency);
        world.send(Call::new([till], &[&host])).assert_ok();
        Self {
            parent,
            child,
            capped,
            channel,
            voice,
            person,
            disputed,
            claimant,
            grantee,
            proposed,
        }
    }
}
