//! Measures the cost of settlement on bytecode, and of other payment schemes. Prints one JSON
//! object per line on standard output. `cargo bench --workspace --bench chain`
//!
//! Compute units, bytes and lamports are exact and repeatable.

use motif_sdk::{
    channel::{TOKEN_PROGRAM, collect},
    client::{PACKET_BYTES, packed},
    earnings::{CLAIM_BATCH, claim_batch},
};
use motif_testkit::figure;
use motif_tests::world::{Call, Landed, OpenedChannel, Person, SignedStatement, World};
use payments::{Channel, License, StatementBuffer};
use solana_compute_budget_interface::ComputeBudgetInstruction;

/// Lamports of one transaction signature, and of one that the Ed25519 precompile checks.
const SIGNATURE: u64 = 5_000;

/// x402's `exact` scheme on Solana moves tokens once for each request, to one recipient: the
/// payer's signature and the fee payer's. With the reference implementation's
/// own client and facilitator, run against the LiteSVM of these benchmarks: 692 compute units,
/// 496 bytes, 10,001 lamports, one of them an optional priority fee.
const X402_EXACT_LAMPORTS: u64 = 2 * SIGNATURE;

/// A channel program with one channel per split (payment-channels at commit
/// 3ffa4d6, built with the compiler of our programs and run in the same LiteSVM): settling and
/// distributing the channels of 1,000 works of two recipients took 700 transactions and
/// 7,500,000 lamports packed as tightly as packets allow, 872 and 9,400,000 as its client packs
/// them. Each channel settles by its own proof, so the cost grows with works, not with
/// generations. The cheaper value is used.
const CHANNEL_PER_SPLIT_LAMPORTS: u64 = 7_500;

const GENERATIONS: [u64; 3] = [1, 1_000, 1_000_000];
const WORKS: [u64; 3] = [1, 100, 10_000];
const RECIPIENTS: [usize; 2] = [2, 32];
/// Licenses of one settlement, as the SDK packs them.
const LICENSES_A_PACKET: usize = motif_sdk::voucher::Statement::MAX_LICENSES;

fn main() {
    settling();
    cosigning();
    claiming();
    scenarios();
}

fn print(name: &str, value: u64, unit: &str, how: &str) {
    figure::print(name, value, unit, None, how);
}

fn goal(name: &str, value: u64, unit: &str, goal: (u64, bool), how: &str) {
    figure::print(name, value, unit, Some(goal), how);
}

fn split(recipients: usize) -> Vec<u16> {
    let each = (10_000 / recipients) as u16;
    let mut shares = vec![each; recipients];
    shares[0] += 10_000 - each * recipients as u16;
    shares
}

/// Creates a channel without fee with a number of licenses at 10. More than a hundred are written
/// into the account, which a settlement reads only.
fn channel(works: u64, recipients: usize) -> (World, OpenedChannel) {
    let mut world = World::new();
    let channel = world.channel().fee(0).deposited(1 << 50).open();
    for _ in 0..works.min(100) {
        let work = world.work().split(&split(recipients)).register();
        let terms = world.terms(&work).publish();
        world.accept(&channel, &terms);
    }
    if works > 100 {
        world.operate(&channel.address, |data| {
            let license = data[data.len() - License::SIZE..].to_vec();
            for number in 100..works {
                let mut other = license.clone();
                other[..8].copy_from_slice(&number.to_le_bytes());
                data.extend(other);
            }
        });
    }
    (world, channel)
}

fn settled(world: &mut World, channel: &OpenedChannel, entries: &[(u16, u32)]) -> Landed {
    world.settle(channel, entries).assert_ok()
}

fn settle_units(works: u64, recipients: usize, entries: &[(u16, u32)]) -> u64 {
    let (mut world, channel) = channel(works, recipients);
    settled(&mut world, &channel, entries).units_of(&payments::ID)
}

fn settling() {
    let how = "LiteSVM, bytecode, without the precompile, which runs in no program";
    let one = settle_units(1, 2, &[(0, 1)]);
    goal("settle.cu_one_license", one, "CU", (3_000, one <= 3_000), how);

    let all: Vec<_> = (0..100).map(|license| (license, 1)).collect();
    let (hundred, first) = (settle_units(100, 2, &all), settle_units(100, 2, &all[..1]));
    let further = (hundred - first).div_ceil(99);
    let met = further <= 200;
    goal("settle.cu_per_further_license", further, "CU", (200, met), "LiteSVM, 1 to 100 licenses");

    let (world, channel) = channel(100, 2);
    let bytes =
        |licenses: usize| world.packet_bytes(&world.statement(&channel, &all[..licenses]).call());
    let most = (1..=100).rev().find(|&licenses| bytes(licenses) <= PACKET_BYTES).unwrap_or(0);
    let how = "signed transaction of 1,232 bytes, proof included; the SDK states no more than 100";
    goal("settle.licenses_per_packet", most as u64, "licenses", (90, most >= 90), how);

    let wide = settle_units(1, 32, &[(0, 1)]);
    let how = "compute units with 32 recipients less those with 2";
    goal("settle.cu_32_less_2_recipients", wide.abs_diff(one), "CU", (0, wide == one), how);
    let many = settle_units(1, 2, &[(0, 1_000_000)]);
    let how = "compute units with 1,000,000 generations less those with 1";
    goal("settle.cu_million_less_1_generation", many.abs_diff(one), "CU", (0, many == one), how);
}

/// Measures co-signed settlements: no proof, and one signature for any number of
/// channels.
fn cosigning() {
    let (world, channel) = channel(200, 2);
    let all: Vec<_> = (0..200).map(|license| (license, 1)).collect();
    let call = |licenses: usize| world.statement(&channel, &all[..licenses]).cosigned_call();
    let fits = |licenses: &usize| world.packet_bytes(&call(*licenses)) <= PACKET_BYTES;
    let most = (1..=200).rev().find(fits).unwrap_or(0);
    let how = "signed transaction of 1,232 bytes, two signatures";
    print("settle_cosigned.licenses_per_packet", most as u64, "licenses", how);
    let one = world.clone().send(call(1)).assert_ok();
    let units = one.units_of(&payments::ID);
    print("settle_cosigned.cu_one_license", units, "CU", "LiteSVM, bytecode");

    let (mut world, terms) = {
        let mut world = World::new();
        let work = world.work().register();
        let terms = world.terms(&work).publish();
        (world, terms)
    };
    let (payer, operator, key) = (world.person(), world.person(), world.person());
    let mut statements = Vec::new();
    for salt in 0..10 {
        let opening = world.channel().payer(&payer).operator(&operator).voucher_key(&key);
        let channel = opening.fee(0).with(|args| args.salt = salt).open();
        world.accept(&channel, &terms);
        statements.push(world.statement(&channel, &[(0, 1)]));
    }
    type Settling = fn(&SignedStatement) -> Call;
    let ways: [(&str, Settling); 2] =
        [("settle", SignedStatement::call), ("settle_cosigned", SignedStatement::cosigned_call)];
    for (name, way) in ways {
        // As many channels in each transaction as its bytes allow.
        let (mut world, mut lamports, mut rest) = (world.clone(), 0, &statements[..]);
        while !rest.is_empty() {
            let together = |count: usize| rest[..count].iter().map(way).reduce(Call::then);
            let fits = |call: &Call| world.packet_bytes(call) <= PACKET_BYTES;
            let most = (1..=rest.len()).rev();
            let fitting = most.filter_map(|count| Some((count, together(count).filter(fits)?)));
            let Some((count, call)) = fitting.take(1).next() else { break };
            lamports += world.send(call).assert_ok().fee;
            rest = &rest[count..];
        }
        let how = "LiteSVM: ten channels of one payer and one operator, packed into transactions";
        print(&format!("{name}.lamports{{channels=10}}"), lamports, "lamports", how);
    }
}

fn claiming() {
    let (mut world, host) = (World::new(), Person::numbered(0));
    let work = world.work().split(&split(32)).register();
    world.open_earnings(&work);
    world.open_till(&work);
    world.pay_into_till(&work, 1_000_000);
    world.sweep_till(&work).assert_ok();
    let units = |world: &World, recipients: usize| {
        let payees: Vec<_> = work.recipients.iter().take(recipients).collect();
        let call = world.claiming(&work, &payees).signed_by(&host);
        let landed = world.clone().send(call).assert_ok();
        let transfer = landed.units_of(&TOKEN_PROGRAM);
        landed.units_of(&payments::ID) - recipients as u64 * transfer
    };
    let (one, many) = (units(&world, 1), units(&world, 20));
    let each = many.div_ceil(20);
    let how = "LiteSVM, 20 recipients in one instruction, their transfers taken off";
    goal("claim.cu_per_recipient", each, "CU", (3_000, each <= 3_000), how);
    let how = "LiteSVM, one recipient, the transfer taken off";
    goal("claim.cu_one_recipient", one, "CU", (3_000, one <= 3_000), how);
    print("claim.recipients_per_packet", CLAIM_BATCH as u64, "recipients", "as the SDK packs them");
}

/// Compares schemes for a period with numbers of generations and works.
fn scenarios() {
    for works in WORKS {
        for recipients in RECIPIENTS {
            let (world, channel) = channel(works, recipients);
            let rent = world.svm.minimum_balance_for_rent_exemption(Channel::space(works as usize));
            let name = format!("channel.rent{{works={works}}}");
            if recipients == RECIPIENTS[0] {
                let how = "rent of the channel at the cluster's rate in LiteSVM; comes back";
                print(&name, rent, "lamports", how);
            }
            for generations in GENERATIONS {
                scenario(&world, &channel, works, recipients, generations);
            }
        }
    }
    for recipients in RECIPIENTS {
        paying_out(recipients);
    }
    thousand_works();
}

/// Counts the permissionless transactions from licenses' credit to recipients' accounts.
fn paying_out(recipients: usize) {
    let (world, channel) = channel(100, recipients);
    let (host, currency) = (world.host.key(), world.currency);
    let licenses: Vec<_> = (0..).zip(world.read(&channel).licenses).collect();
    let works: Vec<_> = licenses.iter().map(|(index, license)| (*index, license.work)).collect();
    // 28 earnings accounts per packet.
    let collects = works.chunks(28).map(|few| collect(&channel.address, &currency.mint, few));
    let collects = packed(collects.collect(), &host).len() as u64;
    let people: Vec<_> =
        (0..recipients as u64).map(|n| (n as u8, Person::numbered(n).key())).collect();
    let claims = works.iter().flat_map(|(_, work)| {
        people.chunks(CLAIM_BATCH).map(|few| claim_batch(work, few, &currency))
    });
    let claims = packed(claims.collect(), &host).len() as u64;
    let label = format!("{{works=100,recipients={recipients}}}");
    let how = "computed: packets of the SDK, one signature each; for all earlier periods at once";
    print(&format!("collect.lamports{label}"), collects * SIGNATURE, "lamports", how);
    print(&format!("claim.lamports{label}"), claims * SIGNATURE, "lamports", how);
}

fn scenario(
    world: &World,
    channel: &OpenedChannel,
    works: u64,
    recipients: usize,
    generations: u64,
) {
    let mut world = world.clone();
    let used = works.min(generations);
    let units = (generations / used) as u32; // at most a million
    let (mut lamports, mut compute, mut transactions) = (0, 0, 0);
    let all: Vec<_> = (0..used as u16).map(|license| (license, units)).collect();
    for packet in all.chunks(LICENSES_A_PACKET) {
        let landed = settled(&mut world, channel, packet);
        (lamports, compute) = (lamports + landed.fee, compute + landed.compute_units);
        transactions += 1;
    }
    let label = format!("{{works={works},generations={generations},recipients={recipients}}}");
    let how = "LiteSVM, bytecode: every license used settled once, 100 to a packet";
    print(&format!("settle.lamports{label}"), lamports, "lamports", how);
    print(&format!("settle.transactions{label}"), transactions, "transactions", how);
    print(&format!("settle.cu{label}"), compute, "CU", how);
    let exact = generations * X402_EXACT_LAMPORTS;
    let how = "computed: generations x 2 signatures; pays one recipient, not a split";
    print(&format!("x402_exact.lamports{label}"), exact, "lamports", how);
    let per_split = used * CHANNEL_PER_SPLIT_LAMPORTS;
    let how = "computed: works x 7,500, as measured with two recipients";
    print(&format!("channel_per_split.lamports{label}"), per_split, "lamports", how);
    if (works, generations, recipients) == (10_000, 1_000_000, 2) {
        let ratio = exact / lamports;
        let how = "x402 exact, computed, over settle, measured, 100 licenses to a classic packet";
        goal("settle.times_below_x402_exact", ratio, "times", (10_000, ratio >= 10_000), how);
        staged(works as u16, lamports);
    }
}

/// The same period with a buffered statement, which needs fewer signatures.
fn staged(works: u16, in_packets: u64) {
    let (mut world, channel) = channel(u64::from(works), 2);
    let entries: Vec<_> = (0..works).map(|license| (license, 100)).collect();
    let mut lamports = 0;
    for entries in entries.chunks(StatementBuffer::MAX_ENTRIES) {
        let statement = world.statement(&channel, entries);
        for part in statement.buffer_instructions() {
            lamports += world.send(part).assert_ok().fee;
        }
        let budget = ComputeBudgetInstruction::set_compute_unit_limit(1_400_000);
        let call = statement.buffered_call().changed(|calls| calls.insert(0, budget.clone()));
        lamports += world.send(call).assert_ok().fee;
    }
    let how =
        "LiteSVM: 10,000 licenses in three statements, written down first in parts of 900 bytes";
    print("settle_buffered.lamports{works=10000,generations=1000000}", lamports, "lamports", how);
    print(
        "settle_buffered.part_of_settle",
        lamports * 100 / in_packets,
        "%",
        "the two lines above",
    );
}

/// The comparison's scenario: a thousand works with two recipients each, one period.
fn thousand_works() {
    let (mut world, channel) = channel(1_000, 2);
    let all: Vec<_> = (0..1_000).map(|license| (license, 1)).collect();
    let packets = all.chunks(LICENSES_A_PACKET);
    let lamports: u64 = packets.map(|packet| settled(&mut world, &channel, packet).fee).sum();
    let how = "LiteSVM, bytecode; a program with one channel per split: 7,500,000";
    goal("settle.lamports_1000_works", lamports, "lamports", (120_000, lamports <= 120_000), how);
}
