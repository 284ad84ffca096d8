//! `motif earnings`: what works have earned, and what of it is a person's.

use serde_json::{Value, json};

use crate::world::World;

const PEOPLE: [&str; 4] = ["ines.json", "kofi.json", "fan.json", "gateway.json"];
const FAN: [&str; 2] = ["--keypair", "fan.json"];

#[test]
fn own_part_is_told_from_sums_of_works() {
    let world = World::new(&[], &PEOPLE);
    std::fs::write(world.path("poem.txt"), "The words of a poem, and some others.").unwrap();
    let register = ["work", "register", "poem.txt", "--kind", "text", "--title", "A poem"];
    let split = ["--split", "ines.json=50%,kofi.json=50%", "--use", "generate=0.01/generation"];
    world.does(&[&register[..], &split, &["--keypair", "ines.json"]].concat());
    let open = ["channel", "open", "--deposit", "1", "--accept", "poem.txt"];
    world.does(&[&open[..], &FAN].concat());
    world.does(&[&["generate", "--count", "4"][..], &FAN].concat());
    world.does(&[&["channel", "settle"][..], &FAN].concat());
    world.does(&[&["generate", "--count", "1"][..], &FAN].concat());
    let earned = |keypair: &str| {
        let shown = world.does(&["earnings", "--keypair", keypair]);
        assert_eq!(shown["works"][0]["own_part"], shown["totals"][0]["own_part"]);
        shown["works"][0].clone()
    };
    let sums = |settled: u64| json!({ "vouched": 10_000, "settled": settled, "waiting": 0 });
    let own = |part: &Value| ["collected", "claimable", "claimed"].map(|name| part[name].clone());
    let before = earned("ines.json");
    assert_eq!((&before["work_sums"], &before["title"]), (&sums(40_000), &json!("A poem")));
    assert_eq!(own(&before["own_part"]), [0, 0, 0].map(Value::from));
    let text = world.shell("motif earnings --keypair ines.json");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0].split_whitespace().nth(1), Some("vouched"), "{text}");
    assert_eq!(lines[1].matches("whole work").count(), 3, "{text}");
    assert_eq!(lines[1].matches("own part").count(), 4, "{text}");

    let claim = ["earnings", "claim", "poem.txt", "--recipient", "ines.json"];
    world.does(&[&claim[..], &["--keypair", "ines.json"]].concat());
    let (ines, kofi) = (earned("ines.json"), earned("kofi.json"));
    assert_eq!((&ines["work_sums"], &kofi["work_sums"]), (&sums(0), &sums(0)));
    assert_eq!(own(&ines["own_part"]), [20_000, 0, 20_000].map(Value::from));
    assert_eq!(own(&kofi["own_part"]), [20_000, 20_000, 0].map(Value::from));
}
