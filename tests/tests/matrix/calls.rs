//! One known-good call of every instruction.

use licensing::instructions::InitializeArgs;
use motif_sdk::{channel, earnings, licensing as licensing_sdk};
use motif_tests::world::{CLUSTER, Call, World};

use super::stage::Stage;

/// Takes the stage to where the call succeeds, and makes it.
pub type Good = fn(&mut Stage) -> Call;

/// Program, instruction, call. The matrix fails when an instruction is missing here.
pub const CALLS: &[(&str, &str, Good)] = &[
    ("licensing", "initialize", initialize),
    ("licensing", "publish_terms", publish_terms),
    ("licensing", "register_work", register_work),
    ("payments", "accept", accept),
    ("payments", "claim", claim),
    ("payments", "claim_fees", claim_fees),
    ("payments", "collect", collect),
    ("payments", "create_vault", create_vault),
    ("payments", "open_channel", open_channel),
    ("payments", "open_earnings", open_earnings),
    ("payments", "pull", pull),
    ("payments", "settle", settle),
    ("payments", "start_closing", start_closing),
    ("payments", "top_up", top_up),
    ("payments", "withdraw", withdraw),
];

fn initialize(stage: &mut Stage) -> Call {
    stage.world = World::without_config();
    stage.fee_payer = stage.world.person();
    let authority = stage.world.person();
    let args = InitializeArgs {
        cluster: CLUSTER,
        arbiter: authority.key(),
        dispute_bond_lamports: 1_000_000,
    };
    Call::new([licensing_sdk::initialize(&authority.key(), args)], &[&authority])
}

fn publish_terms(stage: &mut Stage) -> Call {
    let family = stage.family();
    stage.world.terms(&family.child).call()
}

fn register_work(stage: &mut Stage) -> Call {
    let (family, person) = (stage.family(), stage.world.person());
    let other = stage.families[1].parent.clone();
    let work = stage.world.work().of(&person).parent(&family.child, 1_000);
    work.parent_by_terms(&other, 1_000, 1).call()
}

fn accept(stage: &mut Stage) -> Call {
    let family = stage.family();
    let owner = family.child.creator.clone();
    family.channel.accepting(&family.capped).quota(10, 1_000).approved_by(&owner).call()
}

fn claim(stage: &mut Stage) -> Call {
    let family = stage.family();
    let currency = stage.world.currency;
    let recipient = family.child.recipients[0].key();
    Call::new([earnings::claim(&family.child.address, &recipient, &currency)], &[])
}

fn claim_fees(stage: &mut Stage) -> Call {
    stage.family().channel.claiming_fees()
}

fn collect(stage: &mut Stage) -> Call {
    let family = stage.family();
    family.channel.collecting(&[(0, &family.child), (1, &family.parent)])
}

fn create_vault(stage: &mut Stage) -> Call {
    let currency = stage.world.mint_of(&channel::TOKEN_PROGRAM);
    let funder = stage.world.person();
    Call::new([channel::create_vault(&funder.key(), &currency)], &[&funder])
}

fn open_channel(stage: &mut Stage) -> Call {
    stage.world.channel().call().0
}

fn open_earnings(stage: &mut Stage) -> Call {
    let (work, funder) = (stage.world.work().register(), stage.world.person());
    let mint = stage.world.currency.mint;
    Call::new([earnings::open(&funder.key(), &work.address, &mint)], &[&funder])
}

fn pull(stage: &mut Stage) -> Call {
    let family = stage.family();
    let mint = stage.world.currency.mint;
    Call::new([earnings::pull(&family.child.address, &family.parent.address, &mint)], &[])
}

fn settle(stage: &mut Stage) -> Call {
    let channel = stage.family().channel;
    stage.world.statement(&channel, &[(0, 1), (1, 1)]).call()
}

fn start_closing(stage: &mut Stage) -> Call {
    let channel = stage.family().channel;
    channel.closing_by(&channel.payer)
}

fn top_up(stage: &mut Stage) -> Call {
    let channel = stage.family().channel;
    let currency = stage.world.currency;
    stage.world.fund(&channel.payer, &currency, 1_000);
    channel.topping_up(1_000)
}

fn withdraw(stage: &mut Stage) -> Call {
    let channel = stage.family().channel;
    stage.world.send(channel.closing_by(&channel.operator)).assert_ok();
    channel.withdrawing()
}
