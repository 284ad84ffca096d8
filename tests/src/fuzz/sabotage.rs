//! Calls that must be rejected for every signer.

use motif_sdk::channel::{ED25519_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use solana_account::Account;
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use super::{Episode, Step};
use crate::{relay, world::Call};

/// Draws an invalid variant of a call with its description; `None` if the drawn kind does not apply
/// to the call.
pub(super) fn sabotage(episode: &mut Episode, step: &Step) -> Option<(&'static str, Call)> {
    let settles = step.name == "settle";
    match episode.random.random_range(0..if settles { 12 } else { 6 }) {
        0 => unsigned(episode, step),
        1 => impostor(episode, step),
        2 => another_type(episode, step),
        3 => one_account_twice(episode, step),
        4 => account_missing(step),
        5 => broken_data(episode, step),
        6 => with(
            "a byte of the proof is another",
            step,
            |calls, random| {
                let data = &mut calls[0].data;
                let at = random.random_range(0..data.len());
                data[at] ^= 1 << random.random_range(0..8);
            },
            &mut episode.random,
        ),
        7 => with(
            "the proof is missing",
            step,
            |calls, _| drop(calls.remove(0)),
            &mut episode.random,
        ),
        8 => with("the proof comes after", step, |calls, _| calls.swap(0, 1), &mut episode.random),
        9 => with(
            "something stands between",
            step,
            |calls, _| {
                calls.insert(
                    1,
                    Instruction { program_id: relay::ID, accounts: vec![], data: vec![] },
                );
            },
            &mut episode.random,
        ),
        10 => with(
            "one proof serves twice",
            step,
            |calls, _| calls.push(calls[1].clone()),
            &mut episode.random,
        ),
        _ => with(
            "another program calls",
            step,
            |calls, _| {
                let inner = calls[1].clone();
                let mut accounts = vec![AccountMeta::new_readonly(inner.program_id, false)];
                accounts.extend(inner.accounts);
                calls[1] = Instruction { program_id: relay::ID, accounts, data: inner.data };
            },
            &mut episode.random,
        ),
    }
}

fn with(
    how: &'static str,
    step: &Step,
    change: impl FnOnce(&mut Vec<Instruction>, &mut StdRng),
    random: &mut StdRng,
) -> Option<(&'static str, Call)> {
    Some((how, step.call.clone().changed(|calls| change(calls, random))))
}

/// Returns the position of the program's instruction in the call.
fn ours(call: &Call) -> Option<usize> {
    let programs = [payments::ID, licensing::ID];
    call.instructions.iter().position(|instruction| programs.contains(&instruction.program_id))
}

fn unsigned(episode: &mut Episode, step: &Step) -> Option<(&'static str, Call)> {
    let at = ours(&step.call)?;
    let signers = step.call.instructions[at].accounts.iter().filter(|meta| meta.is_signer);
    let signers: Vec<_> = signers.map(|meta| meta.pubkey).collect();
    let key = signers.choose(&mut episode.random)?;
    // Not the host, which pays for unsigned calls and therefore signs.
    let person = episode.cast.people.iter().find(|person| person.key() == *key)?;
    Some(("a signature is missing", step.call.clone().unsigned_by(person)))
}

/// Draws an account of the programs or a token program that is not a signer.
fn position(episode: &mut Episode, step: &Step) -> Option<(usize, usize)> {
    let at = ours(&step.call)?;
    let instruction = &step.call.instructions[at];
    let positions: Vec<_> = (0..instruction.accounts.len())
        .filter(|&position| {
            let meta = &instruction.accounts[position];
            !meta.is_signer && meta.pubkey != instruction.program_id
        })
        .collect();
    Some((at, *positions.choose(&mut episode.random)?))
}

/// Copies an account to another address under an untrusted owner.
fn impostor(episode: &mut Episode, step: &Step) -> Option<(&'static str, Call)> {
    let (at, position) = position(episode, step)?;
    let address = step.call.instructions[at].accounts[position].pubkey;
    let account = episode.world.find(&address)?;
    let trusted = [payments::ID, licensing::ID];
    if !trusted.contains(&account.owner) {
        return None;
    }
    let impostor = Pubkey::new_from_array(episode.random.random());
    episode.world.set(impostor, Account { owner: relay::ID, ..account });
    let call = step.call.clone().changed(|calls| {
        calls[at].accounts[position].pubkey = impostor;
    });
    Some(("an account is an impostor", call))
}

/// Returns an account's type: its owner, and its discriminator or mint.
fn type_of(episode: &Episode, address: &Pubkey) -> Option<(Pubkey, usize, Vec<u8>)> {
    let account = episode.world.find(address)?;
    let tokens = [TOKEN_PROGRAM, TOKEN_2022_PROGRAM].contains(&account.owner);
    let (length, bytes) = if tokens { (account.data.len(), 32) } else { (0, 8) };
    Some((account.owner, length, account.data.get(..bytes).unwrap_or_default().to_vec()))
}

fn another_type(episode: &mut Episode, step: &Step) -> Option<(&'static str, Call)> {
    let (at, position) = position(episode, step)?;
    let address = step.call.instructions[at].accounts[position].pubkey;
    let mut others = episode.addresses();
    others.extend(episode.cast.currencies.iter().map(|currency| currency.mint));
    others.extend([payments::ID, licensing::ID, ED25519_PROGRAM]);
    let other = *others.choose(&mut episode.random)?;
    // Terms may be in any existing mint.
    let mint = |address| episode.cast.currencies.iter().any(|currency| currency.mint == address);
    if step.name == "publish_terms" && mint(address) && mint(other) {
        return None;
    }
    replaced("an account is of another type", episode, step, (at, position), address, other)
}

fn one_account_twice(episode: &mut Episode, step: &Step) -> Option<(&'static str, Call)> {
    let (at, position) = position(episode, step)?;
    let accounts = &step.call.instructions[at].accounts;
    let (address, other) =
        (accounts[position].pubkey, accounts.choose(&mut episode.random)?.pubkey);
    replaced("an account stands for two", episode, step, (at, position), address, other)
}

fn replaced(
    how: &'static str,
    episode: &Episode,
    step: &Step,
    (at, position): (usize, usize),
    address: Pubkey,
    other: Pubkey,
) -> Option<(&'static str, Call)> {
    // The program's own address marks a missing optional account.
    let left_out = other == step.call.instructions[at].program_id;
    if left_out || type_of(episode, &address) == type_of(episode, &other) {
        return None;
    }
    let call = step.call.clone().changed(|calls| calls[at].accounts[position].pubkey = other);
    Some((how, call))
}

fn account_missing(step: &Step) -> Option<(&'static str, Call)> {
    let at = ours(&step.call)?;
    let last = step.call.instructions[at].accounts.last()?;
    if last.is_signer {
        return None;
    }
    Some((
        "the last account is missing",
        step.call.clone().changed(|calls| {
            calls[at].accounts.pop();
        }),
    ))
}

fn broken_data(episode: &mut Episode, step: &Step) -> Option<(&'static str, Call)> {
    let at = ours(&step.call)?;
    let random = &mut episode.random;
    Some((
        "the data are broken",
        step.call.clone().changed(|calls| {
            let data = &mut calls[at].data;
            if random.random_bool(0.5) {
                data.pop();
            } else {
                data[random.random_range(0..8)] ^= 0x10;
            }
        }),
    ))
}
