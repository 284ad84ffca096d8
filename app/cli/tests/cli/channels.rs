//! Channels: what opening, accepting and closing costs and leaves.

use serde_json::json;

use crate::world::World;

const PEOPLE: [&str; 4] = ["ines.json", "fan.json", "gateway.json", "other.json"];
const FAN: [&str; 2] = ["--keypair", "fan.json"];

/// Registers a text with these terms.
fn register(world: &World, file: &str, terms: &[&str]) {
    std::fs::write(world.path(file), format!("The words of {file}, and some others.")).unwrap();
    let register = ["work", "register", file, "--kind", "text", "--keypair", "ines.json"];
    world.does(&[&register[..], terms].concat());
}

#[test]
fn unused_channel_returns_its_deposit() {
    let world = World::new(&[], &PEOPLE);
    register(&world, "poem.txt", &["--use", "generate=0.001/generation"]);
    let open = ["channel", "open", "--deposit", "1", "--accept", "poem.txt"];
    world.does(&[&open[..], &FAN].concat());
    let closed = world.does(&[&["channel", "close"][..], &FAN].concat());
    assert_eq!(
        (&closed["refunded"], &closed["settled_statements"]),
        (&json!(1_000_000), &json!([]))
    );

    // A grace period that was started without the gateway ends with it, too.
    world.does(&[&open[..], &FAN].concat());
    let alone = world.does(&[&["channel", "close", "--without-gateway"][..], &FAN].concat());
    assert!(alone["closes_at"].is_i64(), "{alone}");
    let closed = world.does(&[&["channel", "close"][..], &FAN].concat());
    assert_eq!(closed["refunded"], 1_000_000);
}

#[test]
fn refused_close_starts_no_grace_period() {
    let world = World::new(&[], &PEOPLE);
    let register = ["operator", "register", "--keypair", "other.json"];
    world.does(&register);
    let open = ["channel", "open", "--deposit", "1", "--operator", "other.json"];
    world.does(&[&open[..], &FAN].concat());
    // The gateway is another operator's: no grace period starts.
    world.refuses(&[&["channel", "close"][..], &FAN].concat(), "wrong-operator");
    let shown = world.does(&[&["channel", "show"][..], &FAN].concat());
    assert_eq!(shown["state"], "open");
}

#[test]
fn quota_cost_is_announced() {
    let world = World::new(&[], &PEOPLE);
    let terms = ["--use", "generate=0.5/generation", "--cap-total-units", "1000000000"];
    for file in ["poem.txt", "song.txt"] {
        register(&world, file, &terms);
    }
    let open = ["channel", "open", "--deposit", "1", "--accept", "poem.txt", "--quota-units"];
    world.refuses(&[&open[..], &["900000000"], &FAN].concat(), "not-enough-tokens");
    world.refuses(&[&["channel", "show"][..], &FAN].concat(), "no-channel");

    // Two units at $0.50, and 2% of it.
    let opened = world.does(&[&open[..], &["2"], &FAN].concat());
    assert_eq!(
        (&opened["deposited"], &opened["licenses"][0]["quota"]),
        (&json!(1_000_000), &json!(1_020_000))
    );
    let accept = ["channel", "accept", "song.txt", "--quota-units"];
    world.refuses(&[&accept[..], &["900000000"], &FAN].concat(), "not-enough-tokens");
    let accepted = world.shell("motif channel accept song.txt --quota-units 3 --keypair fan.json");
    assert!(accepted.contains("license 1: quota $1.53, held until used"), "{accepted}");
    let shown = world.does(&[&["channel", "show"][..], &FAN].concat());
    assert_eq!(
        (&shown["deposited"], &shown["earmarked"]),
        (&json!(1_000_000 + 1_020_000 + 1_530_000), &json!(2_500_000))
    );
}

#[test]
fn disputed_work_opens_no_channel() {
    let world = World::new(&[], &PEOPLE);
    register(&world, "poem.txt", &["--use", "generate=0.001/generation"]);
    std::fs::write(world.path("evidence.txt"), "It is mine.").unwrap();
    let dispute = ["dispute", "open", "poem.txt", "--evidence", "evidence.txt"];
    world.does(&[&dispute[..], &["--keypair", "other.json"]].concat());
    let open = ["channel", "open", "--deposit", "1", "--accept", "poem.txt"];
    world.refuses(&[&open[..], &FAN].concat(), "WorkNotActive");
    world.refuses(&[&["channel", "show"][..], &FAN].concat(), "no-channel");
}

#[test]
fn watcher_is_shown() {
    let world = World::new(&[], &PEOPLE);
    let open = ["channel", "open", "--deposit", "1", "--watcher", "other.json"];
    world.does(&[&open[..], &FAN].concat());
    let other = world.does(&["key", "show", "other.json"]);
    let other = other[0]["address"].as_str().unwrap();
    let shown = world.shell("motif channel show --keypair fan.json");
    let line = shown.lines().find(|line| line.starts_with("watcher")).unwrap();
    assert!(line.ends_with(other), "{shown}");
}

#[test]
fn list_shows_where_the_deposit_is() {
    let world = World::new(&[], &PEOPLE);
    register(&world, "poem.txt", &["--use", "generate=0.01/generation"]);
    let list = |more: &[&str]| {
        let listed = world.does(&[&["channel", "list"][..], &FAN, more].concat());
        listed["channels"].as_array().unwrap().clone()
    };
    let money = |channel: &serde_json::Value| {
        ["deposited", "settled", "vouched", "refunded", "left"].map(|name| channel[name].as_u64())
    };
    assert!(list(&[]).is_empty());
    let open = ["channel", "open", "--deposit", "1", "--accept", "poem.txt"];
    world.does(&[&open[..], &FAN].concat());
    let [opened] = &list(&[])[..] else { panic!("one channel") };
    // The gateway does not know the channel before its first request.
    assert_eq!(money(opened), [Some(1_000_000), Some(0), None, Some(0), Some(1_000_000)]);
    assert_eq!((&opened["state"], &opened["closes_at"]), (&json!("open"), &json!(null)));
    let pay = |count: &str| world.does(&[&["generate", "--count", count][..], &FAN].concat());
    // Three generations at $0.01, and 2% of it.
    pay("3");
    assert_eq!(money(&list(&[])[0]), [1_000_000, 0, 30_600, 0, 969_400].map(Some));
    world.does(&[&["channel", "settle"][..], &FAN].concat());
    pay("2");
    assert_eq!(money(&list(&[])[0]), [1_000_000, 30_600, 20_400, 0, 949_000].map(Some));
    let text = world.shell("motif channel list --keypair fan.json");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<_> = text.lines().map(words).collect();
    assert_eq!(lines[0], ["channel", "state", "deposited", "settled", "vouched", "left"], "{text}");
    let shown = lines.iter().find(|line| line[0] == opened["channel"]).unwrap();
    assert_eq!(shown[1..], ["open", "$1.00", "$0.0306", "$0.0204", "$0.949"], "{text}");

    // Who is not the payer does not learn what is signed for.
    let address =
        world.does(&["key", "show", "fan.json"])[0]["address"].as_str().unwrap().to_owned();
    let [foreign] = &list(&["--payer", &address])[..] else { panic!("one channel") };
    assert_eq!(money(foreign)[2..], [None, Some(0), Some(969_400)]);
    // What is left comes back, and the channel leaves the list.
    world.does(&[&["channel", "close"][..], &FAN].concat());
    assert!(list(&[]).is_empty());
    let [closed] = &list(&["--all"])[..] else { panic!("one channel") };
    let [deposited, settled, _, refunded, left] = money(closed);
    assert_eq!([deposited, settled, refunded, left], [1_000_000, 51_000, 949_000, 0].map(Some));
}
