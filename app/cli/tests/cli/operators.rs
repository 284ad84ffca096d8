//! `motif operator`, and a gateway whose operator's authority is kept elsewhere.

use crate::world::World;

const PEOPLE: [&str; 6] =
    ["ines.json", "fan.json", "authority.json", "hot.json", "receipts.json", "treasury.json"];

fn address(world: &World, keypair: &str) -> String {
    let shown = world.does(&["key", "show", keypair]);
    shown[0]["address"].as_str().unwrap().to_owned()
}

/// Starts a localnet with an operator whose keys are apart.
fn registered() -> World {
    let mut world = World::empty();
    world.spawn(&["localnet"]);
    world.does(&[&["key", "new", "--airdrop"][..], &PEOPLE].concat());
    let keys = ["--settle-key", "hot.json", "--receipt-key", "receipts.json"];
    let conditions = ["--fee-bps", "150", "--fee-owner", "treasury.json"];
    let by = ["--keypair", "authority.json"];
    let register = ["operator", "register", "--url", "https://gateway.example"];
    world.does(&[&register[..], &keys, &conditions, &by].concat());
    world
}

#[test]
fn operator_keys_are_listed_and_rotated() {
    let world = registered();
    let operators = world.does(&["operator", "list"]);
    assert_eq!(operators.as_array().unwrap().len(), 1);
    let shown = world.does(&["operator", "show", "authority.json"]);
    assert_eq!(shown, operators[0]);
    assert_eq!(shown["operator"], address(&world, "authority.json"));
    assert_eq!(shown["settle_key"], address(&world, "hot.json"));
    assert_eq!((&shown["fee_bps"], &shown["min_grace_seconds"]), (&150.into(), &3_600.into()));

    let by = ["--keypair", "authority.json"];
    let rotate = ["operator", "rotate-key", "settle", "fan.json"];
    let rotated = world.does(&[&rotate[..], &by].concat());
    assert_eq!(rotated["next_settle_key"], address(&world, "fan.json"));
    let rotate = ["operator", "rotate-key", "receipt", "fan.json"];
    let rotated = world.does(&[&rotate[..], &by].concat());
    assert_eq!(rotated["receipt_keys"].as_array().unwrap().len(), 2);
    let updated = world.does(&[&["operator", "update", "--fee-bps", "300"][..], &by].concat());
    assert_eq!((&updated["fee_bps"], &updated["url"]), (&300.into(), &shown["url"]));
    let again = [&["operator", "register"][..], &by].concat();
    world.refuses(&again, "already-registered");
    let other = ["operator", "update", "--fee-bps", "1", "--keypair", "hot.json"];
    world.refuses(&other, "unknown-operator");
    let other = ["operator", "rotate-key", "settle", "fan.json", "--keypair", "hot.json"];
    let refused = world.refuses(&other, "unknown-operator");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.starts_with(&address(&world, "hot.json")), "{message}");
    world.misuse(&[&["operator", "update"][..], &by].concat());

    let text = world.shell("motif operator show authority.json");
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(line("receipt key").contains(&address(&world, "receipts.json")), "{text}");
    assert!(line("next receipt key").contains(&address(&world, "fan.json")), "{text}");
}

#[test]
fn unreachable_node_does_not_stop_gateway() {
    let mut world = World::empty();
    world.does(&["key", "new", "gateway.json"]);
    let serve = ["gateway", "serve", "--keypair", "gateway.json", "--store", "gateway.sqlite"];
    world.spawn(&[&serve[..], &["--wait-seconds", "0"]].concat());
    let status = |path: &str| {
        world.shell(&format!("curl -s -o /dev/null -w '%{{http_code}}' $MOTIF_GATEWAY_URL{path}"))
    };
    assert_eq!((&status("/healthz")[..], &status("/readyz")[..]), ("200", "503"));
}

#[test]
fn gateway_serves_without_the_authority() {
    let mut world = registered();
    let authority = address(&world, "authority.json");
    let serve = ["gateway", "serve", "--operator", "authority.json", "--store", "gateway.sqlite"];
    for wrong in [
        &["--keypair", "fan.json", "--receipt-keypair", "receipts.json"][..],
        &["--keypair", "hot.json", "--receipt-keypair", "fan.json"],
    ] {
        world.misuse(&[&serve[..], wrong].concat());
    }
    // The gateway has none of the keys: another process signs.
    let keys = ["settle=hot.json", "receipt=receipts.json", "fee-payer=treasury.json"];
    world.spawn(&[&["key", "serve", "--socket", "keys.sock"][..], &keys].concat());
    let at = |keypair: &str| format!("\"unix:keys.sock#{}\"", address(&world, keypair));
    let settings = format!(
        "[keys]\nsettle = {}\nreceipt = {}\nfee_payer = {}\n",
        at("hot.json"),
        at("receipts.json"),
        at("treasury.json")
    );
    std::fs::write(world.path("gateway.toml"), settings).unwrap();
    let ready = world.spawn(&[&serve[..], &["--config", "gateway.toml"]].concat());
    assert_eq!((&ready["operator"], &ready["operator_fee_bps"]), (&authority.into(), &150.into()));

    std::fs::write(world.path("poem.txt"), "A poem of several words.").unwrap();
    let price = ["--use", "generate=0.001/generation"];
    let register = ["work", "register", "poem.txt", "--kind", "text", "--keypair", "ines.json"];
    world.does(&[&register[..], &price].concat());
    let by = ["--keypair", "fan.json"];
    let open = ["channel", "open", "--deposit", "1", "--accept", "poem.txt"];
    let opened = world.does(&[&open[..], &by].concat());
    assert_eq!(
        (&opened["operator_fee_bps"], &opened["self_metered"]),
        (&150.into(), &false.into())
    );
    let generate = ["generate", "--count", "20", "--receipts", "receipts.jsonl"];
    world.does(&[&generate[..], &by].concat());
    world.does(&[&["channel", "settle"][..], &by].concat());
    let verified = world.does(&["receipt", "verify", "receipts.jsonl"]);
    assert_eq!(verified["verified"], 20);
    let snapshot = ["channel", "show", "--snapshot", "channel.json"];
    world.does(&[&snapshot[..], &by].concat());
    let offline = ["receipt", "verify", "receipts.jsonl", "--channel-snapshot", "channel.json"];
    assert_eq!(world.does(&offline)["verified"], 20);
    // The gateway settles and cannot close: the grace period runs.
    let closing = world.does(&[&["channel", "close"][..], &by].concat());
    assert!(closing["closes_at"].as_i64().unwrap() > 0, "{closing}");
    world.refuses(&[&["channel", "withdraw"][..], &by].concat(), "ChannelStillOpen");
}

#[test]
fn restarted_gateway_keeps_registered_terms() {
    let mut world = World::empty();
    world.spawn(&["localnet"]);
    world.does(&["key", "new", "--airdrop", "authority.json"]);
    let conditions = ["--fee-bps", "700", "--min-grace-seconds", "86400"];
    let register = ["operator", "register", "--keypair", "authority.json"];
    let registered = world.does(&[&register[..], &conditions].concat());
    let serve = ["gateway", "serve", "--keypair", "authority.json", "--store", "gateway.sqlite"];
    let ready = world.spawn(&serve);
    assert_eq!(ready["operator_fee_bps"], 700);
    assert_eq!(world.does(&["operator", "show", "authority.json"]), registered);
    world.stop_last();
    world.spawn(&[&serve[..], &["--operator-fee-bps", "300"]].concat());
    let shown = world.does(&["operator", "show", "authority.json"]);
    assert_eq!((&shown["fee_bps"], &shown["min_grace_seconds"]), (&300.into(), &86_400.into()));
}
