//! What things cost: compute units on bytecode, bytes in a packet. Run with `--nocapture` for
//! the table.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

use licensing::instructions::InitializeArgs;
use motif_sdk::{
    channel::{Currency, create_vault},
    earnings, licensing as licensing_sdk,
    licensing::{Caps, Unit, Use, UsePrice},
};
use motif_tests::world::{Call, OpenedChannel, World};
use solana_pubkey::Pubkey;

/// The most bytes of a classic transaction on the wire.
const PACKET: usize = 1_232;

/// A channel with this many licences, each of a work of its own.
fn licensed(works: usize, recipients: &[u16], deposit: u64) -> (World, OpenedChannel) {
    let mut world = World::new();
    let channel = world.channel().deposited(deposit).open();
    for _ in 0..works {
        let work = world.work().split(recipients).register();
        let terms = world.terms(&work).publish();
        world.accept(&channel, &terms);
    }
    (world, channel)
}

/// Compute units of `settle` itself, without the precompile, which runs in no program.
fn settle_units(world: &mut World, channel: &OpenedChannel, entries: &[(u16, u32)]) -> u64 {
    world.settle(channel, entries).assert_ok().units_of(&payments::ID)
}

fn widest() -> Vec<u16> {
    let mut shares = vec![312; 32];
    shares[0] += 16;
    shares
}

/// One unit of each of the first `licences`.
fn one_of_each(licences: u16) -> Vec<(u16, u32)> {
    (0..licences).map(|licence| (licence, 1)).collect()
}

#[test]
fn settling_costs_the_same_for_2_or_32_recipients() {
    let (mut narrow, one) = licensed(1, &[5_000, 5_000], 1_000_000);
    let (mut wide, other) = licensed(1, &widest(), 1_000_000);
    let narrow = settle_units(&mut narrow, &one, &[(0, 5)]);
    let wide = settle_units(&mut wide, &other, &[(0, 5)]);
    assert_eq!(narrow, wide);
}

#[test]
fn settling_costs_the_same_for_one_or_a_million_generations() {
    let (mut few, one) = licensed(1, &[10_000], 100_000_000);
    let (mut many, other) = licensed(1, &[10_000], 100_000_000);
    let few = settle_units(&mut few, &one, &[(0, 1)]);
    let many = settle_units(&mut many, &other, &[(0, 1_000_000)]);
    assert_eq!(few, many);
}

/// The goal is 3,000: missed by 7 % so far. This keeps it from getting further away.
#[test]
fn one_licence_settles_for_at_most_3250_units() {
    let (mut world, channel) = licensed(1, &[10_000], 1_000_000);
    let units = settle_units(&mut world, &channel, &[(0, 1)]);
    println!("settle, one licence: {units} CU");
    assert!(units <= 3_250, "{units} CU");
}

#[test]
fn a_further_licence_costs_at_most_200_units_and_ninety_fit_a_packet() {
    let (mut world, channel) = licensed(100, &[10_000], 1_000_000);
    let one = settle_units(&mut world, &channel, &one_of_each(1));
    let hundred = settle_units(&mut world, &channel, &one_of_each(100));
    let marginal = (hundred - one).div_ceil(99);
    println!("settle, 1 and 100 licences: {one} and {hundred} CU; {marginal} CU a further one");
    assert!(marginal <= 200, "{marginal} CU a further licence");

    let bytes = |licences| {
        let statement = world.statement(&channel, &one_of_each(licences));
        world.packet_bytes(&statement.call())
    };
    let most = (1..=100).rev().find(|&licences| bytes(licences) <= PACKET).unwrap();
    println!("settle: {most} licences in {} bytes, one in {}", bytes(most), bytes(1));
    assert!(most >= 90, "{most} licences in a packet");
    // What the SDK allows in a statement has to fit, or a full one could never settle.
    assert_eq!(motif_sdk::voucher::Statement::MAX_LICENCES, 100);
    assert!(bytes(100) <= PACKET, "a full statement takes {} bytes", bytes(100));
}

#[test]
fn later_statements_cost_little_more_than_the_first() {
    let (mut world, channel) = licensed(1, &[10_000], 1_000_000);
    let units: Vec<_> = (0..64).map(|_| settle_units(&mut world, &channel, &[(0, 1)])).collect();
    let (least, most) = (units.iter().min().unwrap(), units.iter().max().unwrap());
    println!("settle over 64 statements: {least} to {most} CU");
    assert!(*most <= 6_000, "{most} CU");
}

/// One line of the table.
struct Row {
    name: &'static str,
    units: u64,
    bytes: usize,
    fee: u64,
}

struct Table {
    world: World,
    rows: Vec<Row>,
}

impl Table {
    fn send(&mut self, name: &'static str, program: &Pubkey, call: Call) {
        let bytes = self.world.packet_bytes(&call);
        let landed = self.world.send(call).assert_ok();
        self.rows.push(Row { name, units: landed.units_of(program), bytes, fee: landed.fee });
    }
}

#[test]
fn every_instruction_fits_a_packet_and_its_cost_is_known() {
    let world = World::without_config();
    let mut table = Table { world, rows: Vec::new() };
    let (p, l) = (payments::ID, licensing::ID);
    let host = table.world.host.clone();
    let currency: Currency = table.world.currency;
    let args = InitializeArgs {
        cluster: motif_tests::world::CLUSTER,
        arbiter: host.key(),
        dispute_bond_lamports: 1_000_000,
        dispute_seconds: 86_400,
    };
    let call = Call::new([licensing_sdk::initialize(&host.key(), args)], &[&host]);
    table.send("initialize", &l, call);
    let call = Call::new([create_vault(&host.key(), &currency)], &[&host]);
    table.send("create_vault", &p, call);

    let image = table.world.work().register();
    let call = table.world.work().call();
    table.send("register_work, 1 recipient", &l, call);
    let call = table.world.work().split(&[5_000, 5_000]).parent(&image, 2_000).call();
    table.send("register_work, 2 recipients, 1 parent", &l, call);
    let builder = table.world.work().split(&[5_000, 5_000]).parent(&image, 2_000);
    let model = builder.register();

    let call = table.world.terms(&model).call();
    table.send("publish_terms, 1 use", &l, call);
    let uses = [
        Use::Generate,
        Use::StyleTransfer,
        Use::VoiceConvert,
        Use::Train,
        Use::FineTune,
        Use::Play,
    ];
    let price = |licensed_use| UsePrice { licensed_use, unit: Unit::Second, price: 10 };
    let call = table.world.terms(&model).with(|offer| {
        offer.uses = uses.map(price).to_vec();
        offer.legal_uri = "u".repeat(200);
        offer.expires_at = Some(i64::MAX);
        let cap = Some(1_000_000);
        offer.caps = Caps { total_units: cap, daily_units: cap, licensee_units: cap, revenue: cap };
    });
    let call = call.call();
    table.send("publish_terms, largest", &l, call);
    let terms = table.world.terms(&model).publish();
    let capped = table.world.terms(&image).with(|offer| offer.caps.revenue = Some(1_000));
    let capped = capped.publish();

    let (call, channel) = table.world.channel().call();
    table.send("open_channel", &p, call);
    table.world.fund(&channel.payer, &currency, 1_000);
    table.send("top_up", &p, channel.topping_up(1_000));
    table.send("accept", &p, channel.accepting(&terms).call());
    let call = channel.accepting(&capped).quota(0, 100).call();
    table.send("accept, new issuance", &p, call);
    let call = channel.accepting(&capped).quota(0, 100).call();
    table.send("accept, known issuance", &p, call);
    let statement = table.world.statement(&channel, &[(0, 1_000)]);
    table.send("settle, 1 licence", &p, statement.call());
    let statement = table.world.statement(&channel, &[(0, 1), (1, 1), (2, 1)]);
    table.send("settle, 3 licences", &p, statement.call());

    let mint = currency.mint;
    let open = |work: &Pubkey| Call::new([earnings::open(&host.key(), work, &mint)], &[&host]);
    table.send("open_earnings", &p, open(&model.address));
    table.world.open_earnings(&image);
    table.send("collect, 1 licence", &p, channel.collecting(&[(0, &model)]));
    table.send("collect, 2 licences", &p, channel.collecting(&[(1, &image), (2, &image)]));
    let pull = earnings::pull(&model.address, &image.address, &mint);
    table.send("pull", &p, Call::new([pull], &[]));
    let claim = earnings::claim(&model.address, &model.recipients[0].key(), &currency);
    table.send("claim", &p, Call::new([claim], &[]));
    table.send("claim_fees", &p, channel.claiming_fees());
    table.send("start_closing", &p, channel.closing_by(&channel.operator));
    table.send("withdraw", &p, channel.withdrawing());

    println!("{:<40} {:>8} {:>6} {:>9}", "instruction", "CU", "bytes", "lamports");
    for Row { name, units, bytes, fee } in &table.rows {
        println!("{name:<40} {units:>8} {bytes:>6} {fee:>9}");
    }
    for Row { name, bytes, .. } in &table.rows {
        assert!(*bytes <= PACKET, "{name} takes {bytes} bytes");
    }
}

/// A split of 32 is a promise of the layout; what of it fits a classic packet is a fact.
#[test]
fn the_widest_registrations_that_fit_a_classic_packet_are_known() {
    let mut world = World::new();
    let parents: Vec<_> = (0..8).map(|_| world.work().register()).collect();
    let mut bytes = |recipients: usize, parents: &[_], uri: usize| {
        let mut shares = vec![1; recipients];
        shares[0] = 10_001 - recipients as u16;
        let builder = world.work().split(&shares);
        let builder =
            parents.iter().fold(builder, |work, parent| work.parent_by_terms(parent, 1, 1));
        let call = builder.with(|args| args.metadata_uri = "u".repeat(uri)).call();
        world.packet_bytes(&call)
    };
    let most = |bytes: &mut dyn FnMut(usize) -> usize| {
        (1..=32).rev().find(|&recipients| bytes(recipients) <= PACKET)
    };
    let alone = most(&mut |recipients| bytes(recipients, &[], 0));
    let with_uri = most(&mut |recipients| bytes(recipients, &[], 200));
    let with_parents = most(&mut |recipients| bytes(recipients, &parents, 0));
    let with_all = most(&mut |recipients| bytes(recipients, &parents, 200));
    let largest = bytes(32, &parents, 200);
    println!(
        "recipients in one classic packet: {alone:?}; with a URI of 200 bytes {with_uri:?}; with 8 \
         parents {with_parents:?}; with both {with_all:?}; the largest work takes {largest} bytes"
    );
    assert!(alone >= Some(16) && with_uri >= Some(16));
    // Wider works need a version-1 transaction of 4,096 bytes.
    assert!(largest > PACKET && largest <= 4_096);
}

/// The goal is 3,000 beyond the token transfer: far away so far. Most of it derives and reads
/// the vault's and the recipient's token accounts; the rest grows with the list of recipients.
#[test]
fn a_claim_costs_at_most_20000_units_for_the_last_of_32_recipients() {
    let mut world = World::new();
    let channel = world.channel().deposited(1_000_000).open();
    let work = world.work().split(&widest()).register();
    let terms = world.terms(&work).publish();
    world.accept(&channel, &terms);
    world.settle(&channel, &[(0, 1_000)]).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(0, &work)]).assert_ok();
    let landed = world.claim(&work, &work.recipients[31]).assert_ok();
    let units = landed.units_of(&payments::ID);
    let transfer = landed.units_of(&motif_sdk::channel::TOKEN_PROGRAM);
    println!("claim, 32 recipients: {units} CU, of which the transfer {transfer} CU");
    assert!(units <= 20_000, "{units} CU");
}
