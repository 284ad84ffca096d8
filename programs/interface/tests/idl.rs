//! Comparison of the interface with the programs' IDL, which Anchor generates from the programs.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;

use motif_interface::{
    Currency, Pubkey,
    channel::{self, AcceptTermsArgs, Acceptance, OpenChannelArgs, Quota},
    earnings,
    licensing::{self, *},
    operator::{self, OperatorKey, OperatorTerms, RegisterOperatorArgs},
    payments::{self, PaymentsError},
    till::{self, TillShare, TillShares},
    voucher::{SignedVoucher, Voucher},
};
use serde_json::Value;
use solana_instruction::Instruction;
use strum::VariantArray;

const KEY: Pubkey = Pubkey::new_from_array([7; 32]);

fn idl(program: &str) -> Value {
    let path = format!("{}/../../idl/{program}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn licensing_instructions() -> Vec<(&'static str, Instruction)> {
    let config = UpdateConfigArgs { arbiter: KEY, dispute_bond_lamports: 1, dispute_seconds: 2 };
    let initial = InitializeArgs {
        cluster: [0; 32],
        arbiter: KEY,
        dispute_bond_lamports: 1,
        dispute_seconds: 2,
    };
    let evidence = OpenDisputeArgs {
        evidence_uri: String::new(),
        evidence_digest: [0; 32],
        max_bond: u64::MAX,
    };
    let mut work = Registration::new(WorkKind::StyleModel, [1; 32], &KEY);
    work.previous_model = Some(KEY);
    let expected =
        AcceptOwnershipArgs { status: WorkStatus::Active, latest_terms: 0, split_version: 0 };
    let (title, metadata_uri) = (String::new(), String::new());
    let metadata = UpdateMetadataArgs { title, metadata_uri, metadata_digest: [0; 32] };
    let split = [Share { recipient: KEY, share_bps: 1 }];
    let proposal = ProposeSplitArgs { recipients: 1, expires_at: None, shares: split.to_vec() };
    let offer = Offer::new(Vec::new());
    let purpose = Purpose::License;
    vec![
        ("initialize", initialize(&KEY, initial)),
        ("register_work", register_work(&KEY, Some(KEY), &work, &[])),
        ("update_metadata", update_metadata(&KEY, &KEY, metadata)),
        ("update_config", update_config(&KEY, config)),
        ("offer_authority", offer_authority(&KEY, None)),
        ("accept_authority", accept_authority(&KEY)),
        ("publish_terms", publish_terms(&KEY, &KEY, 0, &KEY, offer)),
        ("grant_approval", grant_approval(&KEY, &KEY, 1, &KEY, purpose)),
        ("revoke_approval", revoke_approval(&KEY, &KEY, 1, &KEY, purpose, &KEY)),
        ("offer_ownership", offer_ownership(&KEY, &KEY, None)),
        ("accept_ownership", accept_ownership(&KEY, &KEY, expected)),
        ("propose_split", propose_split(&KEY, &KEY, proposal)),
        ("extend_split_change", extend_split_change(&KEY, &KEY, &split)),
        ("approve_split_change", approve_split_change(&KEY, &KEY, &split)),
        ("revoke_split_approval", revoke_split_approval(&KEY, &KEY)),
        ("apply_split_change", apply_split_change(&KEY, &KEY, &KEY)),
        ("cancel_split_change", cancel_split_change(&KEY, &KEY, &KEY)),
        ("withdraw_work", withdraw_work(&KEY, &KEY)),
        ("open_dispute", open_dispute(&KEY, &KEY, evidence)),
        ("decide_dispute", decide_dispute(&KEY, &KEY, &KEY, &KEY, Verdict::UPHELD)),
        ("expire_dispute", expire_dispute(&KEY, &KEY, &KEY)),
        ("set_consent_end", set_consent_end(&KEY, &KEY, None)),
        ("issue_certificate", issue_certificate(&KEY, &KEY, "name")),
    ]
}

fn payments_instructions() -> Vec<(&'static str, Instruction)> {
    let currency = Currency::spl(KEY);
    let opening = OpenChannelArgs {
        salt: 0,
        voucher_key: KEY,
        operator_fee_bps: 1,
        grace_seconds: 2,
        deposit: 3,
        watcher: Some(KEY),
    };
    let cosigners = channel::Cosigners { party: Some(KEY), watcher: Some(KEY) };
    let acceptance = Acceptance {
        work: KEY,
        terms_number: 1,
        approver: Some(KEY),
        approval: true,
        per_licensee: true,
        shared_caps: true,
        deposit_currency: Some(currency),
    };
    let accepted = AcceptTermsArgs {
        licensed_use: Use::Generate,
        max_price: 1,
        terms_digest: [0; 32],
        quota: Quota::default(),
        min_expires_at: i64::MIN,
    };
    let voucher = Voucher {
        cluster: [0; 32],
        channel: KEY,
        opened_slot: 1,
        statement: 2,
        cumulative: 3,
        statement_digest: [0; 32],
        expires_at: 4,
    };
    let shares = TillShares::new(vec![TillShare { work: KEY, parts: 1 }], Some((KEY, 1)));
    let signed = SignedVoucher { voucher, key: KEY, signature: [0; 64] };
    let [_, settle] = channel::settle(&KEY, &KEY, &signed, vec![1], None);
    let [_, settle_buffered] = channel::settle_buffered(&KEY, &KEY, &signed, None);
    let cosigned = channel::settle_cosigned(&KEY, &KEY, &KEY, &voucher, vec![1], None);
    let create_buffer = channel::buffer_statement(&KEY, &KEY, &[]).remove(0);
    let write_buffer = channel::write_statement_buffer(&KEY, &KEY, 0, vec![1]);
    vec![
        ("settle", settle),
        ("collect", channel::collect(&KEY, &KEY, &[(0, KEY)])),
        ("claim", earnings::claim_to(&KEY, &KEY, &currency, KEY)),
        ("create_vault", channel::create_vault(&KEY, &currency)),
        ("register_operator", operator::register(&KEY, &KEY, RegisterOperatorArgs::single(KEY))),
        ("update_operator", operator::update(&KEY, OperatorTerms::new(KEY))),
        ("rotate_operator_key", operator::rotate_key(&KEY, OperatorKey::Settle, KEY)),
        ("open_channel", channel::open(&KEY, &KEY, &currency, opening)),
        ("top_up", channel::top_up(&KEY, &KEY, &currency, 1)),
        ("accept_terms", channel::accept_terms(&KEY, &KEY, &acceptance, accepted)),
        ("settle_cosigned", cosigned),
        ("create_statement_buffer", create_buffer),
        ("write_statement_buffer", write_buffer),
        ("settle_buffered", settle_buffered),
        ("close_statement_buffer", channel::close_statement_buffer(&KEY, &KEY)),
        ("open_earnings", earnings::open(&KEY, &KEY, &KEY)),
        ("pull", earnings::pull(&KEY, &KEY, &KEY)),
        ("apply_dispute", earnings::apply_dispute(&KEY, &KEY)),
        ("apply_split", earnings::apply_split(&KEY, &KEY, &KEY)),
        ("apply_withdrawal", channel::apply_withdrawal(&KEY, &[(0, KEY)])),
        ("release_quota", channel::release_quota(&KEY, Some(KEY), &KEY, 0, &KEY, 1)),
        ("claim_fees", channel::claim_fees(&KEY, &KEY, &KEY, &currency)),
        ("rotate_voucher_key", channel::rotate_voucher_key(&KEY, &cosigners, &KEY, KEY)),
        ("open_till", till::open(&KEY, &shares, &currency)),
        ("sweep_till", till::sweep(&shares, &currency, Some(KEY))),
        ("request_close", channel::request_close(&KEY, &cosigners, &KEY)),
        ("withdraw", channel::withdraw(&KEY, &KEY, &currency)),
        ("close_channel", channel::close(&KEY, &KEY)),
    ]
}

/// Number of accounts that [`payments_instructions`] passes behind those of the IDL.
fn remaining_accounts(name: &str) -> usize {
    usize::from(matches!(
        name,
        "claim" | "collect" | "apply_withdrawal" | "open_till" | "sweep_till"
    ))
}

fn bytes(value: &Value) -> Vec<u8> {
    value.as_array().unwrap().iter().map(|byte| byte.as_u64().unwrap() as u8).collect()
}

fn assert_instructions(idl: &Value, built: Vec<(&'static str, Instruction)>) {
    let listed = idl["instructions"].as_array().unwrap();
    let by_name: BTreeMap<_, _> = listed
        .iter()
        .map(|instruction| (instruction["name"].as_str().unwrap(), instruction))
        .collect();
    let names: Vec<_> = built.iter().map(|(name, _)| *name).collect();
    assert_eq!(by_name.len(), names.len(), "each instruction has one builder");
    for (name, built) in built {
        let expected = by_name[name];
        assert_eq!(built.program_id.to_string(), idl["address"].as_str().unwrap());
        assert_eq!(built.data[..8], bytes(&expected["discriminator"]), "{name}");
        let accounts = expected["accounts"].as_array().unwrap();
        assert_eq!(built.accounts.len(), accounts.len() + remaining_accounts(name), "{name}");
        for (meta, account) in built.accounts.iter().zip(accounts) {
            let account_name = account["name"].as_str().unwrap();
            let flag = |flag: &str| account[flag].as_bool().unwrap_or(false);
            let expected = (flag("signer"), flag("writable"));
            assert_eq!((meta.is_signer, meta.is_writable), expected, "{name}: {account_name}");
            if let Some(address) = account["address"].as_str() {
                assert_eq!(meta.pubkey.to_string(), address, "{name}: {account_name}");
            }
        }
    }
}

#[test]
fn licensing_builders_match_the_idl() {
    assert_instructions(&idl("licensing"), licensing_instructions());
}

#[test]
fn payments_builders_match_the_idl() {
    assert_instructions(&idl("payments"), payments_instructions());
}

#[test]
fn account_discriminators_match_the_idl() {
    let discriminators: [(&str, &str, &[u8]); 14] = [
        ("licensing", "Approval", Approval::DISCRIMINATOR),
        ("licensing", "Config", Config::DISCRIMINATOR),
        ("licensing", "Dispute", Dispute::DISCRIMINATOR),
        ("licensing", "SplitChange", SplitChange::DISCRIMINATOR),
        ("licensing", "Terms", Terms::DISCRIMINATOR),
        ("licensing", "Work", Work::DISCRIMINATOR),
        ("payments", "Channel", payments::Channel::DISCRIMINATOR),
        ("payments", "Earnings", payments::Earnings::DISCRIMINATOR),
        ("payments", "Issuance", payments::Issuance::DISCRIMINATOR),
        ("payments", "Licensee", payments::Licensee::DISCRIMINATOR),
        ("payments", "Operator", payments::Operator::DISCRIMINATOR),
        ("payments", "StatementBuffer", payments::StatementBuffer::DISCRIMINATOR),
        ("payments", "Till", payments::Till::DISCRIMINATOR),
        ("payments", "Vault", payments::Vault::DISCRIMINATOR),
    ];
    for (program, name, discriminator) in discriminators {
        let idl = idl(program);
        let accounts = idl["accounts"].as_array().unwrap();
        let account = accounts.iter().find(|account| account["name"] == name).unwrap();
        assert_eq!(bytes(&account["discriminator"]), discriminator, "{name}");
    }
}

fn assert_errors(idl: &Value, errors: impl Iterator<Item = (u32, String, String)>) {
    let listed = idl["errors"].as_array().unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|error| {
            let code = error["code"].as_u64().unwrap() as u32;
            (
                code,
                error["name"].as_str().unwrap().to_owned(),
                error["msg"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    assert_eq!(errors.collect::<Vec<_>>(), listed);
}

#[test]
fn errors_match_the_idl() {
    let licensing = LicensingError::VARIANTS.iter();
    let licensing = licensing.map(|error| (error.code(), error.name(), error.to_string()));
    assert_errors(&idl("licensing"), licensing);
    let payments = PaymentsError::VARIANTS.iter();
    let payments = payments.map(|error| (error.code(), error.name(), error.to_string()));
    assert_errors(&idl("payments"), payments);
}

#[test]
fn program_ids_match_the_idl() {
    assert_eq!(licensing::ID.to_string(), idl("licensing")["address"].as_str().unwrap());
    assert_eq!(payments::ID.to_string(), idl("payments")["address"].as_str().unwrap());
}
