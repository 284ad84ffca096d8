//! World with two of everything, so that each account can be replaced by another one of its
//! type.

use std::collections::BTreeMap;

use motif_sdk::{
    licensing::{self as sdk, AcceptOwnershipArgs, OpenDisputeArgs, Purpose, Share, WorkKind},
    till,
};
use motif_tests::world::{Call, OpenedChannel, Person, PublishedTerms, RegisteredWork, World};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

const TOKEN_METADATA_ELF: &[u8] =
    include_bytes!("../../../../programs/artifacts/token_metadata.so");

/// State that valid calls start from. Clones are independent.
#[derive(Clone)]
pub struct Stage {
    pub world: World,
    /// Payer of all fees, without a role in any instruction.
    pub fee_payer: Person,
    /// Two families of works.
    pub families: [Family; 2],
}

/// Parent, derivative, their terms, and a channel with used licenses of both.
#[derive(Clone)]
pub struct Family {
    pub parent: RegisteredWork,
    pub child: RegisteredWork,
    /// Terms of the child with every cap, which require approval.
    pub capped: PublishedTerms,
    /// License 0 is of `capped`, license 1 of `terms`; both are settled and partly collected.
    pub channel: OpenedChannel,
    /// Voice and its person.
    pub voice: RegisteredWork,
    pub person: Person,
    pub disputed: RegisteredWork,
    pub claimant: Person,
    /// Grantee of approvals to license and to derive under `capped`.
    pub grantee: Person,
    /// Split proposed for the parent, without approvals.
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

    /// Returns the family that calls use; the other provides replacements.
    pub fn family(&self) -> Family {
        self.families[0].clone()
    }

    /// Returns a call of these instructions, signed by their signers.
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

    /// Sends instructions that must be accepted.
    #[track_caller]
    pub fn happen(&mut self, instruction: Instruction) {
        let call = self.call(vec![instruction]);
        self.world.send(call).assert_ok();
    }

    /// A work as its next owner accepts it.
    pub fn as_read(&self, work: &RegisteredWork) -> AcceptOwnershipArgs {
        AcceptOwnershipArgs::of(&self.world.read_work(work))
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
        world.fund_quota(&channel, &capped, 100, 10_000);
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
            sdk::propose_split_in_parts(&parent.creator.key(), &parent.address, &proposed, None)
        {
            happen(propose, &parent.creator);
        }
        let evidence = OpenDisputeArgs {
            evidence_uri: String::new(),
            evidence_digest: [0xED; 32],
            max_bond: u64::MAX,
        };
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
