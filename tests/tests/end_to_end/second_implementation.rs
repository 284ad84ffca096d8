//! Compares the signed formats with an independent implementation: a Python script
//! written from `docs/formats.md`.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use bytemuck::Zeroable;
use ed25519_dalek::SigningKey;
use motif_sdk::mmr::Mmr;
use motif_sdk::{
    acceptance::{SaleAcceptance, terms_digest},
    channel::{Settlement, StatementRecord, Use},
    receipt::{
        Receipt, SignedReceipt,
        bundle::{BundlePath, BundleSibling},
        tree::{Node, Tree},
    },
    till::{TillShare, TillShares},
    voucher::{SignedVoucher, Statement, Voucher},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use solana_pubkey::Pubkey;

const CASES: usize = 64;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/second_implementation/formats.py");

/// Python packages are not part of the pinned toolchain. The gate installs them and then requires
/// this test to run.
const REQUIRED: &str = "MOTIF_REQUIRE_PYTHON";
const PYTHON: &str = "MOTIF_PYTHON";

#[test]
fn python_writes_the_same_bytes() {
    let mut random = StdRng::seed_from_u64(0x4D_4F_54_49_46);
    let vouchers: Vec<_> = (0..CASES).map(|_| voucher(&mut random)).collect();
    let receipts: Vec<_> = (0..CASES).map(|_| receipt(&mut random)).collect();
    let trees: Vec<_> = (1..=CASES).map(|leaves| tree(&mut random, leaves)).collect();
    let records: Vec<_> = (0..CASES).map(|_| record(&mut random)).collect();
    let bundles: Vec<_> =
        (2..=BundlePath::MAX_RECEIPTS).map(|size| bundle(&mut random, size)).collect();
    let sales: Vec<_> = (0..CASES).map(|case| sale(&mut random, 1 + case % 8)).collect();
    let ranges: Vec<_> = (1..=CASES).map(|length| range(&mut random, length)).collect();
    let questions = json!({
        "vouchers": questions(&vouchers),
        "receipts": questions(&receipts),
        "trees": questions(&trees),
        "records": questions(&records),
        "bundles": questions(&bundles),
        "sales": questions(&sales),
        "ranges": questions(&ranges),
    });
    let ours = json!({
        "vouchers": answers(&vouchers),
        "receipts": answers(&receipts),
        "trees": answers(&trees),
        "records": answers(&records),
        "bundles": answers(&bundles),
        "sales": answers(&sales),
        "ranges": answers(&ranges),
    });

    let Some(theirs) = second_implementation(&questions) else { return };
    assert_eq!(theirs, ours);
}

/// Requests to Python, and the expected answers.
type Case = (Value, Value);

fn questions(cases: &[Case]) -> Vec<&Value> {
    cases.iter().map(|(question, _)| question).collect()
}

fn answers(cases: &[Case]) -> Vec<&Value> {
    cases.iter().map(|(_, answer)| answer).collect()
}

/// Returns the script's answers; `None` without Python and its packages.
fn second_implementation(questions: &Value) -> Option<Value> {
    let python = std::env::var(PYTHON).unwrap_or("python3".to_owned());
    let ready = Command::new(&python).args(["-c", "import cryptography"]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        let needs =
            "needs Python 3.9 and `pip install cryptography`; name another with MOTIF_PYTHON";
        assert!(std::env::var_os(REQUIRED).is_none(), "{needs}");
        eprintln!("SKIPPED: {needs}");
        return None;
    }
    let mut script = Command::new(&python)
        .arg(SCRIPT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    script.stdin.take().unwrap().write_all(questions.to_string().as_bytes()).unwrap();
    let output = script.wait_with_output().unwrap();
    assert!(output.status.success(), "the script failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn key(random: &mut StdRng) -> Pubkey {
    Pubkey::new_from_array(random.random())
}

fn sale(random: &mut StdRng, works: usize) -> Case {
    let shares = TillShares {
        operator: key(random),
        operator_parts: random.random(),
        works: (0..works)
            .map(|_| TillShare { work: key(random), parts: random.random() })
            .collect(),
    };
    let terms: Vec<(u32, [u8; 32])> =
        (0..works).map(|_| (random.random(), random.random())).collect();
    let (terms_number, digest) = match terms.as_slice() {
        [sole] => *sole,
        several => (0, terms_digest(several)),
    };
    let licensed_use = Use::ALL[random.random_range(0..Use::ALL.len())];
    let acceptance = SaleAcceptance {
        cluster: random.random(),
        till: key(random),
        subject: shares.subject(),
        mint: key(random),
        terms_number,
        terms_digest: digest,
        licensed_use,
        units: random.random(),
        amount: random.random(),
        request_digest: random.random(),
        operator: shares.operator,
        not_after: random.random(),
        nonce: random.random(),
    };
    let share = |share: &TillShare| json!({ "work": share.work.to_string(), "parts": share.parts });
    let question = json!({
        "operator": shares.operator.to_string(),
        "operator_parts": shares.operator_parts,
        "works": shares.works.iter().map(share).collect::<Vec<_>>(),
        "terms": terms
            .iter()
            .map(|(number, digest)| json!([number, hex::encode(digest)]))
            .collect::<Vec<_>>(),
        "cluster": hex::encode(acceptance.cluster),
        "till": acceptance.till.to_string(),
        "mint": acceptance.mint.to_string(),
        "use": licensed_use as u8,
        "units": acceptance.units,
        "amount": acceptance.amount,
        "request_digest": hex::encode(acceptance.request_digest),
        "not_after": acceptance.not_after,
        "nonce": acceptance.nonce,
    });
    let answer = json!({
        "shares": hex::encode(shares.digest()),
        "bytes": hex::encode(acceptance.to_bytes()),
        "memo": acceptance.memo(),
    });
    (question, answer)
}

fn voucher(random: &mut StdRng) -> Case {
    let secret: [u8; 32] = random.random();
    let indices = 0..random.random_range(1..100_u16);
    let entries: Vec<(u16, u32)> = indices.map(|index| (index, random.random())).collect();
    let statement: Statement = entries.iter().copied().collect();
    let voucher = Voucher {
        cluster: random.random(),
        channel: key(random),
        opened_slot: random.random(),
        statement: random.random(),
        cumulative: random.random(),
        statement_digest: statement.digest(),
        expires_at: random.random(),
    };
    let signed = SignedVoucher::sign(voucher, &SigningKey::from_bytes(&secret));
    let entry = |&(license, units): &(u16, u32)| json!({ "license": license, "units": units });
    let question = json!({
        "secret_key": hex::encode(secret),
        "entries": entries.iter().map(entry).collect::<Vec<_>>(),
        "cluster": hex::encode(voucher.cluster),
        "program": payments::ID.to_string(),
        "channel": voucher.channel.to_string(),
        "opened_slot": voucher.opened_slot,
        "statement": voucher.statement,
        "cumulative": voucher.cumulative,
        "expires_at": voucher.expires_at,
    });
    let answer = json!({
        "statement_bytes": hex::encode(statement.to_bytes()),
        "bytes": hex::encode(voucher.to_bytes()),
        "public_key": hex::encode(signed.key.to_bytes()),
        "signature": hex::encode(signed.signature),
    });
    (question, answer)
}

fn any_receipt(random: &mut StdRng) -> Receipt {
    Receipt {
        channel: key(random),
        opened_slot: random.random(),
        statement: random.random(),
        position: random.random(),
        license: random.random(),
        units: random.random(),
        terms_number: random.random(),
        amount: random.random(),
        cumulative: random.random(),
        work: key(random),
        request_digest: random.random(),
        output_digest: random.random(),
        issued_at: random.random(),
    }
}

/// Receipts that are signed together.
fn bundle(random: &mut StdRng, size: usize) -> Case {
    let secret: [u8; 32] = random.random();
    let signing_key = SigningKey::from_bytes(&secret);
    let receipts: Vec<_> = (0..size).map(|_| any_receipt(random)).collect();
    let signed = SignedReceipt::sign_together(&receipts, &signing_key);
    let digests: Vec<_> = receipts.iter().map(|receipt| hex::encode(receipt.digest())).collect();
    let sibling = |sibling: BundleSibling| json!({ "hash": hex::encode(sibling.hash), "is_left": sibling.is_left });
    let way = |one: &SignedReceipt| one.bundle.siblings().map(sibling).collect::<Vec<_>>();
    let question = json!({ "secret_key": hex::encode(secret), "digests": digests });
    let answer = json!({
        "ways": signed.iter().map(way).collect::<Vec<_>>(),
        "public_key": hex::encode(signing_key.verifying_key().to_bytes()),
        "signature": hex::encode(signed[0].signature),
    });
    (question, answer)
}

fn receipt(random: &mut StdRng) -> Case {
    let secret: [u8; 32] = random.random();
    let receipt = any_receipt(random);
    let signing_key = SigningKey::from_bytes(&secret);
    let signed = SignedReceipt::sign(receipt, &signing_key);
    let question = json!({
        "secret_key": hex::encode(secret),
        "channel": receipt.channel.to_string(),
        "opened_slot": receipt.opened_slot,
        "statement": receipt.statement,
        "position": receipt.position,
        "license": receipt.license,
        "units": receipt.units,
        "terms_number": receipt.terms_number,
        "amount": receipt.amount,
        "cumulative": receipt.cumulative,
        "work": receipt.work.to_string(),
        "request_digest": hex::encode(receipt.request_digest),
        "output_digest": hex::encode(receipt.output_digest),
        "issued_at": receipt.issued_at,
    });
    let answer = json!({
        "bytes": hex::encode(receipt.to_bytes()),
        "digest": hex::encode(receipt.digest()),
        "public_key": hex::encode(signing_key.verifying_key().to_bytes()),
        "signature": hex::encode(signed.signature),
    });
    (question, answer)
}

fn tree(random: &mut StdRng, leaves: usize) -> Case {
    let leaf = |random: &mut StdRng| -> ([u8; 32], u64) {
        (random.random(), random.random_range(0..1 << 48))
    };
    let leaves: Vec<_> = (0..leaves).map(|_| leaf(random)).collect();
    let nodes = leaves.iter().map(|(digest, amount)| Node::leaf(digest, *amount)).collect();
    let root = Tree::new(nodes).unwrap().unwrap().root();
    let leaf = |(digest, amount): &([u8; 32], u64)| json!([hex::encode(digest), amount]);
    let question = leaves.iter().map(leaf).collect();
    (question, json!({ "root": hex::encode(root.hash), "sum": root.sum }))
}

fn record(random: &mut StdRng) -> Case {
    let record = StatementRecord {
        channel: key(random),
        opened_slot: random.random(),
        settlement: Settlement {
            statement: random.random(),
            prices: random.random(),
            fee: random.random(),
            cumulative: random.random(),
        },
        statement_digest: random.random(),
        receipts_root: random.random_bool(0.5).then(|| random.random()),
    };
    let Settlement { statement, prices, fee, cumulative } = record.settlement;
    let question = json!({
        "channel": record.channel.to_string(),
        "opened_slot": record.opened_slot,
        "statement": statement,
        "prices": prices,
        "fee": fee,
        "cumulative": cumulative,
        "statement_digest": hex::encode(record.statement_digest),
        "receipts_root": record.receipts_root.map(hex::encode),
    });
    (question, json!(hex::encode(record.hash())))
}

fn range(random: &mut StdRng, length: usize) -> Case {
    let leaves: Vec<[u8; 32]> = (0..length).map(|_| random.random()).collect();
    let mut range = Mmr::zeroed();
    for leaf in &leaves {
        range.append(*leaf).unwrap();
    }
    let peaks = range.peaks.iter().enumerate();
    let peaks = peaks.filter(|(level, _)| range.length >> level & 1 == 1);
    let peaks = peaks.map(|(level, root)| (level.to_string(), json!(hex::encode(root)))).collect();
    let question = leaves.iter().map(hex::encode).collect();
    (question, Value::Object(peaks))
}
