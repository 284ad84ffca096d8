//! Invalid input: an error code, a non-zero exit code, and no money moved.

use std::path::Path;

use serde_json::json;

use crate::world::World;

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/coffee.jpg");

#[test]
fn invalid_input_moves_no_money() {
    let world = World::new(&[], &["ines.json", "platform.json", "gateway.json"]);
    let terms = ["--kind", "image", "--use", "generate=0.001/generation", "--keypair", "ines.json"];
    world.does(&[&["work", "register", PICTURE][..], &terms].concat());
    unknown_accounts_are_named(&world);
    terms_match_their_file(&world);
    deposit_bounds_generations(&world);
    unreachable_gateway_is_named(&world);
    changed_receipts_fail_verification(&world);
}

#[test]
fn node_key_is_never_shown() {
    let world = World::empty();
    for url in [
        "http://127.0.0.1:1/KEY456",
        "http://user:PASSWORD@127.0.0.1:1/KEY456",
        "http://127.0.0.1:1/?api-key=KEY456",
    ] {
        let list = ["work", "list", "--rpc-url", url, "--wait-seconds", "0"];
        let refused = world.refuses(&list, "no-node").to_string();
        assert!(refused.contains("http://127.0.0.1:1"), "{refused}");
        assert!(!refused.contains("KEY456") && !refused.contains("PASSWORD"), "{refused}");
    }
}

#[test]
fn fifo_as_file_is_refused() {
    let world = World::empty();
    world.shell("mkfifo pipe");
    world.refuses(&["authenticate", "pipe"], "unreadable-file");
    world.refuses(&["authenticate", "/dev/zero"], "unreadable-file");
}

fn unknown_accounts_are_named(world: &World) {
    let absent = "11111111111111111111111111111111";
    world.refuses(&["work", "show", absent], "unknown-work");
    world.refuses(&["earnings", "show", absent], "unknown-work");
    world.refuses(&["work", "show", "no-such-file.png"], "neither-address-nor-file");
    world.refuses(&["work", "show", "ines.json"], "unregistered-file");
    world.refuses(&["channel", "show", "--channel", absent], "unknown-channel");
    world.refuses(&["channel", "show", "--keypair", "ines.json"], "no-channel");
    world.refuses(&["channel", "show", "--keypair", "absent.json"], "file");
    let register = ["work", "register", PICTURE, "--kind", "image", "--keypair"];
    world.refuses(&[&register[..], &["ines.json"]].concat(), "already-registered");
    let not_all = ["platform.json", "--split", "ines.json=60%"];
    world.refuses(&[&register[..], &not_all].concat(), "InvalidSplitTotal");
    std::fs::write(world.path("broken.png"), b"\x89PNG\r\n\x1a\nnot really").unwrap();
    let broken = ["work", "register", "broken.png", "--kind", "image", "--keypair", "ines.json"];
    world.refuses(&broken, "not-an-image");
}

fn terms_match_their_file(world: &World) {
    let ines = ["--keypair", "ines.json"];
    let write = |name: &str, text: &str| std::fs::write(world.path(name), text).unwrap();
    let priced = "preset = \"commercial-remix-share-alike\"\n[[use]]\nuse = \"generate\"\n";
    write("song.txt", "a song");
    write("wrong.toml", priced);
    write("terms.toml", &format!("{priced}price = \"0.002\"\n"));

    // Invalid terms prevent the registration.
    let register = ["work", "register", "song.txt", "--kind", "text", "--terms"];
    world.refuses(&[&register[..], &["wrong.toml"], &ines].concat(), "terms-document");
    world.refuses(&[&register[..], &["absent.toml"], &ines].concat(), "unreadable-file");
    world.refuses(&["work", "show", "song.txt"], "unregistered-file");
    world.does(&[&register[..], &["terms.toml"], &ines].concat());

    let shown = |number: &str| world.does(&["terms", "show", "song.txt", "--number", number]);
    let first = shown("1");
    assert_eq!((&first["uses"][0]["price"], &first["share_alike"]), (&json!(2_000), &json!(true)));
    let toml = world.does(&["terms", "show", "song.txt", "--toml"]);
    write("again.toml", toml["document"].as_str().unwrap());
    let publish = ["terms", "publish", "song.txt", "--file"];
    let published = world.does(&[&publish[..], &["again.toml"], &ines].concat());
    assert_eq!(published["terms"], 2);
    let summary = published["summary"].as_str().unwrap();
    assert!(summary.contains("- generate: 0.002 test dollars a generation"), "{summary}");
    let mut second = shown("2");
    for differs in ["number", "address", "digest", "published_at"] {
        second[differs] = first[differs].clone();
    }
    assert_eq!(second, first, "terms read from the chain are published unchanged");

    let changed = ["again.toml", "--use", "play=7u/second", "--derivative-share", "1%"];
    world.does(&[&publish[..], &changed, &ines].concat());
    let third = shown("3");
    assert_eq!(third["uses"], json!([{ "use": "play", "price": 7, "unit": "second" }]));
    assert_eq!(third["derivative_share_bps"], 100);
    assert_eq!(third["attribution"], true, "options override only their own values");

    let export = ["terms", "export", "song.txt", "--number", "1", "--format"];
    let rsl = world.does(&[&export[..], &["rsl", "--content-url", "/song"]].concat());
    let rsl = rsl["document"].as_str().unwrap();
    assert!(rsl.contains("<content url=\"/song\">") && rsl.contains("ai-input"), "{rsl}");
    let cawg = world.does(&[&export[..], &["cawg"]].concat());
    let inference = &cawg["document"]["data"]["entries"]["cawg.ai_inference"];
    assert_eq!(inference["use"], "constrained");
    assert_eq!(world.does(&[&export[..], &["cawg"]].concat()), cawg);
}

fn deposit_bounds_generations(world: &World) {
    let platform = ["--keypair", "platform.json"];
    let open = |deposit: &str| {
        let arguments = ["channel", "open", "--accept", PICTURE, "--deposit", deposit];
        [arguments.map(str::to_owned).to_vec(), platform.map(str::to_owned).to_vec()].concat()
    };
    let too_much = open("1000000");
    let too_much: Vec<_> = too_much.iter().map(String::as_str).collect();
    world.refuses(&too_much, "not-enough-tokens");
    world.refuses(&["channel", "show", "--keypair", "platform.json"], "no-channel");

    let shared = ["--kind", "text", "--use", "generate=1u/generation", "--cap-total-units", "9"];
    std::fs::write(world.path("poem.txt"), "a poem").unwrap();
    let register = ["work", "register", "poem.txt", "--keypair", "ines.json"];
    world.does(&[&register[..], &shared].concat());
    let no_quota = ["channel", "open", "--deposit", "1000u", "--accept", "poem.txt"];
    world.refuses(&[&no_quota[..], &platform].concat(), "quota-missing");
    world.refuses(&["channel", "show", "--keypair", "platform.json"], "no-channel");

    let enough_for_two = open("2100u"); // two at 1,000 base units and 2% on top
    let enough_for_two: Vec<_> = enough_for_two.iter().map(String::as_str).collect();
    world.does(&enough_for_two);
    let receipts = ["--receipts", "receipts.jsonl"];
    let three = [&["generate", "--count", "3"][..], &receipts, &platform].concat();
    let refused = world.run(&three);
    assert_eq!(refused.0, 1, "{}", refused.1);
    assert!(refused.1["error"]["message"].is_string());
    let receipts = std::fs::read_to_string(world.path("receipts.jsonl")).unwrap();
    assert_eq!(receipts.lines().count(), 2);
    let channel = world.does(&[&["channel", "show"][..], &platform].concat());
    assert_eq!((channel["prices"].as_u64(), channel["statements"].as_u64()), (Some(0), Some(0)));
}

fn unreachable_gateway_is_named(world: &World) {
    let away = ["--gateway-url", "http://127.0.0.1:9", "--wait-seconds", "0"];
    let platform = ["--keypair", "platform.json"];
    for command in [&["generate"][..], &["channel", "settle"], &["channel", "close"]] {
        world.refuses(&[command, &away, &platform].concat(), "no-gateway");
    }
    let open = ["channel", "open", "--deposit", "1000u"];
    world.refuses(&[&open[..], &away, &platform].concat(), "no-gateway");
    let node_away = ["work", "list", "--rpc-url", "http://127.0.0.1:9", "--wait-seconds", "0"];
    world.refuses(&node_away, "no-node");
    let channel = world.does(&[&["channel", "show"][..], &platform].concat());
    assert_eq!(channel["state"], "open");
}

fn changed_receipts_fail_verification(world: &World) {
    let verify = ["receipt", "verify", "receipts.jsonl"];
    world.refuses(&verify, "receipts-unsettled"); // not settled yet
    world.does(&["channel", "settle", "--keypair", "platform.json"]);
    assert_eq!(world.does(&verify)["verified"], 2);

    let snapshot = ["--snapshot", "channel.json", "--keypair", "platform.json"];
    world.does(&[&["channel", "show"][..], &snapshot].concat());
    let offline = ["--channel-snapshot", "channel.json", "--rpc-url", "http://127.0.0.1:9"];
    assert_eq!(world.does(&[&verify[..], &offline].concat())["verified"], 2);

    let receipts = world.path("receipts.jsonl");
    let text = std::fs::read_to_string(&receipts).unwrap();
    // The first receipt alone looks like a whole statement.
    for line in text.lines() {
        std::fs::write(&receipts, line).unwrap();
        assert_eq!(world.does(&verify)["verified"], 1);
    }
    repeated_receipt_counts_once(world, &receipts, &text);
    std::fs::write(&receipts, text.replace("\"amount\":\"1000\"", "\"amount\":\"1\"")).unwrap();
    world.refuses(&verify, "receipts-failed");
    std::fs::write(&receipts, "{}\n").unwrap();
    world.refuses(&verify, "unreadable-file");
}

/// With all receipts, and with one, which only the gateway can prove.
fn repeated_receipt_counts_once(world: &World, receipts: &Path, text: &str) {
    let second = text.lines().nth(1).unwrap();
    let channel = world.does(&["channel", "show", "--keypair", "platform.json"]);
    let cases = [(format!("{text}{second}\n"), 2), (format!("{second}\n{second}\n"), 1)];
    for (lines, verified) in cases {
        std::fs::write(receipts, lines).unwrap();
        let found = world.does(&["receipt", "verify", "receipts.jsonl"]);
        let counts = [&found["receipts"], &found["verified"], &found["repeated"]];
        assert_eq!(counts, [verified, verified, 1], "{found}");
        assert_eq!(found["amount"], 1_000 * verified);
        let named = &found["channels"][0];
        assert_eq!(named["channel"], channel["channel"]);
        assert_eq!(named["operator"], channel["operator"]);
        assert_eq!(named["works"][0], channel["licenses"][0]["work"]);
    }
}

#[test]
fn misuse_is_rejected_offline() {
    let world = World::empty();
    world.does(&["key", "new", "ines.json", "kai.json"]);
    std::fs::write(world.path("poem.txt"), "a poem").unwrap();
    let register = ["work", "register", "poem.txt", "--keypair", "ines.json", "--kind"];
    for wrong in [
        &["voice"][..],
        &["style-model"],
        &["text", "--model-base", "a model"],
        &["text", "--likeness"],
        &["style-model", "--model-base", "a model", "--likeness"],
        &["style-model", "--model-base", "a", "--training-root", "00"],
        &["style-model", "--model-base", "a", "--training", "poem.txt", "--training-root", "00"],
        &["text", "--consent-until", "2100-01-01T00:00:00Z"],
        &["text", "--consent", "kai.json", "--consent-until", "tomorrow"],
        &["text", "--license", "here#1"],
        &["text", "--parent", "poem.txt"],
    ] {
        world.misuse(&[&register[..], wrong].concat());
    }
    std::fs::write(world.path("split.txt"), "# halves\nines.json=50%\nkai.json=49%\n").unwrap();
    let by = ["--keypair", "ines.json"];
    for wrong in [
        &["work", "list", "--kind", "painting"][..],
        &["work", "list", "--status", "gone"],
        &["work", "list", "--max-price", "-1"],
        &["work", "transfer", "poem.txt"],
        &["work", "certify", "poem.txt"],
        &["split", "propose", "poem.txt"],
        &["split", "propose", "poem.txt", "--to", "ines.json=50%,kai.json=49%"],
        &["split", "propose", "poem.txt", "--to", "ines.json=101%"],
        &["split", "propose", "poem.txt", "--file", "split.txt"],
        &["split", "propose", "poem.txt", "--file", "split.txt", "--to", "ines.json=100%"],
        &["approval", "grant", "poem.txt", "--for", "kai.json"],
        &["approval", "grant", "poem.txt", "--for", "kai.json", "--purpose", "fun"],
        &["approval", "revoke", "poem.txt", "--purpose", "license"],
        &["dispute", "open", "poem.txt"],
        &["dispute", "decide", "poem.txt", "--verdict", "perhaps"],
        &["consent", "end", "poem.txt", "--at", "0", "--never"],
        &["till", "pay", "poem.txt", "--amount", "0"],
        &["config", "update"],
        &["operator", "update"],
        &["localnet", "advance", "12"],
        &["localnet", "--bare", "advance", "12h"],
        &["config", "offer-authority"],
        &["config", "offer-authority", "--to", "kai.json", "--cancel"],
    ] {
        world.misuse(&[wrong, &by].concat());
    }
    let absent = ["work", "transfer", "poem.txt", "--to", "absent.json"];
    world.refuses(&[&absent[..], &by].concat(), "neither-address-nor-file");
    let absent = ["split", "propose", "poem.txt", "--to", "absent.json=100%"];
    world.refuses(&[&absent[..], &by].concat(), "neither-address-nor-file");
    let unread = ["dispute", "open", "poem.txt", "--evidence", "nothing.txt"];
    world.refuses(&[&unread[..], &by].concat(), "unreadable-file");
    let unread = ["split", "propose", "poem.txt", "--file", "nothing.txt"];
    world.refuses(&[&unread[..], &by].concat(), "unreadable-file");
    world.refuses(&["work", "withdraw", "poem.txt", "--keypair", "absent.json"], "file");
}

#[test]
fn missing_accounts_are_named() {
    let world = World::new(&[], &["ines.json", "gateway.json"]);
    std::fs::write(world.path("poem.txt"), "a poem of some words").unwrap();
    let by = ["--keypair", "ines.json"];
    let register = ["work", "register", "poem.txt", "--kind", "text"];
    world.does(&[&register[..], &by].concat());
    for (arguments, slug) in [
        (&["split", "apply", "poem.txt"][..], "unknown-split-change"),
        (&["split", "approve", "poem.txt"], "unknown-split-change"),
        (&["split", "cancel", "poem.txt"], "unknown-split-change"),
        (&["dispute", "show", "poem.txt"], "unknown-dispute"),
        (&["dispute", "expire", "poem.txt"], "unknown-dispute"),
        (&["till", "show", "poem.txt"], "unknown-till"),
        (&["till", "pay", "poem.txt", "--amount", "1u"], "unknown-till"),
        (&["till", "sweep", "poem.txt"], "unknown-till"),
        (&["consent", "end", "poem.txt"], "NotConsentingPerson"),
        (&["work", "accept-transfer", "poem.txt"], "NotOffered"),
        (
            &["approval", "grant", "poem.txt", "--for", "gateway.json", "--purpose", "license"],
            "unknown-terms",
        ),
        (&["config", "update", "--dispute-seconds", "1"], "NotAuthority"),
    ] {
        let answer = world.refuses(&[arguments, &by].concat(), slug);
        assert!(answer["error"]["message"].is_string());
    }
    assert_eq!(
        world.does(&["work", "show", "poem.txt"])["owner"],
        world.does(&["key", "show", "ines.json"])[0]["address"]
    );
}
