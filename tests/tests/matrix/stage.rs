//! A world in which there is two of everything, so that each account has a double to stand in
//! for it.

use std::collections::BTreeMap;

use motif_sdk::channel::Currency;
use motif_tests::world::{Call, OpenedChannel, Person, PublishedTerms, RegisteredWork, World};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

/// What a known-good call starts from. Clones share nothing.
#[derive(Clone)]
pub struct Stage {
    pub world: World,
    /// Pays every fee, and has no part in any instruction.
    pub fee_payer: Person,
    pub other_currency: Currency,
    /// Two families: a work, and another one made from it.
    pub families: [Family; 2],
}

/// A parent, its derivative, their terms, and a channel that licenses and paid for both.
#[derive(Clone)]
pub struct Family {
    pub parent: RegisteredWork,
    pub child: RegisteredWork,
    pub terms: PublishedTerms,
    /// Of the child, with a cap that licensees share.
    pub capped: PublishedTerms,
    pub channel: OpenedChannel,
}

impl Stage {
    pub fn new() -> Self {
        let mut world = World::new();
        let fee_payer = world.person();
        let other_currency = world.other_currency();
        let families = [Family::new(&mut world), Family::new(&mut world)];
        Self { world, fee_payer, other_currency, families }
    }

    /// The family that calls are about; the other one is for doubles.
    pub fn family(&self) -> Family {
        self.families[0].clone()
    }

    /// A call of these instructions, signed by whoever they say signs.
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

    fn people(&self) -> BTreeMap<Pubkey, Person> {
        self.world.people().map(|person| (person.key(), person)).collect()
    }
}

impl Family {
    fn new(world: &mut World) -> Self {
        let parent = world.work().split(&[4_000, 6_000]).register();
        let child = world.work().split(&[5_000, 5_000]).parent(&parent, 2_000).register();
        let capped = |offer: &mut motif_sdk::licensing::Offer| {
            offer.caps.total_units = Some(1_000);
            offer.caps.revenue = Some(100_000);
        };
        let capped = world.terms(&child).with(capped).publish();
        let terms = world.terms(&parent).publish();
        let channel = world.channel().open();
        world.send(channel.accepting(&capped).quota(100, 10_000).call()).assert_ok();
        world.accept(&channel, &terms);
        world.settle(&channel, &[(0, 10), (1, 10)]).assert_ok();
        world.open_earnings(&parent);
        world.open_earnings(&child);
        world.collect(&channel, &[(0, &child), (1, &parent)]).assert_ok();
        world.settle(&channel, &[(0, 10), (1, 10)]).assert_ok();
        Self { parent, child, terms, capped, channel }
    }
}
