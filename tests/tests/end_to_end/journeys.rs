//! End-to-end flows, from a registered work to payments in token accounts, to the unit.

use motif_sdk::{
    channel::{Settlement, StatementRecord},
    operator::ReceiptKeys,
    receipt::{
        Receipt, SignedReceipt,
        proof::{ProofError, ReceiptProof},
        tree::{Node, Tree},
    },
};
use motif_tests::world::{OpenedChannel, RegisteredWork, SignedStatement, World};
use proptest::prelude::*;
use solana_sha256_hasher::hash;

/// Collects, pulls and claims everything; calls without an amount are rejected.
fn pay_everyone(
    world: &mut World,
    channel: &OpenedChannel,
    licenses: &[(u16, &RegisteredWork)],
    children_first: &[&RegisteredWork],
) {
    for license in licenses {
        let _ = world.collect(channel, &[*license]);
    }
    for (position, child) in children_first.iter().enumerate() {
        for parent in &children_first[position + 1..] {
            let _ = world.pull(child, parent);
        }
    }
    for work in children_first {
        for recipient in &work.recipients {
            let _ = world.claim(work, recipient);
        }
    }
    let _ = world.send(channel.claiming_fees());
}

#[test]
fn thousand_vouchers_lose_nothing() {
    let mut world = World::new();
    let image = world.work().split(&[5_000, 5_000]).register();
    let model = world.work().split(&[7_000, 3_000]).parent(&image, 2_000).register();
    let of_image = world.terms(&image).price(50).publish();
    let of_model = world.terms(&model).price(1_000).with(|offer| offer.upfront_fee = 777).publish();

    let channel = world.channel().deposited(2_000_000).fee(250).open();
    let image_license = world.accept(&channel, &of_image);
    let model_license = world.accept(&channel, &of_model);

    // A thousand generations by the model and three by the image; of the thousand vouchers
    // each replaces the previous one, and the operator settles every hundredth.
    for batch in 0..10 {
        let mut newest: Option<SignedStatement> = None;
        for generation in 1..=100 {
            let mut entries = vec![(model_license, generation)];
            if batch == 4 {
                entries.insert(0, (image_license, 3));
            }
            newest = Some(world.statement(&channel, &entries));
        }
        world.send(newest.unwrap().call()).assert_ok();
    }
    let state = world.read(&channel);
    assert_eq!(state.licenses[usize::from(model_license)].units, 1_000);
    assert_eq!(state.channel.prices, 1_000 * 1_000 + 3 * 50);
    assert_eq!(state.channel.charged().unwrap(), 777 + 1_000_150 + 25_003);

    world.open_earnings(&image);
    world.open_earnings(&model);
    let licenses = [(image_license, &image), (model_license, &model)];
    pay_everyone(&mut world, &channel, &licenses, &[&model, &image]);

    // The model earned 1,000,777: 200,155 for the image, 800,621 for itself.
    assert_eq!(world.earnings(&model).earnings.earned, 1_000_777);
    assert_eq!(world.earnings(&image).earnings.earned, 150 + 200_155);
    let paid: Vec<_> = model.recipients.iter().map(|person| world.balance(person)).collect();
    assert_eq!(paid, [560_434, 240_186]);
    let paid: Vec<_> = image.recipients.iter().map(|person| world.balance(person)).collect();
    assert_eq!(paid, [100_152, 100_152]);
    assert_eq!(world.balance(&channel.operator), 25_003);

    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.pass(channel.grace_seconds);
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!(world.balance(&channel.payer), 2_000_777 - 1_025_930);
    // Dust: two units of the model and one of the image, less than one per party.
    let all = [&model.recipients[..], &image.recipients[..]].concat();
    let received: u64 = all.iter().map(|person| world.balance(person)).sum();
    let back = world.balance(&channel.payer) + world.balance(&channel.operator);
    assert_eq!(world.vault_balance(), 3);
    assert_eq!(received + back + world.vault_balance(), 2_000_777);
}

/// Receipts of a statement, one per unit, with the data for their proofs.
struct Served {
    receipts: Vec<SignedReceipt>,
    tree: Tree,
    record: StatementRecord,
}

fn serve(world: &mut World, channel: &OpenedChannel, units: u32, price: u64) -> Served {
    let statement = world.statement(channel, &[(0, units)]);
    let state = world.read(channel);
    let operator = channel.operator.signing_key();
    let receipts: Vec<_> = (0..units)
        .map(|position| {
            let receipt = Receipt {
                channel: channel.address,
                opened_slot: state.channel.opened_slot,
                statement: statement.voucher.statement,
                position,
                license: 0,
                units: 1,
                terms_number: 1,
                amount: price,
                cumulative: 0,
                work: state.licenses[0].work,
                request_digest: hash(&position.to_le_bytes()).to_bytes(),
                output_digest: hash(b"output").to_bytes(),
                issued_at: world.now(),
            };
            SignedReceipt::sign(receipt, &operator)
        })
        .collect();
    let leaf = |signed: &SignedReceipt| Node::leaf(&signed.receipt.digest(), signed.receipt.amount);
    let tree = Tree::new(receipts.iter().map(leaf).collect()).unwrap().unwrap();
    let prices = u64::from(units) * price;
    let statement = statement.committing_to(Some(tree.root().into()));
    let fees_before = state.channel.fees();
    world.send(statement.call()).assert_ok();
    let settlement = Settlement {
        statement: statement.voucher.statement,
        prices,
        fee: world.read(channel).channel.fees() - fees_before,
        cumulative: statement.voucher.cumulative,
    };
    let record = StatementRecord {
        channel: channel.address,
        opened_slot: state.channel.opened_slot,
        settlement,
        statement_digest: statement.voucher.statement_digest,
        receipts_root: Some(tree.root().hash),
    };
    Served { receipts, tree, record }
}

#[test]
fn receipts_prove_from_channel_account() {
    let mut world = World::new();
    let channel = world.channel().open();
    world.licensed(&channel, 10);
    let keys = ReceiptKeys::sole(channel.operator.key());
    let mut served = Vec::new();
    for units in [1, 2, 3, 7, 1, 16, 5] {
        served.push(serve(&mut world, &channel, units, 10));
        let account = world.read(&channel).channel;
        let records: Vec<_> = served.iter().map(|served| served.record.hash()).collect();
        for (number, Served { receipts, tree, record }) in served.iter().enumerate() {
            for (position, signed) in receipts.iter().enumerate() {
                let proof = ReceiptProof {
                    signed: *signed,
                    siblings: tree.siblings(position).unwrap(),
                    record: *record,
                    range_siblings: motif_sdk::mmr::siblings(&records, number).unwrap(),
                };
                assert_eq!(proof.verify(&channel.address, &account, &keys), Ok(()));
                let mut raised = proof.clone();
                raised.signed.receipt.amount += 1;
                let refused = raised.verify(&channel.address, &account, &keys);
                assert_eq!(refused, Err(ProofError::Signature));
                let mut elsewhere = proof;
                elsewhere.record.settlement.prices += 1;
                let refused = elsewhere.verify(&channel.address, &account, &keys);
                assert_eq!(refused, Err(ProofError::NotInStatement));
            }
        }
    }
}

#[test]
fn unsettled_receipt_has_no_proof() {
    let mut world = World::new();
    let channel = world.channel().open();
    world.licensed(&channel, 10);
    let Served { receipts, tree, record } = serve(&mut world, &channel, 4, 10);
    let keys = ReceiptKeys::sole(channel.operator.key());
    let before = world.read(&channel).channel;
    serve(&mut world, &channel, 4, 10);
    let proof = ReceiptProof {
        signed: receipts[0],
        siblings: tree.siblings(0).unwrap(),
        record,
        range_siblings: Vec::new(),
    };
    assert_eq!(proof.verify(&channel.address, &before, &keys), Ok(()));
    // The range has grown since: the old proof needs the new sibling.
    let after = world.read(&channel).channel;
    assert_eq!(proof.verify(&channel.address, &after, &keys), Err(ProofError::NotSettled));
    let mut unsettled = proof;
    unsettled.signed.receipt.statement = 2;
    unsettled.signed =
        SignedReceipt::sign(unsettled.signed.receipt, &channel.operator.signing_key());
    let refused = unsettled.verify(&channel.address, &after, &keys);
    assert_eq!(refused, Err(ProofError::Mismatch));
}

#[test]
fn statement_count_keeps_payouts() {
    let run = |statements: &[u32]| {
        let mut world = World::new();
        let channel = world.channel().deposited(1_000_000).fee(333).open();
        let image = world.work().split(&[3_334, 3_333, 3_333]).register();
        let model = world.work().split(&[1, 9_999]).parent(&image, 1_234).register();
        let terms = world.terms(&model).price(13).with(|offer| offer.free_units = 5).publish();
        let license = world.accept(&channel, &terms);
        world.open_earnings(&image);
        world.open_earnings(&model);
        for &units in statements {
            world.settle(&channel, &[(license, units)]).assert_ok();
            let licenses = [(license, &model)];
            pay_everyone(&mut world, &channel, &licenses, &[&model, &image]);
        }
        let people = [&image.recipients[..], &model.recipients[..]].concat();
        let mut paid: Vec<_> = people.iter().map(|person| world.balance(person)).collect();
        paid.push(world.balance(&channel.operator));
        paid.push(world.vault_balance());
        paid
    };
    let at_once = run(&[100]);
    assert_eq!(run(&[1; 100]), at_once);
    assert_eq!(run(&[3, 50, 1, 1, 45]), at_once);
}

/// Work of a random family, with its parents by position, all earlier.
#[derive(Clone, Debug)]
struct Plan {
    split: Vec<u16>,
    parents_bps: Vec<u16>,
    price: u64,
    free_units: u64,
    upfront_fee: u64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Settle { license: usize, units: u32 },
    Collect(usize),
    Pull { child: usize, parent: usize },
    Claim { work: usize, recipient: usize },
    Fees,
}

/// Draws shares of one to five recipients that add up to the whole.
fn split() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::btree_set(1..10_000_u16, 0..5).prop_map(|cuts| {
        let ends = cuts.iter().copied().chain([10_000]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        ends.zip(starts).map(|(end, start)| end - start).collect()
    })
}

fn plan(parents: usize) -> impl Strategy<Value = Plan> {
    let most = 10_000 / parents.max(1) as u16;
    let parents_bps = prop::collection::vec(0..=most, parents);
    (split(), parents_bps, 0..2_000_u64, 0..4_u64, 0..100_u64).prop_map(
        |(split, parents_bps, price, free_units, upfront_fee)| Plan {
            split,
            parents_bps,
            price,
            free_units,
            upfront_fee,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_usize, 1..50_u32).prop_map(|(license, units)| Step::Settle { license, units }),
        2 => (0..3_usize).prop_map(Step::Collect),
        2 => (0..3_usize, 0..3_usize).prop_map(|(child, parent)| Step::Pull { child, parent }),
        2 => (0..3_usize, 0..5_usize)
            .prop_map(|(work, recipient)| Step::Claim { work, recipient }),
        1 => Just(Step::Fees),
    ]
}

/// Returns the final entitlements, computed from totals alone.
struct Reference {
    recipients: Vec<Vec<u64>>,
    operator: u64,
    charged: u64,
}

fn reference(family: &[Plan], units: &[u64], fee_bps: u64) -> Reference {
    let part = |amount: u64, numerator: u64, denominator: u64| {
        (u128::from(amount) * u128::from(numerator) / u128::from(denominator)) as u64
    };
    let prices: Vec<u64> = family
        .iter()
        .zip(units)
        .map(|(plan, units)| units.saturating_sub(plan.free_units) * plan.price)
        .collect();
    let mut earned: Vec<u64> =
        family.iter().zip(&prices).map(|(plan, price)| plan.upfront_fee + price).collect();
    for child in (0..family.len()).rev() {
        for (parent, bps) in family[child].parents_bps.iter().enumerate() {
            earned[parent] += part(earned[child], u64::from(*bps), 10_000);
        }
    }
    let recipients = family.iter().zip(&earned).map(|(plan, earned)| {
        let parents: u64 = plan.parents_bps.iter().map(|bps| u64::from(*bps)).sum();
        let own = part(*earned, 10_000 - parents, 10_000);
        let share = |bps: &u16| part(own, u64::from(*bps), 10_000);
        plan.split.iter().map(share).collect()
    });
    let recipients = recipients.collect();
    let total: u64 = prices.iter().sum();
    let operator = part(total, fee_bps, 10_000);
    let upfront: u64 = family.iter().map(|plan| plan.upfront_fee).sum();
    Reference { recipients, operator, charged: upfront + total + operator }
}

fn every_order_pays_the_reference(
    family: &[Plan],
    fee_bps: u16,
    steps: &[Step],
) -> Result<(), TestCaseError> {
    const DEPOSIT: u64 = 1_000_000_000;
    let mut world = World::new();
    let channel = world.channel().deposited(DEPOSIT).fee(fee_bps).open();
    let mut works: Vec<RegisteredWork> = Vec::new();
    for plan in family {
        let builder = world.work().split(&plan.split);
        let builder = plan
            .parents_bps
            .iter()
            .zip(&works)
            .fold(builder, |work, (bps, parent)| work.parent(parent, *bps));
        let work = builder.register();
        let terms = world.terms(&work).price(plan.price).with(|offer| {
            offer.free_units = plan.free_units;
            offer.upfront_fee = plan.upfront_fee;
        });
        let terms = terms.publish();
        world.accept(&channel, &terms);
        world.open_earnings(&work);
        works.push(work);
    }
    let mut units = vec![0; family.len()];
    for step in steps {
        match *step {
            Step::Settle { license, units: more } => {
                world.settle(&channel, &[(license as u16, more)]).assert_ok();
                units[license] += u64::from(more);
            }
            Step::Collect(license) => {
                let _ = world.collect(&channel, &[(license as u16, &works[license])]);
            }
            Step::Pull { child, parent } => {
                let _ = world.pull(&works[child], &works[parent]);
            }
            Step::Claim { work, recipient } => {
                let work = works[work].clone();
                let recipient = &work.recipients[recipient % work.recipients.len()];
                let _ = world.claim(&work, recipient);
            }
            Step::Fees => {
                let _ = world.send(channel.claiming_fees());
            }
        }
    }
    let licenses: Vec<_> = works.iter().enumerate().map(|(i, work)| (i as u16, work)).collect();
    let children_first: Vec<_> = works.iter().rev().collect();
    pay_everyone(&mut world, &channel, &licenses, &children_first);
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_ok();

    let expected = reference(family, &units, u64::from(fee_bps));
    for (work, expected) in works.iter().zip(&expected.recipients) {
        let paid: Vec<_> = work.recipients.iter().map(|person| world.balance(person)).collect();
        prop_assert_eq!(&paid, expected);
    }
    prop_assert_eq!(world.balance(&channel.operator), expected.operator);
    let upfront: u64 = family.iter().map(|plan| plan.upfront_fee).sum();
    prop_assert_eq!(world.balance(&channel.payer), DEPOSIT + upfront - expected.charged);
    let paid: u64 = expected.recipients.iter().flatten().sum();
    let dust = expected.charged - expected.operator - paid;
    prop_assert_eq!(world.vault_balance(), dust);
    let parties: usize = family.iter().map(|p| p.split.len() + p.parents_bps.len()).sum();
    prop_assert!(dust < parties as u64);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn payout_order_keeps_totals(
        family in (plan(0), plan(1), plan(2)),
        fee_bps in 0..=5_000_u16,
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let family = [family.0, family.1, family.2];
        every_order_pays_the_reference(&family, fee_bps, &steps)?;
    }
}
