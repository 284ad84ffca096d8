//! Accounts of a later program: other versions, other types, and longer accounts. The rules are in
//! docs/formats.md.

use std::{collections::BTreeSet, fs};

use super::{
    CALLS, PROGRAMS, Subject,
    cells::Kind,
    fixtures::{Fixture, directory, read},
    idl::Idl,
    stage::Stage,
};

/// Bytes of a new field behind an account's content.
const ROOM: usize = 16;
/// Types whose account ends with a list, so that its length counts the entries.
const LISTS: [&str; 3] = ["Channel", "Earnings", "StatementBuffer"];

/// Call with one account changed: instruction, account, its type, and the answer.
type Cell = (&'static str, String, String, String);

/// Returns the answers to every valid call with each account of the programs changed.
fn answers(change: impl Fn(&mut Vec<u8>)) -> Vec<Cell> {
    let idls = Idl::committed();
    let base = Stage::new();
    let mut cells = Vec::new();
    for &(program, instruction, _, good) in CALLS {
        let idl = &idls[PROGRAMS.iter().position(|name| *name == program).unwrap()];
        let described = idl.instructions.iter().find(|known| known.name == instruction).unwrap();
        let mut stage = base.clone();
        let instructions = good(&mut stage);
        let subject = Subject::new(stage, instructions, &idl.id(), described, &idls);
        for (index, kind) in subject.kinds.iter().enumerate() {
            let Kind::Ours(_, name) = kind else { continue };
            let mut stage = subject.stage.clone();
            stage.world.operate(&subject.metas()[index].pubkey, &change);
            let call = stage.call(subject.instructions.clone());
            let answer = stage.world.send(call).answer();
            cells.push((instruction, subject.name(index).to_owned(), name.clone(), answer));
        }
    }
    cells
}

fn fixtures() -> Vec<Fixture> {
    let mut paths: Vec<_> =
        fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !path.ends_with("build.json"));
    paths.sort();
    let read = |path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    paths.iter().map(read).collect()
}

#[test]
fn later_type_is_rejected() {
    let cells = answers(|data| data[0] ^= 0x80);
    let mut wrong = Vec::new();
    for (instruction, account, name, answer) in &cells {
        let expected = match (*instruction, account.as_str()) {
            // Settlements read the operator's account in place.
            ("settle" | "settle_cosigned" | "settle_buffered", "operator") => {
                "InvalidOperatorAccount"
            }
            _ => "AccountDiscriminatorMismatch",
        };
        if answer != expected {
            wrong.push(format!("{instruction} {account} ({name}): {answer}, not {expected}"));
        }
    }
    assert!(cells.len() > 90, "{} cells", cells.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn grown_account_is_accepted_where_allowed() {
    let cells = answers(|data| data.extend_from_slice(&[0; ROOM]));
    let mut wrong = Vec::new();
    for (instruction, account, name, answer) in &cells {
        let expected: &[&str] = match (*instruction, name.as_str()) {
            // The digest that an acceptance names is that of the whole account.
            ("accept_terms", "Terms") => &["TermsDigestMismatch"],
            // Anchor's `init_if_needed` checks the space of an account that exists.
            ("accept_terms", "Issuance") => &["ConstraintSpace"],
            // Instructions that need the header alone do not look at the entries.
            (_, "Channel") => &["accepted", "InvalidChannelData"],
            (_, "Earnings") => &["accepted", "InvalidEarningsData"],
            // Its length is that of the statement.
            ("settle_buffered", "StatementBuffer") => &["StatementDigestMismatch"],
            _ => &["accepted"],
        };
        if !expected.contains(&answer.as_str()) {
            wrong.push(format!("{instruction} {account} ({name}): {answer}, not {expected:?}"));
        }
    }
    let grown: BTreeSet<_> =
        cells.iter().filter(|cell| cell.3 == "accepted").map(|cell| &cell.2).collect();
    println!("accepted with more room: {grown:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn grown_fixture_reads_as_before() {
    let mut read_again = 0;
    for fixture in fixtures() {
        let mut data = hex::decode(&fixture.data).unwrap();
        if LISTS.contains(&fixture.name.as_str()) {
            continue;
        }
        data.extend_from_slice(&[0; ROOM]);
        assert_eq!(read(&fixture.name, &data), fixture.read_as, "{}", fixture.name);
        read_again += 1;
    }
    assert_eq!(read_again, 11, "types whose content may be followed by room");
}

#[test]
fn grown_list_fixture_has_another_length() {
    use motif_sdk::{channel::ChannelAccount, earnings::EarningsAccount};

    for fixture in fixtures() {
        let mut data = hex::decode(&fixture.data).unwrap();
        let mut grow = |bytes: usize| data.resize(data.len() + bytes, 0);
        match fixture.name.as_str() {
            "Channel" => {
                grow(size_of::<payments::License>() - 1);
                assert!(ChannelAccount::from_bytes(&data).is_none(), "a part of a license");
                data.push(0);
                let grown = ChannelAccount::from_bytes(&data).unwrap();
                assert_eq!(grown.licenses.last().unwrap().work, solana_pubkey::Pubkey::default());
            }
            "Earnings" => {
                grow(size_of::<payments::Part>() - 1);
                assert!(EarningsAccount::from_bytes(&data).is_none(), "a part of a part");
                data.push(0);
                assert!(EarningsAccount::from_bytes(&data).is_some());
            }
            _ => {}
        }
    }
}
