//! P27: accounts of an earlier build still load. `tests/fixtures/accounts` has one of
//! every type; `UPDATE_FIXTURES=1 cargo test --release --workspace --test programs matrix::fixtures`
//! writes them with the current build.

use std::{fmt::Debug, fs, path::PathBuf, process::Command};

use anchor_lang::{AccountDeserialize, AccountSerialize};
use licensing::{Approval, Config, Dispute, SplitChange, Terms, Work};
use motif_sdk::{channel::ChannelAccount, earnings::EarningsAccount};
use motif_tests::world::{LICENSING_ELF, PAYMENTS_ELF};
use payments::{Issuance, Licensee, Operator, StatementBuffer, Till, Vault};
use serde::{Deserialize, Serialize};
use solana_sha256_hasher::hash;

use super::{PROGRAMS, idl::Idl, stage::Stage};

/// Account on chain.
#[derive(Serialize, Deserialize)]
pub(super) struct Fixture {
    program: String,
    #[serde(rename = "type")]
    pub(super) name: String,
    address: String,
    /// Data, hexadecimal.
    pub(super) data: String,
    /// Fields as read by the build that wrote it.
    pub(super) read_as: String,
}

/// Build that wrote the accounts.
#[derive(Serialize, Deserialize)]
struct Build {
    commit: String,
    licensing_bytecode_sha256: String,
    payments_bytecode_sha256: String,
}

pub(super) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/accounts")
}

/// Returns the fields of an account after checking that no data is lost.
pub(super) fn read(name: &str, data: &[u8]) -> String {
    match name {
        "Approval" => read_whole::<Approval>(data),
        "Config" => read_whole::<Config>(data),
        "Dispute" => read_whole::<Dispute>(data),
        "SplitChange" => read_whole::<SplitChange>(data),
        "Terms" => read_whole::<Terms>(data),
        "Work" => read_whole::<Work>(data),
        "Issuance" => read_whole::<Issuance>(data),
        "Licensee" => read_whole::<Licensee>(data),
        "Operator" => read_whole::<Operator>(data),
        "Till" => read_whole::<Till>(data),
        "Vault" => read_whole::<Vault>(data),
        "Channel" => format!("{:?}", ChannelAccount::from_bytes(data).unwrap()),
        "Earnings" => format!("{:?}", EarningsAccount::from_bytes(data).unwrap()),
        "StatementBuffer" => {
            let (header, statement) = data.split_at(StatementBuffer::HEADER_SPACE);
            format!(
                "{:?} {statement:?}",
                StatementBuffer::try_deserialize(&mut &header[..]).unwrap()
            )
        }
        other => panic!("unknown account type {other}"),
    }
}

fn read_whole<T: AccountDeserialize + AccountSerialize + Debug>(data: &[u8]) -> String {
    let account = T::try_deserialize(&mut &data[..]).unwrap();
    let mut written = Vec::new();
    account.try_serialize(&mut written).unwrap();
    let (same, room) = data.split_at(written.len());
    assert_eq!(same, written, "read and written again, it is another account");
    assert!(room.iter().all(|byte| *byte == 0), "reserved bytes are zero");
    format!("{account:?}")
}

/// Returns the largest account of every type on the stage.
fn accounts() -> Vec<Fixture> {
    let stage = Stage::new();
    let mut fixtures = Vec::new();
    for (program, idl) in PROGRAMS.iter().zip(Idl::committed()) {
        let mut accounts = stage.world.svm.get_program_accounts(&idl.id());
        accounts.sort_by_key(|(address, account)| (account.data.len(), *address));
        for known in &idl.accounts {
            let mut of_this_type = accounts.iter().rev();
            let found =
                of_this_type.find(|(_, found)| found.data.starts_with(&known.discriminator));
            let (address, account) = found.unwrap();
            fixtures.push(Fixture {
                program: (*program).to_string(),
                name: known.name.clone(),
                address: address.to_string(),
                data: hex::encode(&account.data),
                read_as: read(&known.name, &account.data),
            });
        }
    }
    fixtures
}

fn write() {
    let head = Command::new("git").args(["rev-parse", "HEAD"]).output().unwrap();
    let build = Build {
        commit: String::from_utf8(head.stdout).unwrap().trim().to_string(),
        licensing_bytecode_sha256: hex::encode(hash(LICENSING_ELF)),
        payments_bytecode_sha256: hex::encode(hash(PAYMENTS_ELF)),
    };
    fs::create_dir_all(directory()).unwrap();
    let put = |name: &str, json: String| {
        fs::write(directory().join(format!("{name}.json")), json + "\n").unwrap();
    };
    put("build", serde_json::to_string_pretty(&build).unwrap());
    for fixture in accounts() {
        let name = format!("{}.{}", fixture.program, fixture.name);
        put(&name, serde_json::to_string_pretty(&fixture).unwrap());
    }
}

#[test]
fn earlier_accounts_still_load() {
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        write();
    }
    for (program, idl) in PROGRAMS.iter().zip(Idl::committed()) {
        for known in &idl.accounts {
            let name = format!("{program}.{}.json", known.name);
            let json = fs::read_to_string(directory().join(&name));
            let json = json.unwrap_or_else(|_| panic!("there is no {name}"));
            let fixture: Fixture = serde_json::from_str(&json).unwrap();
            let data = hex::decode(&fixture.data).unwrap();
            assert!(data.starts_with(&known.discriminator), "{name} has another discriminator");
            assert_eq!(data[8], 1, "{name}: an older version needs a reader of its own");
            assert_eq!(read(&known.name, &data), fixture.read_as, "{name} reads otherwise");
        }
    }
    let build = fs::read_to_string(directory().join("build.json")).unwrap();
    let build: Build = serde_json::from_str(&build).unwrap();
    println!("written by {}", build.commit);
}
