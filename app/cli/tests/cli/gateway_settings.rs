//! Settings of `motif gateway`, and a store that belongs to another operator.

use crate::world::World;

#[test]
fn checked_settings_are_printed_as_toml() {
    let world = World::empty();
    world.does(&["key", "new", "gateway.json"]);
    let printed = world.shell(
        "motif gateway check --keypair gateway.json --operator-fee-bps 150 --settle-at-amount 7u",
    );
    assert!(printed.contains("\noperator_fee_bps = 150\n"), "{printed}");
    assert!(printed.contains("\n[settle]\nat_amount = 7\n"), "{printed}");
    // What was printed is a settings file.
    std::fs::write(world.path("gateway.toml"), &printed).unwrap();
    assert_eq!(world.shell("motif gateway check --config gateway.toml"), printed);
}

#[test]
fn account_settings_need_the_authority() {
    let world = World::empty();
    world.does(&["key", "new", "authority.json", "settle.json"]);
    let check = ["gateway", "check", "--keypair", "settle.json", "--operator", "authority.json"];
    world.does(&check);
    for setting in [["--operator-fee-bps", "300"], ["--min-grace-seconds", "7200"]] {
        world.refuses(&[&check[..], &setting].concat(), "gateway-settings");
    }
    // With the authority's own keypair they are written into the account.
    let own = ["gateway", "check", "--keypair", "authority.json", "--operator-fee-bps", "300"];
    world.does(&own);
}

#[test]
fn foreign_store_registers_no_operator() {
    let mut world = World::new(&[], &["ines.json", "fan.json", "gateway.json", "other.json"]);
    std::fs::write(world.path("poem.txt"), "A poem of several words.").unwrap();
    let register = ["work", "register", "poem.txt", "--kind", "text", "--keypair", "ines.json"];
    world.does(&[&register[..], &["--use", "generate=0.001/generation"]].concat());
    let by = ["--keypair", "fan.json"];
    let open = ["channel", "open", "--deposit", "1", "--accept", "poem.txt"];
    world.does(&[&open[..], &by].concat());
    world.does(&[&["generate"][..], &by].concat());
    world.stop_last();

    let serve = ["gateway", "serve", "--store", "gateway.sqlite", "--keypair"];
    world.refuses(&[&serve[..], &["other.json"]].concat(), "gateway-start");
    assert_eq!(world.does(&["operator", "list"]).as_array().unwrap().len(), 1);
    world.spawn(&[&serve[..], &["gateway.json"]].concat());
    world.does(&[&["channel", "settle"][..], &by].concat());
}
