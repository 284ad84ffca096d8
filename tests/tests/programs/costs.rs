//! Costs: compute units on bytecode, bytes in a packet. Run with `--nocapture` for
//! the table.

use licensing::InitializeArgs;
use motif_sdk::{
    channel::{Currency, TOKEN_PROGRAM, create_vault},
    earnings::{self, CLAIM_BATCH},
    licensing as licensing_sdk,
    licensing::{Caps, Purpose, Unit, Use, UsePrice, Verdict},
    till,
};
use motif_tests::world::{Call, Landed, OpenedChannel, Person, World};
use solana_pubkey::Pubkey;

/// Maximum size of a classic transaction, bytes.
const PACKET: usize = 1_232;

/// Creates a channel with this many licenses, each of a different work.
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

/// Returns the compute units of `settle`, without the precompile.
fn settle_units(world: &mut World, channel: &OpenedChannel, entries: &[(u16, u32)]) -> u64 {
    world.settle(channel, entries).assert_ok().units_of(&payments::ID)
}

fn widest() -> Vec<u16> {
    let mut shares = vec![312; 32];
    shares[0] += 16;
    shares
}

/// Returns one unit of each of the first `licenses`.
fn one_of_each(licenses: u16) -> Vec<(u16, u32)> {
    (0..licenses).map(|license| (license, 1)).collect()
}

#[test]
fn settle_cost_ignores_recipients() {
    let (mut narrow, one) = licensed(1, &[5_000, 5_000], 1_000_000);
    let (mut wide, other) = licensed(1, &widest(), 1_000_000);
    let narrow = settle_units(&mut narrow, &one, &[(0, 5)]);
    let wide = settle_units(&mut wide, &other, &[(0, 5)]);
    assert_eq!(narrow, wide);
}

#[test]
fn settle_cost_ignores_generations() {
    let (mut few, one) = licensed(1, &[10_000], 100_000_000);
    let (mut many, other) = licensed(1, &[10_000], 100_000_000);
    let few = settle_units(&mut few, &one, &[(0, 1)]);
    let many = settle_units(&mut many, &other, &[(0, 1_000_000)]);
    assert_eq!(few, many);
}

#[test]
fn one_license_settles_within_3300_cu() {
    let (mut world, channel) = licensed(1, &[10_000], 1_000_000);
    let units = settle_units(&mut world, &channel, &[(0, 1)]);
    println!("settle, one license: {units} CU");
    assert!(units <= 3_300, "{units} CU");
}

#[test]
fn further_license_costs_within_140_cu() {
    let (mut world, channel) = licensed(100, &[10_000], 1_000_000);
    let one = settle_units(&mut world, &channel, &one_of_each(1));
    let hundred = settle_units(&mut world, &channel, &one_of_each(100));
    let marginal = (hundred - one).div_ceil(99);
    println!("settle, 1 and 100 licenses: {one} and {hundred} CU; {marginal} CU a further one");
    assert!(marginal <= 140, "{marginal} CU a further license");

    let bytes = |licenses| {
        let statement = world.statement(&channel, &one_of_each(licenses));
        world.packet_bytes(&statement.call())
    };
    let most = (1..=100).rev().find(|&licenses| bytes(licenses) <= PACKET).unwrap();
    println!("settle: {most} licenses in {} bytes, one in {}", bytes(most), bytes(1));
    assert!(most >= 90, "{most} licenses in a packet");
    // The SDK's maximum statement must fit, or a full one could never settle.
    let full = bytes(motif_sdk::voucher::Statement::MAX_LICENSES as u16);
    assert!(full <= PACKET, "a full statement takes {full} bytes");
}

#[test]
fn later_statements_cost_about_the_same() {
    let (mut world, channel) = licensed(1, &[10_000], 1_000_000);
    let units: Vec<_> = (0..64).map(|_| settle_units(&mut world, &channel, &[(0, 1)])).collect();
    let (least, most) = (units.iter().min().unwrap(), units.iter().max().unwrap());
    println!("settle over 64 statements: {least} to {most} CU");
    assert!(*most <= 6_000, "{most} CU");
}

/// Prints one line of the table.
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
fn instruction_sizes_and_costs_match() {
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
    table.send("accept_terms", &p, channel.accepting(&terms).call());
    table.world.fund_quota(&channel, &capped, 0, 200);
    let call = channel.accepting(&capped).quota(0, 100).call();
    table.send("accept, new issuance", &p, call);
    let call = channel.accepting(&capped).quota(0, 100).call();
    table.send("accept, known issuance", &p, call);
    let statement = table.world.statement(&channel, &[(0, 1_000)]);
    table.send("settle, 1 license", &p, statement.call());
    let statement = table.world.statement(&channel, &[(0, 1), (1, 1), (2, 1)]);
    table.send("settle, 3 licenses", &p, statement.call());

    let mint = currency.mint;
    let open = |work: &Pubkey| Call::new([earnings::open(&host.key(), work, &mint)], &[&host]);
    table.send("open_earnings", &p, open(&model.address));
    table.world.open_earnings(&image);
    table.send("collect, 1 license", &p, channel.collecting(&[(0, &model)]));
    table.send("collect, 2 licenses", &p, channel.collecting(&[(1, &image), (2, &image)]));
    let pull = earnings::pull(&model.address, &image.address, &mint);
    table.send("pull", &p, Call::new([pull], &[]));
    let claim = earnings::claim(&model.address, &model.recipients[0].key(), &currency);
    table.send("claim", &p, Call::new([claim], &[]));
    let one = table.world.person();
    table.world.resplit(&model, &[(&one, 10_000)]);
    let apply = earnings::apply_split(&host.key(), &model.address, &mint);
    table.send("apply_split", &p, Call::new([apply], &[&host]));
    let till = till::open(&host.key(), &model.till(), &currency);
    table.send("open_till", &p, Call::new([till], &[&host]));
    table.world.pay_into_till(&model, 10);
    let sweep = till::sweep(&model.till(), &currency, None);
    table.send("sweep_till", &p, Call::new([sweep], &[]));
    let statement = table.world.statement(&channel, &[(0, 1), (1, 1), (2, 1)]);
    let [open, write] = statement.buffer_instructions().try_into().ok().unwrap();
    table.send("create_statement_buffer", &p, open);
    table.send("write_statement_buffer", &p, write);
    table.send("settle_buffered, 3 licenses", &p, statement.buffered_call());
    let statement = table.world.statement(&channel, &[(0, 1), (1, 1), (2, 1)]);
    table.send("settle_cosigned, 3 licenses", &p, statement.cosigned_call());
    table.world.withdraw_work(&image);
    let withdrawal = channel.applying_withdrawal(&[(1, &image)]);
    table.send("apply_withdrawal", &p, withdrawal);
    table.send("release_quota", &p, channel.releasing_quota_together(1, &capped));
    table.world.send(channel.releasing_quota_together(2, &capped)).assert_ok();
    table.send("rotate_voucher_key", &p, channel.rotating(&one));
    let rest = [(0, &model), (1, &image), (2, &image)];
    table.world.collect(&channel, &rest).assert_ok();
    table.send("claim_fees", &p, channel.claiming_fees());
    table.send("request_close", &p, channel.closing_at_once());
    table.send("withdraw", &p, channel.withdrawing());
    table.world.next_slot();
    let removed = channel.removing();
    table.world.forget();
    table.send("close_channel", &p, removed);

    println!("{:<40} {:>8} {:>6} {:>9}", "instruction", "CU", "bytes", "lamports");
    for Row { name, units, bytes, fee } in &table.rows {
        println!("{name:<40} {units:>8} {bytes:>6} {fee:>9}");
    }
    for Row { name, bytes, .. } in &table.rows {
        assert!(*bytes <= PACKET, "{name} takes {bytes} bytes");
    }
}

/// The layout allows a split of 32; this measures how many fit a classic packet.
#[test]
fn widest_registrations_fit_packet() {
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
    // Wider works need a version-1 transaction of 4,096 bytes, or a change of split afterwards.
    assert!(largest > PACKET && largest <= 4_096);
}

/// Returns the compute units of each call of a program, including its own calls.
fn all_units_of(landed: &Landed, program: &Pubkey) -> Vec<u64> {
    let start = format!("Program {program} consumed ");
    let lines = landed.logs.iter().filter_map(|line| line.strip_prefix(&start));
    lines.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
}

/// Returns a claim without the recipient's signature, paid to associated token accounts.
#[test]
fn batched_claim_costs_within_3000_cu() {
    let mut world = World::new();
    let channel = world.channel().deposited(1_000_000).open();
    let work = world.work().split(&widest()).register();
    let terms = world.terms(&work).publish();
    world.accept(&channel, &terms);
    world.settle(&channel, &[(0, 1_000)]).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(0, &work)]).assert_ok();
    let people: Vec<_> = work.recipients.iter().collect();
    let mut units = |recipients: &[&Person]| {
        let call = world.claiming(&work, recipients);
        let bytes = world.packet_bytes(&call);
        let landed = world.send(call).assert_ok();
        let transfers: u64 = all_units_of(&landed, &TOKEN_PROGRAM).iter().sum();
        (landed.units_of(&payments::ID) - transfers, transfers, bytes)
    };
    let (last, transfer, _) = units(&people[31..]);
    let (batch, transfers, bytes) = units(&people[..CLAIM_BATCH]);
    let marginal = (batch - last).div_ceil(CLAIM_BATCH as u64 - 1);
    println!(
        "claim, the last of 32: {last} CU and the transfer {transfer}; {CLAIM_BATCH} at once: \
         {batch} CU and the transfers {transfers}, {bytes} bytes; {marginal} CU a further one"
    );
    assert!(marginal <= 3_000, "{marginal} CU a further recipient");
    assert!(batch <= 3_000 * CLAIM_BATCH as u64);
    assert!(bytes <= PACKET, "{bytes} bytes");
    // Without the hint, the program searches the recipient.
    let claim = earnings::claim(&work.address, &people[30].key(), &world.currency);
    let searched = world.send(Call::new([claim], &[])).assert_ok().units_of(&payments::ID);
    println!("claim, looked for among 32: {searched} CU with its transfer");
}

#[test]
fn largest_split_fits_default_budget() {
    let mut world = World::new();
    let work = world.work().split(&widest()).register();
    world.open_earnings(&work);
    let people: Vec<_> = (0..32).map(|_| world.person()).collect();
    let split: Vec<_> = people.iter().zip(widest()).collect();
    world.resplit(&work, &split);
    let units = world.apply_split(&work).assert_ok().units_of(&payments::ID);
    println!("apply_split, 32 recipients replaced by 32 others: {units} CU");
    assert!(units <= 200_000, "{units} CU");
}

#[test]
fn work_changes_fit_a_packet() {
    let mut table = Table { world: World::new(), rows: Vec::new() };
    let l = licensing::ID;
    let (host, heir) = (table.world.host.clone(), table.world.person());
    let work = table.world.work().split(&widest()).register();
    table.world.terms(&work).publish();
    let purpose = Purpose::Derivative;
    table.send("grant_approval", &l, work.approving(1, &heir, purpose));
    let child = table.world.work().by(&heir).parent_by_approval(&work, 0, 1).call();
    table.send("register_work, parent by approval", &l, child);
    table.send("revoke_approval", &l, work.revoking(1, &heir, purpose));
    let channel = table.world.channel().open();
    let (parent, license) = table.world.licensed(&channel, 10);
    table.world.settle(&channel, &[(license, 1)]).assert_ok();
    let child = table.world.work().by(&channel.payer);
    let child = child.parent_by_license(&parent, 0, 1, &channel, license).call();
    table.send("register_work, parent by license", &l, child);

    let split: Vec<_> = table.world.read_work(&work).split.into_iter().rev().collect();
    let names = ["propose_split, 24 recipients", "extend_split_change, 8 recipients"];
    for (name, call) in names.into_iter().zip(work.proposing(&split)) {
        table.send(name, &l, call);
    }
    let last = work.recipients[31].clone();
    table.send("approve_split_change, 32nd recipient", &l, work.approving_split(&last, &split));
    table.send("apply_split_change, 32 recipients", &l, work.applying_split(&host));
    table.world.propose_split(&work, &split);
    table.send("cancel_split_change", &l, work.cancelling_split());

    table.send("issue_certificate", &l, work.certifying("A work of thirty-two people"));
    let claimant = table.world.person();
    table.send("open_dispute", &l, work.disputing_by(&claimant));
    let verdict = work.deciding(&host, &claimant, Verdict::Rejected);
    table.send("decide_dispute", &l, verdict);
    table.world.send(work.disputing_by(&claimant)).assert_ok();
    table.world.pass(World::DISPUTE_SECONDS + 1);
    table.send("expire_dispute", &l, work.expiring(&claimant));
    table.send("withdraw_work", &l, work.withdrawing());
    table.send("offer_ownership", &l, work.offering_to(Some(&heir)));
    let last = table.world.read_work(&work);
    let (status, terms, version) = (last.status, last.latest_terms, last.split_version);
    let accepting = work.accepting(&heir, status, terms, version);
    table.send("accept_ownership", &l, accepting);

    println!("{:<40} {:>8} {:>6} {:>9}", "instruction", "CU", "bytes", "lamports");
    for Row { name, units, bytes, fee } in &table.rows {
        println!("{name:<40} {units:>8} {bytes:>6} {fee:>9}");
        assert!(*bytes <= PACKET, "{name} takes {bytes} bytes");
    }
    let certificate = table.rows.iter().find(|row| row.name == "issue_certificate").unwrap();
    // The default compute limit, with a margin for addresses that take longer to derive.
    assert!(certificate.units < 150_000);
}
