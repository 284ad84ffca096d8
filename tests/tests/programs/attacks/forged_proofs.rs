//! P9, P10: a voucher that its key did not sign never settles, whatever signature the precompile
//! verifies. Each test breaks one check of `payments::voucher_proof`.

use ed25519_dalek::Signer as _;
use motif_sdk::channel::{ED25519_PROGRAM, INSTRUCTIONS_SYSVAR, PROGRAM_ID, PaymentsError};
use motif_sdk::voucher_proof as proof;
use motif_tests::{
    relay,
    world::{Call, OpenedChannel, SignedStatement, World},
};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::{AccountMeta, Instruction, error::InstructionError};
use solana_sha256_hasher::hash;
use solana_transaction::TransactionError;

use super::{licensed, nothing_settled};

// Offsets of a proof's fields.
const SIGNATURE_OFFSET: usize = 2;
const SIGNATURE_INSTRUCTION: usize = 4;
const KEY_OFFSET: usize = 6;
const KEY_INSTRUCTION: usize = 8;
const MESSAGE_OFFSET: usize = 10;
const MESSAGE_SIZE: usize = 12;
const MESSAGE_INSTRUCTION: usize = 14;

/// Returns a world with the relay program and a valid statement.
fn world() -> (World, OpenedChannel, SignedStatement) {
    let (mut world, channel, _) = licensed();
    relay::deploy(&mut world.svm);
    let statement = world.statement(&channel, &[(0, 25)]);
    (world, channel, statement)
}

fn put(proof: &mut Instruction, offset: usize, value: u16) {
    proof.data[offset..offset + 2].copy_from_slice(&value.to_le_bytes());
}

/// Returns a statement signed by the attacker, with a proof that names the channel's key.
fn forged(
    statement: &SignedStatement,
    channel: &OpenedChannel,
    attacker: &SignedStatement,
) -> Call {
    let mut call = statement.call();
    let key = channel.voucher_key.key();
    call.instructions[0].data[16..48].copy_from_slice(key.as_ref());
    call.instructions[0].data[48..112].copy_from_slice(&attacker.signed().signature);
    call
}

#[track_caller]
fn refused(world: &mut World, channel: &OpenedChannel, call: Call) {
    world.send(call).assert_err(PaymentsError::MissingVoucherProof);
    nothing_settled(world, channel);
}

/// Asserts that the runtime rejects the proof before any program runs.
#[track_caller]
fn refused_by_the_precompile(world: &mut World, channel: &OpenedChannel, call: Call) {
    let outcome = world.send(call);
    assert!(!outcome.is_ok());
    let logs = outcome.refusal_logs();
    assert!(!logs.iter().any(|line| line.contains(&PROGRAM_ID.to_string())), "{logs:?}");
    nothing_settled(world, channel);
}

#[test]
fn unbroken_proof_settles() {
    let (mut world, _, statement) = world();
    world.send(statement.call()).assert_ok();
}

#[test]
fn invalid_signature_fails_precompile() {
    let (mut world, channel, statement) = world();
    let attacker = statement.clone().signed_by(&world.person());
    let call = forged(&statement, &channel, &attacker);
    refused_by_the_precompile(&mut world, &channel, call);
}

#[test]
fn missing_proof_is_rejected() {
    let (mut world, channel, statement) = world();
    let call = statement.call().changed(|calls| drop(calls.remove(0)));
    refused(&mut world, &channel, call);
}

#[test]
fn two_signatures_are_rejected() {
    let (mut world, channel, statement) = world();
    let call = statement.call().changed(|calls| {
        let proof = &mut calls[0];
        let offsets = proof.data[2..16].to_vec();
        let parts = proof.data[16..].to_vec();
        // Both sets of offsets name the same valid signature, 14 bytes later.
        let moved = |at: usize| {
            let mut moved = offsets.clone();
            for field in [0, 4, 8] {
                let offset = u16::from_le_bytes([moved[field], moved[field + 1]]) + at as u16;
                moved[field..field + 2].copy_from_slice(&offset.to_le_bytes());
            }
            moved
        };
        proof.data = [vec![2, 0], moved(14), moved(14), parts].concat();
    });
    refused(&mut world, &channel, call);
}

#[test]
fn zero_signatures_are_rejected() {
    let (mut world, channel, statement) = world();
    // A count of zero requires exactly two bytes of data; no signature is verified then.
    let call = statement.call().changed(|calls| calls[0].data = vec![0, 0]);
    refused(&mut world, &channel, call);
}

#[test]
fn nonzero_padding_is_rejected() {
    let (mut world, channel, statement) = world();
    let call = statement.call().changed(|calls| calls[0].data[1] = 1);
    refused(&mut world, &channel, call);
}

#[test]
fn explicit_index_is_rejected() {
    for field in [SIGNATURE_INSTRUCTION, KEY_INSTRUCTION, MESSAGE_INSTRUCTION] {
        let (mut world, channel, statement) = world();
        let call = statement.call().changed(|calls| put(&mut calls[0], field, 0));
        refused(&mut world, &channel, call);
    }
}

// A known bypass of other programs: valid bytes at the offsets that the program reads, and other
// bytes, signed by the attacker, at the offsets that the precompile reads.

#[test]
fn foreign_signature_index_is_rejected() {
    let (mut world, channel, statement) = world();
    let signature = statement.signed().signature;
    let call = statement.call().changed(|calls| {
        calls[0].data[48..112].fill(0);
        calls.insert(0, Instruction::new_with_bytes(relay::ID, &signature, vec![]));
        put(&mut calls[1], SIGNATURE_OFFSET, 0);
        put(&mut calls[1], SIGNATURE_INSTRUCTION, 0);
    });
    refused(&mut world, &channel, call);
}

#[test]
fn foreign_key_index_is_rejected() {
    let (mut world, channel, statement) = world();
    let attacker = statement.clone().signed_by(&world.person());
    let key = attacker.key.key().to_bytes();
    let call = forged(&statement, &channel, &attacker).changed(|calls| {
        calls.insert(0, Instruction::new_with_bytes(relay::ID, &key, vec![]));
        put(&mut calls[1], KEY_OFFSET, 0);
        put(&mut calls[1], KEY_INSTRUCTION, 0);
    });
    refused(&mut world, &channel, call);
}

#[test]
fn foreign_message_index_is_rejected() {
    let (mut world, channel, statement) = world();
    // The channel's key signed an earlier voucher with a smaller total. The proof verifies that one
    // and contains another.
    let small = world.statement(&channel, &[(0, 1)]).signed();
    let call = statement.call().changed(|calls| {
        let voucher = small.voucher.to_bytes();
        calls[0].data[48..112].copy_from_slice(&small.signature);
        calls.insert(0, Instruction::new_with_bytes(relay::ID, &voucher, vec![]));
        put(&mut calls[1], MESSAGE_OFFSET, 0);
        put(&mut calls[1], MESSAGE_INSTRUCTION, 0);
    });
    refused(&mut world, &channel, call);
}

#[test]
fn shifted_offsets_are_rejected() {
    // Key and signature are swapped; all bytes are verified and the length is right.
    let (mut world, channel, statement) = world();
    let call = statement.call().changed(|calls| {
        let key = calls[0].data[16..48].to_vec();
        let signature = calls[0].data[48..112].to_vec();
        calls[0].data[16..80].copy_from_slice(&signature);
        calls[0].data[80..112].copy_from_slice(&key);
        put(&mut calls[0], SIGNATURE_OFFSET, 16);
        put(&mut calls[0], KEY_OFFSET, 80);
    });
    refused(&mut world, &channel, call);
    // The message is first.
    let (mut world, channel, statement) = self::world();
    let call = statement.call().changed(|calls| {
        let (head, message) = calls[0].data[16..].split_at(96);
        let parts = [message, head].concat();
        calls[0].data[16..].copy_from_slice(&parts);
        put(&mut calls[0], MESSAGE_OFFSET, 16);
        put(&mut calls[0], KEY_OFFSET, 192);
        put(&mut calls[0], SIGNATURE_OFFSET, 224);
    });
    refused(&mut world, &channel, call);
}

#[test]
fn trailing_signature_is_rejected() {
    let (mut world, channel, statement) = world();
    let signature = statement.signed().signature;
    let call = statement.call().changed(|calls| {
        let end = calls[0].data.len() as u16;
        calls[0].data[48..112].fill(0);
        calls[0].data.extend(signature);
        put(&mut calls[0], SIGNATURE_OFFSET, end);
    });
    refused(&mut world, &channel, call);
}

#[test]
fn trailing_key_is_rejected() {
    let (mut world, channel, statement) = world();
    let attacker = statement.clone().signed_by(&world.person());
    let key = attacker.key.key().to_bytes();
    let call = forged(&statement, &channel, &attacker).changed(|calls| {
        let end = calls[0].data.len() as u16;
        calls[0].data.extend(key);
        put(&mut calls[0], KEY_OFFSET, end);
    });
    refused(&mut world, &channel, call);
}

#[test]
fn trailing_message_is_rejected() {
    let (mut world, channel, statement) = world();
    let small = world.statement(&channel, &[(0, 1)]).signed();
    let call = statement.call().changed(|calls| {
        let end = calls[0].data.len() as u16;
        calls[0].data.extend(small.voucher.to_bytes());
        calls[0].data[48..112].copy_from_slice(&small.signature);
        put(&mut calls[0], MESSAGE_OFFSET, end);
    });
    refused(&mut world, &channel, call);
}

#[test]
fn wrong_message_size_is_rejected() {
    // The channel's key signs the first 175 bytes only.
    let (mut world, channel, statement) = world();
    let signed = statement.signed();
    let short = channel.voucher_key.signing_key().sign(&signed.voucher.to_bytes()[..175]);
    let call = statement.call().changed(|calls| {
        calls[0].data[48..112].copy_from_slice(&short.to_bytes());
        put(&mut calls[0], MESSAGE_SIZE, 175);
    });
    refused(&mut world, &channel, call);
    // And an empty message.
    let nothing = channel.voucher_key.signing_key().sign(&[]);
    let call = statement.call().changed(|calls| {
        calls[0].data[48..112].copy_from_slice(&nothing.to_bytes());
        put(&mut calls[0], MESSAGE_SIZE, 0);
    });
    refused(&mut world, &channel, call);
}

#[test]
fn long_proof_is_rejected() {
    let (mut world, channel, statement) = world();
    let call = statement.call().changed(|calls| calls[0].data.push(0));
    refused(&mut world, &channel, call);
}

#[test]
fn short_proof_is_rejected() {
    let (mut world, channel, statement) = world();
    // A valid signature over a voucher's first 175 bytes, without further data.
    let message = &statement.signed().voucher.to_bytes()[..175];
    let signature = channel.voucher_key.signing_key().sign(message).to_bytes();
    let call = statement.call().changed(|calls| {
        calls[0].data[48..112].copy_from_slice(&signature);
        put(&mut calls[0], MESSAGE_SIZE, 175);
        calls[0].data.pop();
    });
    refused(&mut world, &channel, call);
}

#[test]
fn proof_with_account_is_rejected() {
    let (mut world, channel, statement) = world();
    let meta = AccountMeta::new_readonly(channel.address, false);
    let call = statement.call().changed(|calls| calls[0].accounts.push(meta));
    refused(&mut world, &channel, call);
}

#[test]
fn proof_for_other_program_is_rejected() {
    let (mut world, channel, statement) = world();
    let attacker = statement.clone().signed_by(&world.person());
    let call =
        forged(&statement, &channel, &attacker).changed(|calls| calls[0].program_id = relay::ID);
    refused(&mut world, &channel, call);
}

#[test]
fn non_voucher_message_is_rejected() {
    for offset in [0, 15, 48, 79] {
        let (mut world, channel, statement) = world();
        let mut message = statement.voucher.to_bytes();
        message[offset] ^= 1;
        let signature = channel.voucher_key.signing_key().sign(&message).to_bytes();
        let call = statement.call().changed(|calls| {
            calls[0].data[48..112].copy_from_slice(&signature);
            calls[0].data[112..].copy_from_slice(&message);
        });
        refused(&mut world, &channel, call);
    }
}

#[test]
fn proof_after_settle_is_rejected() {
    let (mut world, channel, statement) = world();
    let call = statement.call().changed(|calls| calls.swap(0, 1));
    refused(&mut world, &channel, call);
}

#[test]
fn gap_after_proof_is_rejected() {
    let (mut world, channel, statement) = world();
    let between = ComputeBudgetInstruction::set_compute_unit_limit(200_000);
    let call = statement.call().changed(|calls| calls.insert(1, between));
    refused(&mut world, &channel, call);
}

#[test]
fn compute_budget_before_proof_settles() {
    let (mut world, _, statement) = world();
    let before = ComputeBudgetInstruction::set_compute_unit_limit(200_000);
    let call = statement.call().changed(|calls| calls.insert(0, before));
    world.send(call).assert_ok();
}

#[test]
fn shared_proof_is_rejected() {
    let (mut world, channel, statement) = world();
    let call = statement.call().changed(|calls| calls.push(calls[1].clone()));
    refused(&mut world, &channel, call);
}

#[test]
fn repeated_proof_settles_once() {
    let (mut world, channel, statement) = world();
    let call = statement.call().then(statement.call());
    world.send(call).assert_err(PaymentsError::VoucherStatementMismatch);
    nothing_settled(&world, &channel);
}

#[test]
fn two_proofs_settle_two_statements() {
    let (mut world, channel, first) = world();
    // Vouchers for statements 0 and 1.
    let second = world.statement(&channel, &[(0, 5)]).with(|voucher| {
        voucher.statement = 1;
        voucher.cumulative = 303;
    });
    world.send(first.call().then(second.call())).assert_ok();
    let state = world.read(&channel).channel;
    assert_eq!((state.prices, state.statements.length), (300, 2));
}

#[test]
fn settle_by_cpi_is_rejected() {
    let (mut world, channel, statement) = world();
    let call = statement.call().changed(|calls| {
        let settle = calls[1].clone();
        let mut accounts = vec![AccountMeta::new_readonly(settle.program_id, false)];
        accounts.extend(settle.accounts);
        calls[1] = Instruction { program_id: relay::ID, accounts, data: settle.data };
    });
    world.send(call).assert_err(PaymentsError::NotTopLevelInstruction);
    nothing_settled(&world, &channel);
}

#[test]
fn forged_sysvar_is_rejected() {
    let (mut world, channel, statement) = world();
    let attacker = statement.clone().signed_by(&world.person());
    // An account with the bytes of the sysvar after a signature by the channel's key.
    let proof = forged(&statement, &channel, &attacker).instructions.remove(0);
    let mut bytes = vec![2, 0, 6, 0, 0, 0, 0, 0];
    bytes.extend(ED25519_PROGRAM.to_bytes());
    bytes.extend((proof.data.len() as u16).to_le_bytes());
    bytes.extend(proof.data);
    bytes.extend([1, 0]);
    let fake = world.person().key();
    let account = solana_account::Account {
        lamports: 10_000_000_000,
        data: bytes,
        owner: relay::ID,
        ..Default::default()
    };
    world.set(fake, account);
    let call = statement
        .call()
        .instead_of(INSTRUCTIONS_SYSVAR, fake)
        .changed(|calls| drop(calls.remove(0)));
    world.send(call).assert_err(anchor_lang::error::ErrorCode::ConstraintAddress);
    nothing_settled(&world, &channel);
}

#[test]
fn random_headers_never_settle() {
    let (mut world, channel, statement) = world();
    let mut seed = hash(b"random headers");
    for round in 0..200 {
        seed = hash(seed.as_ref());
        let random = seed.to_bytes();
        let call = statement.call().changed(|calls| {
            // One to four of the sixteen bytes are replaced by random ones.
            for change in 0..=(random[0] % 4) as usize {
                let position = usize::from(random[1 + change] % 16);
                calls[0].data[position] = random[5 + change];
            }
        });
        if call.instructions[0].data[..16] == proof::HEADER {
            continue;
        }
        assert!(!world.send(call).is_ok(), "round {round}");
        nothing_settled(&world, &channel);
    }
}

#[test]
fn flipped_header_bit_is_rejected() {
    let (mut world, channel, statement) = world();
    for position in 0..proof::HEADER.len() {
        for bit in 0..8 {
            let call = statement.call().changed(|calls| calls[0].data[position] ^= 1 << bit);
            assert!(!world.send(call).is_ok(), "bit {bit} of byte {position}");
            nothing_settled(&world, &channel);
        }
    }
    world.send(statement.call()).assert_ok();
}

#[test]
fn precompile_error_names_the_proof() {
    let (mut world, channel, statement) = world();
    let call = statement.call().changed(|calls| calls[0].data[60] ^= 1);
    let refused = world.send(call);
    refused.assert_refused(&TransactionError::InstructionError(0, InstructionError::Custom(2)));
    nothing_settled(&world, &channel);
}
