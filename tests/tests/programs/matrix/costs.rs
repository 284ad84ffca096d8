//! P28 and the cost of every instruction, compared with `docs/figures/instructions.md`.

use std::{collections::BTreeMap, fmt::Write, fs};

use motif_sdk::client::{LARGE_PACKET_BYTES, PACKET_BYTES};
use motif_tests::figures;
use solana_pubkey::Pubkey;

use super::{
    PROGRAMS,
    calls::{CALLS, Good, Known},
    idl::Idl,
    largest::LARGEST,
    stage::Stage,
};

/// Maximum compute units of a transaction.
const MOST_UNITS: u64 = 1_400_000;
/// Maximum rise of an instruction's compute units over the recorded ones, percent.
const RISE_PERCENT: u64 = 5;
const PAGE: &str = "instructions.md";

/// Program, instruction, and variant of the call.
type Key = (String, String, String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    units: u64,
    bytes: usize,
    lamports: u64,
}

fn measured() -> Vec<(Key, Cost)> {
    let base = Stage::new();
    let ids: Vec<_> = Idl::committed().iter().map(Idl::id).collect();
    let measure = |(program, name, what, good): &Known| {
        let id = ids[PROGRAMS.iter().position(|known| known == program).unwrap()];
        let key = [*program, *name, *what].map(str::to_string);
        (key.into(), cost(base.clone(), *good, &id))
    };
    CALLS.iter().chain(LARGEST).map(measure).collect()
}

fn cost(mut stage: Stage, good: Good, id: &Pubkey) -> Cost {
    let instructions = good(&mut stage);
    // The first signer pays the fee.
    let mut call = stage.call(instructions.clone());
    let signer = instructions.iter().flat_map(|call| &call.accounts).find(|meta| meta.is_signer);
    if let Some(signer) = signer {
        call = call.paid_by(&signer.pubkey);
    }
    let classic = stage.world.packet_bytes(&call);
    let bytes = if classic <= PACKET_BYTES { classic } else { stage.world.large_bytes(&call) };
    let landed = stage.world.send(call).assert_ok();
    Cost { units: landed.units_of(id), bytes, lamports: landed.fee }
}

#[test]
fn costs_stay_as_recorded() {
    let measured = measured();
    if figures::updating() {
        fs::write(figures::path(PAGE), page(&measured)).unwrap();
        return;
    }
    let recorded = recorded();
    let mut dearer = Vec::new();
    for (key, cost) in &measured {
        let Some(before) = recorded.get(key) else {
            dearer.push(format!("{key:?} is not recorded"));
            continue;
        };
        if cost.units * 100 > before.units * (100 + RISE_PERCENT) {
            dearer.push(format!("{key:?}: {} compute units, not {}", cost.units, before.units));
        }
        if (cost.bytes, cost.lamports) != (before.bytes, before.lamports) {
            dearer.push(format!("{key:?}: {cost:?}, not {before:?}"));
        }
    }
    let gone = recorded.keys().filter(|key| !measured.iter().any(|(other, _)| other == *key));
    dearer.extend(gone.map(|key| format!("{key:?} is recorded and was not measured")));
    assert!(
        dearer.is_empty(),
        "docs/figures/{PAGE} differs; if the change is intended, or if other addresses take longer \
         to derive, run this test with UPDATE_FIGURES=1\n{}",
        dearer.join("\n")
    );
}

#[test]
fn every_instruction_fits_a_transaction() {
    for ((program, name, which), cost) in measured() {
        let Cost { units, bytes, .. } = cost;
        let call = format!("{program} {name} {which}");
        assert!(bytes <= LARGE_PACKET_BYTES, "{call} takes {bytes} bytes");
        assert!(units <= MOST_UNITS, "{call} takes {units} compute units");
        // Only the widest registration exceeds a classic packet.
        let widest = name == "register_work" && which.starts_with("8 parents");
        assert!(bytes <= PACKET_BYTES || widest, "{call} takes {bytes} bytes");
    }
}

const HEAD: &str = "# What instructions cost

Generated from a run on the committed bytecode in LiteSVM: `UPDATE_FIGURES=1 cargo test --release --workspace --test programs matrix::costs` writes
this page. Without UPDATE_FIGURES the command fails if an instruction takes over 5 % more compute units, or other bytes or lamports.

*Compute units* include the instruction's calls and exclude the Ed25519 precompile, which runs outside programs. *Bytes* are those of the
signed transaction; more than 1,232 require a transaction of version 1 (4,096 bytes). *Lamports* are the fee: 5,000 per signature,
including the voucher's. All values are exact and repeatable.
";

const TAIL: &str = "
## What fits a classic packet (1,232 bytes)

A registration with a split of up to 25 recipients without parents and URI, 19 with a URI of 200 bytes, 9 with eight parents
(measured by `tests/tests/programs/costs.rs`). The widest registration takes a version-1 transaction, or a registration by the creator alone
followed by a split change, which the SDK does automatically. A statement of more than 88 licenses is first written to a buffer
(`write_statement_buffer`). A buffered statement of 4,500 licenses, the maximum, stays within a transaction's 1,400,000 units.
";

fn page(measured: &[(Key, Cost)]) -> String {
    let mut page = HEAD.to_string();
    for program in PROGRAMS {
        write!(page, "\n## {program}\n\n| instruction | compute units | bytes | lamports |\n")
            .unwrap();
        page += "|---|---|---|---|\n";
        for ((of, name, which), cost) in measured.iter().filter(|(key, _)| key.0 == program) {
            let what = if which.is_empty() { String::new() } else { format!(" ({which})") };
            let version = if cost.bytes > PACKET_BYTES { ", version 1" } else { "" };
            let (units, bytes) = (grouped(cost.units), grouped(cost.bytes as u64));
            let lamports = grouped(cost.lamports);
            assert_eq!(of, program);
            writeln!(page, "| `{name}`{what} | {units} | {bytes}{version} | {lamports} |").unwrap();
        }
    }
    page + TAIL
}

fn recorded() -> BTreeMap<Key, Cost> {
    let page = fs::read_to_string(figures::path(PAGE)).unwrap();
    let mut program = String::new();
    let mut recorded = BTreeMap::new();
    for line in page.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            program = name.to_string();
        }
        let Some(row) = line.strip_prefix("| `") else { continue };
        let (name, row) = row.split_once('`').unwrap();
        let columns: Vec<_> = row.split('|').map(str::trim).collect();
        let which = columns[0].trim_start_matches('(').trim_end_matches(')').to_string();
        let number = |column: &str| -> u64 {
            let digits = column.trim_end_matches(", version 1").replace(',', "");
            digits.parse().unwrap()
        };
        let cost = Cost {
            units: number(columns[1]),
            bytes: number(columns[2]) as usize,
            lamports: number(columns[3]),
        };
        recorded.insert((program.clone(), name.to_string(), which), cost);
    }
    recorded
}

/// Formats 1234567 as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
