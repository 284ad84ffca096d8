//! Instructions of variable size at their maximum: the program's maximum, or the maximum within a
//! transaction's limits.

use motif_sdk::{
    channel::{self, BUFFER_PART_BYTES, Entry, StatementBuffer},
    client::PACKET_BYTES,
    earnings,
    licensing::{
        self as sdk, MAX_RECIPIENTS, ModelDeclaration, OpenDisputeArgs, ProposeSplitArgs, Right,
        Share, Unit, UpdateMetadataArgs, Use, UsePrice, WorkKind,
    },
    voucher::Statement,
};
use motif_tests::world::{OpenedChannel, Person, RegisteredWork, World};
use payments::License;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::Instruction;

use super::{calls::Known, stage::Stage};

pub const LARGEST: &[Known] = &[
    ("licensing", "register_work", "8 parents, 32 recipients, a model, URI", register_work),
    ("licensing", "register_work", "25 recipients", register_recipients),
    ("licensing", "update_metadata", "title, URI", update_metadata),
    ("licensing", "publish_terms", "every use and cap, 4 operators, URI", publish_terms),
    ("licensing", "propose_split", "24 recipients", propose_split),
    ("licensing", "extend_split_change", "24 recipients", extend_split_change),
    ("licensing", "approve_split_change", "32 recipients", approve_split_change),
    ("licensing", "apply_split_change", "32 recipients for 32 others", apply_split_change),
    ("licensing", "open_dispute", "URI", open_dispute),
    ("licensing", "issue_certificate", "32 recipients, URI", issue_certificate),
    ("payments", "settle", "88 licenses", settle),
    ("payments", "settle_cosigned", "134 licenses", settle_cosigned),
    ("payments", "write_statement_buffer", "900 bytes", write_statement_buffer),
    ("payments", "settle_buffered", "1,000 licenses", settle_staged_thousand),
    ("payments", "settle_buffered", "4,500 licenses", settle_buffered),
    ("payments", "open_earnings", "8 parents, 32 recipients", open_earnings),
    ("payments", "collect", "28 licenses", collect),
    ("payments", "claim", "22 of 32 recipients", claim),
    ("payments", "apply_split", "32 recipients for 32 others", apply_split),
    ("payments", "apply_withdrawal", "28 licenses", apply_withdrawal),
];

fn budget() -> Instruction {
    ComputeBudgetInstruction::set_compute_unit_limit(1_400_000)
}

fn widest() -> Vec<u16> {
    let mut shares = vec![312; MAX_RECIPIENTS];
    shares[0] += 16;
    shares
}

fn shares_of(people: &[Person], shares_bps: &[u16]) -> Vec<Share> {
    let shares = people.iter().zip(shares_bps);
    shares.map(|(person, &share_bps)| Share { recipient: person.key(), share_bps }).collect()
}

fn update_metadata(stage: &mut Stage) -> Vec<Instruction> {
    let work = stage.world.work().split(&widest()).register();
    let new =
        UpdateMetadataArgs { title: "t".repeat(64), metadata_uri: uri(), metadata_digest: [1; 32] };
    vec![sdk::update_metadata(&work.creator.key(), &work.address, new)]
}

fn uri() -> String {
    "u".repeat(200)
}

fn register_work(stage: &mut Stage) -> Vec<Instruction> {
    let channel = stage.world.channel().open();
    let parents: Vec<_> = (0..8).map(|_| stage.world.work().register()).collect();
    for (parent, index) in parents.iter().zip(0..) {
        let terms = stage.world.terms(parent).publish();
        stage.world.accept(&channel, &terms);
        stage.world.settle(&channel, &[(index, 1)]).assert_ok();
    }
    let person = stage.world.person();
    let work = stage.world.work().by(&channel.payer).of(&person).split(&widest());
    let work = work.with(|work| {
        work.kind = WorkKind::StyleModel;
        work.title = "t".repeat(64);
        work.metadata_uri = uri();
        work.consent_expires_at = Some(i64::MAX);
        work.model = Some(ModelDeclaration {
            base_model: "m".repeat(64),
            training_root: [7; 32],
            likeness: true,
        });
    });
    let right = |index| Right::License { terms_number: 1, channel: channel.address, index };
    let parents = parents.iter().zip(0..);
    let work =
        parents.fold(work, |work, (parent, index)| work.parent_by(parent, 1_000, right(index)));
    [vec![budget()], work.call().instructions].concat()
}

fn register_recipients(stage: &mut Stage) -> Vec<Instruction> {
    stage.world.work().split(&[400; 25]).call().instructions
}

fn publish_terms(stage: &mut Stage) -> Vec<Instruction> {
    let work = stage.world.work().register();
    let uses = [
        Use::Generate,
        Use::StyleTransfer,
        Use::VoiceConvert,
        Use::Train,
        Use::FineTune,
        Use::Play,
    ];
    let price = |licensed_use| UsePrice { licensed_use, unit: Unit::Second, price: 10 };
    let operators = (0..4).map(|_| stage.world.person().key()).collect();
    let terms = stage.world.terms(&work).with(|offer| {
        offer.uses = uses.map(price).to_vec();
        offer.legal_uri = uri();
        offer.operators = operators;
        offer.expires_at = Some(i64::MAX);
        let cap = Some(1_000_000);
        let caps = &mut offer.caps;
        (caps.total_units, caps.daily_units, caps.licensee_units) = (cap, cap, cap);
        caps.revenue = cap;
    });
    terms.call().instructions
}

/// Returns a work with 32 recipients, and 32 other people.
fn wide(stage: &mut Stage) -> (RegisteredWork, Vec<Person>) {
    let work = stage.world.work().split(&widest()).register();
    (work, (0..MAX_RECIPIENTS).map(|_| stage.world.person()).collect())
}

fn propose_split(stage: &mut Stage) -> Vec<Instruction> {
    let (work, others) = wide(stage);
    let shares = shares_of(&others, &widest())[..24].to_vec();
    let args = ProposeSplitArgs { recipients: 32, expires_at: None, shares };
    vec![sdk::propose_split(&work.creator.key(), &work.address, args)]
}

fn extend_split_change(stage: &mut Stage) -> Vec<Instruction> {
    let (work, others) = wide(stage);
    let shares = shares_of(&others, &widest());
    let (owner, first) = (work.creator.key(), shares[..8].to_vec());
    let args = ProposeSplitArgs { recipients: 32, expires_at: None, shares: first };
    stage.happen(sdk::propose_split(&owner, &work.address, args));
    vec![sdk::extend_split_change(&owner, &work.address, &shares[8..])]
}

/// Proposes a split that replaces 32 recipients by 32 others, without approvals.
fn proposed(stage: &mut Stage) -> (RegisteredWork, Vec<Share>) {
    let (work, others) = wide(stage);
    let shares = shares_of(&others, &widest());
    for part in sdk::propose_split_in_parts(&work.creator.key(), &work.address, &shares, None) {
        stage.happen(part);
    }
    (work, shares)
}

fn approve_split_change(stage: &mut Stage) -> Vec<Instruction> {
    let (work, shares) = proposed(stage);
    let last = work.recipients[31].key();
    vec![sdk::approve_split_change(&last, &work.address, &shares)]
}

fn approved(stage: &mut Stage) -> RegisteredWork {
    let (work, shares) = proposed(stage);
    for person in &work.recipients {
        stage.happen(sdk::approve_split_change(&person.key(), &work.address, &shares));
    }
    work
}

fn apply_split_change(stage: &mut Stage) -> Vec<Instruction> {
    let (work, payer) = (approved(stage), stage.world.person().key());
    vec![sdk::apply_split_change(&payer, &work.address, &work.creator.key())]
}

fn open_dispute(stage: &mut Stage) -> Vec<Instruction> {
    let (work, claimant) = (stage.family().child, stage.world.person().key());
    let args =
        OpenDisputeArgs { evidence_uri: uri(), evidence_digest: [1; 32], max_bond: u64::MAX };
    vec![sdk::open_dispute(&claimant, &work.address, args)]
}

fn issue_certificate(stage: &mut Stage) -> Vec<Instruction> {
    let work = stage.world.work().split(&widest()).with(|work| work.metadata_uri = uri());
    let work = work.register();
    let name = "n".repeat(32);
    vec![budget(), sdk::issue_certificate(&work.creator.key(), &work.address, &name)]
}

/// Creates a channel with a number of licenses at a price of 10. One is accepted; copies are
/// written after it.
pub fn channel_of(world: &mut World, licenses: usize) -> OpenedChannel {
    let channel = world.channel().deposited(1 << 50).open();
    world.licensed(&channel, 10);
    world.operate(&channel.address, |data| {
        let license = data[data.len() - License::SIZE..].to_vec();
        for number in 1..licenses {
            let mut other = license.clone();
            other[..8].copy_from_slice(&number.to_le_bytes());
            data.extend(other);
        }
    });
    channel
}

fn one_of_each(licenses: u16) -> Vec<(u16, u32)> {
    (0..licenses).map(|license| (license, 1)).collect()
}

fn settle(stage: &mut Stage) -> Vec<Instruction> {
    let licenses = Statement::MAX_LICENSES;
    let channel = channel_of(&mut stage.world, licenses);
    let entries = one_of_each(licenses as u16); // 88
    stage.world.statement(&channel, &entries).call().instructions
}

fn settle_cosigned(stage: &mut Stage) -> Vec<Instruction> {
    let channel = channel_of(&mut stage.world, 134);
    let entries = one_of_each(134);
    stage.world.statement(&channel, &entries).cosigned_call().instructions
}

fn write_statement_buffer(stage: &mut Stage) -> Vec<Instruction> {
    let (channel, settler) = (stage.family().channel, stage.world.person().key());
    for opening in channel::buffer_statement(&settler, &channel.address, &[]) {
        stage.happen(opening);
    }
    vec![channel::write_statement_buffer(&settler, &channel.address, 0, vec![7; BUFFER_PART_BYTES])]
}

fn settle_staged_thousand(stage: &mut Stage) -> Vec<Instruction> {
    settle_staged_of(stage, 1_000)
}

fn settle_buffered(stage: &mut Stage) -> Vec<Instruction> {
    settle_staged_of(stage, StatementBuffer::MAX_ENTRIES as u16)
}

fn settle_staged_of(stage: &mut Stage, licenses: u16) -> Vec<Instruction> {
    let channel = channel_of(&mut stage.world, usize::from(licenses));
    let statement = stage.world.statement(&channel, &one_of_each(licenses));
    assert_eq!(statement.entries.len(), usize::from(licenses) * Entry::SIZE);
    for part in statement.buffer_instructions() {
        stage.world.send(part).assert_ok();
    }
    [vec![budget()], statement.buffered_call().instructions].concat()
}

fn open_earnings(stage: &mut Stage) -> Vec<Instruction> {
    let (work, funder) = (wide_child(&mut stage.world), stage.world.person().key());
    vec![earnings::open(&funder, &work.address, &stage.world.currency.mint)]
}

/// Returns a work with 8 parents and 32 recipients.
fn wide_child(world: &mut World) -> RegisteredWork {
    let parents: Vec<_> = (0..8).map(|_| world.work().register()).collect();
    let parents_terms = parents.iter();
    for parent in parents_terms {
        world.terms(parent).publish();
    }
    let work = world.work().split(&widest());
    parents.iter().fold(work, |work, parent| work.parent_by_terms(parent, 1_000, 1)).register()
}

/// Creates works that one channel licenses, each with credit to collect.
fn licensed(world: &mut World, works: u16) -> (OpenedChannel, Vec<RegisteredWork>) {
    let channel = world.channel().open();
    let works: Vec<_> = (0..works).map(|_| world.licensed(&channel, 10).0).collect();
    let entries = one_of_each(works.len() as u16); // a few
    world.settle(&channel, &entries).assert_ok();
    for work in &works {
        world.open_earnings(work);
    }
    (channel, works)
}

fn collect(stage: &mut Stage) -> Vec<Instruction> {
    let (channel, works) = licensed(&mut stage.world, 28);
    let licenses: Vec<_> = (0..).zip(&works).collect();
    let call = channel.collecting(&licenses);
    assert!(stage.world.packet_bytes(&call) + 40 > PACKET_BYTES, "more would fit a packet");
    call.instructions
}

fn claim(stage: &mut Stage) -> Vec<Instruction> {
    let work = wide_child(&mut stage.world);
    earn(&mut stage.world, &work);
    let currency = stage.world.currency;
    let payees = work.recipients.iter().map(Person::key).collect::<Vec<_>>();
    let payees: Vec<_> = (8..).zip(payees).skip(10).take(earnings::CLAIM_BATCH).collect();
    vec![budget(), earnings::claim_batch(&work.address, &payees, &currency)]
}

fn earn(world: &mut World, work: &RegisteredWork) {
    world.open_earnings(work);
    world.open_till(work);
    world.pay_into_till(work, 1_000_000);
    world.sweep_till(work).assert_ok();
}

fn apply_split(stage: &mut Stage) -> Vec<Instruction> {
    let (work, funder) = (approved(stage), stage.world.person().key());
    earn(&mut stage.world, &work);
    let host = stage.world.host.key();
    stage.happen(sdk::apply_split_change(&host, &work.address, &work.creator.key()));
    vec![earnings::apply_split(&funder, &work.address, &stage.world.currency.mint)]
}

fn apply_withdrawal(stage: &mut Stage) -> Vec<Instruction> {
    let (channel, works) = licensed(&mut stage.world, 28);
    for work in &works {
        stage.happen(sdk::withdraw_work(&work.creator.key(), &work.address));
    }
    let licenses: Vec<_> = (0..).zip(&works).collect();
    channel.applying_withdrawal(&licenses).instructions
}
