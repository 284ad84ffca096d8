//! Payees whose token accounts are unusable.

use motif_localnet::TestDollar;
use motif_sdk::{Pubkey, channel::Currency, client::Client, keypair, pda};
use serde_json::Value;
use solana_signer::Signer;

use crate::world::World;

fn address(world: &World, keypair: &str) -> Value {
    world.does(&["key", "show", keypair])[0]["address"].clone()
}

/// Gives the associated token account of a keypair to another owner, so that it receives no payments
/// any more.
fn give_tokens_away(world: &World, keypair: &str) {
    let owner = keypair::read(&world.path(keypair)).unwrap();
    let currency = Currency::spl(TestDollar::new().mint);
    // Funder and token account come first. `SetAuthority` takes them in the other order.
    let mut instruction = currency.create_tokens(&owner.pubkey(), &owner.pubkey());
    instruction.program_id = currency.token_program;
    instruction.accounts.truncate(2);
    instruction.accounts.reverse();
    let set_account_owner = [6, 2, 1];
    instruction.data = [&set_account_owner[..], &[9; 32]].concat();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::new(&world.rpc_url);
    runtime.block_on(client.send(&[instruction], &owner, &[])).unwrap();
}

fn localnet() -> World {
    let mut world = World::empty();
    world.spawn(&["localnet"]);
    world.does(&["key", "new", "--airdrop", "ines.json", "kofi.json", "fan.json"]);
    give_tokens_away(&world, "kofi.json");
    world
}

/// Registers a work and pays 1 dollar into its till.
fn pay(world: &World, file: &str, split: &str, operator: &[&str]) {
    std::fs::write(world.path(file), format!("The words of {file}.")).unwrap();
    let register = ["work", "register", file, "--kind", "text", "--keypair", "ines.json"];
    let terms = ["--split", split, "--use", "generate=0.01/generation"];
    world.does(&[&register[..], &terms].concat());
    let by = ["--keypair", "fan.json"];
    world.does(&[&["till", "open", file][..], operator, &by].concat());
    world.does(&[&["till", "pay", file, "--amount", "1"][..], operator, &by].concat());
}

#[test]
fn unusable_recipient_blocks_no_other_claim() {
    let world = localnet();
    let splits = [
        ("poem.txt", "kofi.json=50%,ines.json=50%"),
        ("blocked.txt", "kofi.json=100%"),
        ("song.txt", "ines.json=100%"),
    ];
    for (file, split) in splits {
        pay(&world, file, split, &[]);
        world.does(&["till", "sweep", file, "--keypair", "fan.json"]);
    }
    let works = ["poem.txt", "blocked.txt", "song.txt"];
    let claim = [&["earnings", "claim"][..], &works, &["--keypair", "fan.json"]].concat();
    let refused = world.refuses(&claim, "claims-failed");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("2 claims failed"), "{message}");
    assert!(message.contains(address(&world, "kofi.json").as_str().unwrap()), "{message}");
    let ines = address(&world, "ines.json");
    for (file, paid) in [("poem.txt", 500_000), ("song.txt", 1_000_000)] {
        let shown = world.does(&["earnings", "show", file]);
        let parts = shown["parts"].as_array().unwrap();
        let part = parts.iter().find(|part| part["address"] == ines).unwrap();
        assert_eq!(part["taken"], paid, "{shown}");
    }
}

#[test]
fn unusable_operator_blocks_no_sweep() {
    let world = localnet();
    let register = ["operator", "register", "--fee-owner", "kofi.json", "--keypair", "ines.json"];
    world.does(&register);
    let operator = ["--operator", "ines.json=1"];
    pay(&world, "poem.txt", "ines.json=100%", &operator);
    let sweep = [&["till", "sweep", "poem.txt"][..], &operator, &["--keypair", "fan.json"]];
    let swept = world.does(&sweep.concat());
    assert_eq!((&swept["moved"], &swept["holds"]), (&500_000.into(), &500_000.into()));
    assert!(swept["unpaid_operator"].is_string(), "{swept}");
    assert_eq!(world.does(&["earnings", "show", "poem.txt"])["earned"], 500_000);
}

/// Returns addresses that cannot sign, with what the refusal calls them.
fn unsignable(world: &World) -> Vec<(Pubkey, &'static str)> {
    let ines = keypair::read(&world.path("ines.json")).unwrap().pubkey();
    let dollar = TestDollar::new().mint;
    vec![
        (Currency::spl(dollar).tokens(&ines), "a token account of the wallet"),
        (dollar, "a mint"),
        (Currency::spl(dollar).token_program, "a program"),
        ("11111111111111111111111111111111".parse().unwrap(), "the system program"),
        (pda::work(&ines, &[1; 32]), "an address that a program derived"),
    ]
}

#[test]
fn share_of_unsignable_address_is_refused() {
    let world = localnet();
    std::fs::write(world.path("poem.txt"), "The words of a poem.").unwrap();
    let ines = ["--keypair", "ines.json"];
    let register = ["work", "register", "poem.txt", "--kind", "text", "--split"];
    let propose = ["split", "propose", "poem.txt", "--to"];
    let addresses = unsignable(&world);
    let refused = |command: &[&str], what: &str| {
        let refused = world.refuses(command, "unsignable-address");
        assert!(refused["error"]["message"].as_str().unwrap().contains(what), "{refused}");
    };
    for (address, what) in &addresses {
        let split = format!("ines.json=50%,{address}=50%");
        refused(&[&register[..], &[&split], &ines].concat(), what);
    }
    world.refuses(&["work", "show", "poem.txt"], "unregistered-file");
    world.does(&[&register[..], &["ines.json=100%"], &ines].concat());
    for (address, what) in &addresses {
        let split = format!("ines.json=50%,{address}=50%");
        refused(&[&propose[..], &[&split], &ines].concat(), what);
        let fees = ["operator", "register", "--fee-owner", &address.to_string()];
        refused(&[&fees[..], &ines].concat(), what);
    }
    // The vault of a multisig is paid if it is asked for.
    let vault = addresses.last().unwrap().0.to_string();
    let split = format!("ines.json=50%,{vault}=50%");
    let allow = ["--allow-unsignable", &vault];
    let proposed = world.does(&[&propose[..], &[&split], &allow, &ines].concat());
    assert_eq!(proposed["proposed"]["split"][1]["recipient"], vault);
}

#[test]
fn claim_of_unsignable_address_waits() {
    let world = localnet();
    let vault = unsignable(&world).last().unwrap().0.to_string();
    std::fs::write(world.path("poem.txt"), "The words of a poem.").unwrap();
    let allow = ["--allow-unsignable", &vault];
    let split = format!("ines.json=50%,{vault}=50%");
    let register = ["work", "register", "poem.txt", "--kind", "text", "--split", &split];
    let terms = ["--use", "generate=0.01/generation", "--keypair", "ines.json"];
    world.does(&[&register[..], &allow, &terms].concat());
    let by = ["--keypair", "fan.json"];
    world.does(&[&["till", "open", "poem.txt"][..], &by].concat());
    world.does(&[&["till", "pay", "poem.txt", "--amount", "1"][..], &by].concat());
    world.does(&[&["till", "sweep", "poem.txt"][..], &by].concat());
    let claim = ["earnings", "claim", "poem.txt"];
    let refused = world.refuses(&[&claim[..], &by].concat(), "claims-failed").to_string();
    assert!(refused.contains(&vault) && refused.contains("--allow-unsignable"), "{refused}");
    let paid = |of: &str| {
        let shown = world.does(&["earnings", "show", "poem.txt"]);
        let parts = shown["parts"].as_array().unwrap();
        parts.iter().find(|part| part["address"] == of).unwrap()["taken"].clone()
    };
    let ines = address(&world, "ines.json");
    assert_eq!((paid(ines.as_str().unwrap()), paid(&vault)), (500_000.into(), 0.into()));
    world.does(&[&claim[..], &allow, &by].concat());
    assert_eq!(paid(&vault), 500_000);
}
