use crate::world::World;

/// A localnet with programs that were deployed and not initialized.
fn bare_world() -> World {
    let mut world = World::empty();
    let dollar = world.spawn(&["localnet", "--bare"])["test_dollar"].as_str().unwrap().to_owned();
    std::fs::write(world.path("dollar"), dollar).unwrap();
    world.does(&["key", "new", "--airdrop", "owner.json", "arbiter.json", "shop.json"]);
    world
}

const DISPUTES: [&str; 4] = ["--dispute-bond", "100000000", "--dispute-seconds", "1209600"];

#[test]
fn config_is_initialized_once() {
    let world = bare_world();
    let initialize = |arbiter: &'static str, by: &'static str| {
        let start = ["config", "initialize", "--arbiter", arbiter, "--keypair", by];
        world.does(&[&start[..], &DISPUTES].concat())
    };
    let first = initialize("arbiter.json", "owner.json");
    assert_eq!(first["dispute_seconds"], 1_209_600);
    assert_ne!(first["arbiter"], first["authority"]);
    assert_eq!(initialize("arbiter.json", "owner.json"), first);
    let start = ["config", "initialize", "--arbiter", "shop.json", "--keypair", "owner.json"];
    world.refuses(&[&start[..], &DISPUTES].concat(), "already-initialized");
    let start = ["config", "initialize", "--arbiter", "arbiter.json", "--keypair", "shop.json"];
    world.refuses(&[&start[..], &DISPUTES].concat(), "already-initialized");
    assert_eq!(world.does(&["config", "show"]), first);
}

#[test]
fn invalid_dispute_settings_are_refused() {
    let world = bare_world();
    let start = ["config", "initialize", "--arbiter", "arbiter.json", "--keypair", "owner.json"];
    let short = ["--dispute-bond", "100000000", "--dispute-seconds", "1"];
    world.refuses(&[&start[..], &short].concat(), "InvalidDisputeLength");
    world.refuses(&["config", "show"], "unknown-config");
    world.misuse(&[&start[..], &short[..2]].concat());
}

#[test]
fn admitted_mint_opens_channels() {
    let world = bare_world();
    let start = ["config", "initialize", "--arbiter", "arbiter.json", "--keypair", "owner.json"];
    world.does(&[&start[..], &DISPUTES].concat());
    let dollar = std::fs::read_to_string(world.path("dollar")).unwrap();
    let operator = ["operator", "register", "--url", "http://127.0.0.1", "--keypair", "owner.json"];
    world.does(&operator);
    let open = ["channel", "open", "--operator", "owner.json", "--deposit", "1"];
    let open = [&open[..], &["--operator-fee-bps", "0", "--keypair", "shop.json"]].concat();
    let (code, _) = world.run(&open);
    assert_eq!(code, 1, "the mint has no vault yet");
    for _ in 0..2 {
        let vault = world.does(&["config", "admit-mint", &dollar, "--keypair", "owner.json"]);
        assert_eq!(vault["mint"], *dollar);
    }
    world.does(&open);
}
