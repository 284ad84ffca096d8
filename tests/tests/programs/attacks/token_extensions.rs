//! P7: mints with extensions that could take, block or hide tokens are rejected, known or not.

use motif_sdk::{
    channel::{Currency, PaymentsError, TOKEN_2022_PROGRAM},
    pda,
};
use motif_tests::world::{World, mint_data};

/// Metadata, groups and pointers to them, which do not affect
/// tokens.
const HARMLESS: [u16; 6] = [18, 19, 20, 21, 22, 23];

/// Extensions of mints with their sizes in bytes.
const OF_MINTS: [(u16, &str, usize); 12] = [
    (1, "transfer fee", 108),
    (3, "mint close authority", 32),
    (4, "confidential transfers", 65),
    (6, "default account state", 1),
    (9, "non-transferable", 0),
    (10, "interest", 52),
    (12, "permanent delegate", 32),
    (14, "transfer hook", 64),
    (16, "confidential transfer fee", 129),
    (24, "confidential mint and burn", 196),
    (25, "scaled amount", 56),
    (26, "pausable", 33),
];

/// Returns a Token-2022 mint with these bytes after its base.
fn mint_with(world: &mut World, extensions: &[u8]) -> Currency {
    let currency = world.mint_of(&TOKEN_2022_PROGRAM);
    let mut account = world.account(&currency.mint);
    account.data = mint_data(0);
    account.data.resize(165, 0);
    account.data.push(1); // a mint, not a token account
    account.data.extend(extensions);
    world.set(currency.mint, account);
    currency
}

fn entry(id: u16, bytes: usize) -> Vec<u8> {
    let mut entry = id.to_le_bytes().to_vec();
    entry.extend((bytes as u16).to_le_bytes());
    entry.resize(entry.len() + bytes, 2);
    entry
}

#[track_caller]
fn kept_out(world: &World, currency: &Currency) {
    assert!(world.find(&pda::vault(&currency.mint)).is_none());
}

#[test]
fn harmful_extension_is_rejected() {
    for (id, name, bytes) in OF_MINTS {
        let mut world = World::new();
        let currency = mint_with(&mut world, &entry(id, bytes));
        println!("{name}");
        world.admit(&currency).assert_err(PaymentsError::UnsupportedMintExtension);
        kept_out(&world, &currency);
    }
}

#[test]
fn unknown_extension_is_rejected() {
    let known = |id| HARMLESS.contains(&id) || OF_MINTS.iter().any(|(other, ..)| *other == id);
    let mut world = World::new();
    // 0 marks the end of the extensions.
    for id in (1..=128).chain([255, 256, 999, u16::MAX - 1, u16::MAX]).filter(|id| !known(*id)) {
        for bytes in [0, 8, 64] {
            let currency = mint_with(&mut world, &entry(id, bytes));
            assert!(!world.admit(&currency).is_ok(), "extension {id} of {bytes} bytes");
            kept_out(&world, &currency);
        }
    }
}

#[test]
fn hidden_extension_is_found() {
    for (id, name, bytes) in OF_MINTS {
        let mut world = World::new();
        let currency = mint_with(&mut world, &[entry(18, 64), entry(id, bytes)].concat());
        println!("{name}");
        world.admit(&currency).assert_err(PaymentsError::UnsupportedMintExtension);
        kept_out(&world, &currency);
    }
}

#[test]
fn truncated_extensions_are_rejected() {
    let whole = [entry(18, 64), entry(12, 32)].concat();
    // Truncated at every byte of the second and the first entry.
    for length in (69..whole.len()).chain(3..68) {
        let mut world = World::new();
        let currency = mint_with(&mut world, &whole[..length]);
        let outcome = world.admit(&currency);
        let one_byte_of_padding_or_two = length == 69;
        assert!(!outcome.is_ok() || one_byte_of_padding_or_two, "{length} bytes");
        if !one_byte_of_padding_or_two {
            kept_out(&world, &currency);
        }
    }
}

#[test]
fn oversized_extension_is_rejected() {
    for claimed in [33_u16, 1_000, u16::MAX] {
        let mut world = World::new();
        let mut extension = entry(18, 32);
        extension[2..4].copy_from_slice(&claimed.to_le_bytes());
        let currency = mint_with(&mut world, &extension);
        assert!(!world.admit(&currency).is_ok(), "{claimed}");
        kept_out(&world, &currency);
    }
}
