//! `motif till pay --use` and `motif sale verify`.

use serde_json::Value;

use crate::world::World;

#[test]
fn sale_is_proved_from_the_chain() {
    let world = World::new(&[], &["ines.json", "fan.json", "gateway.json"]);
    std::fs::write(world.path("poem.txt"), "A poem of several words.").unwrap();
    std::fs::write(world.path("song.txt"), "A song of several other words.").unwrap();
    for (file, price) in [("poem.txt", "0.001"), ("song.txt", "0.003")] {
        let price = format!("generate={price}/generation");
        let register = ["work", "register", file, "--kind", "text", "--keypair", "ines.json"];
        let title = format!("{file} by Ines");
        world.does(&[&register[..], &["--use", &price, "--title", &title]].concat());
    }
    let till = ["poem.txt=1000", "song.txt=3000", "--operator", "gateway.json=80"];
    let by = ["--keypair", "fan.json"];
    world.does(&[&["till", "open"][..], &till, &by].concat());

    let bought = ["--use", "generate", "--units", "2", "--prompt", "A rhyme"];
    let pay = [&["till", "pay"][..], &till, &bought, &["--output", "sale.json"], &by].concat();
    let paid = world.does(&pay);
    assert_eq!((&paid["paid"], &paid["holds"]), (&8_160.into(), &8_160.into()));
    assert_eq!(paid["memo"].as_str().unwrap().len(), 32);
    // The file is the proof of a sale: it is not overwritten, and nothing is paid.
    world.refuses(&pay, "unwritable-file");
    let verified = world.does(&["sale", "verify", "sale.json"]);
    assert_eq!((&verified["units"], &verified["paid"]), (&2.into(), &8_160.into()));
    assert_eq!(verified["signature"], paid["signature"]);
    assert_eq!(verified["works"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&verified["works"][0]["terms"], &verified["unit"]),
        (&1.into(), &"generation".into())
    );
    let text = world.shell("motif sale verify sale.json --prompt \"A rhyme\"");
    assert!(text.contains("2 generations (use generate)") && text.contains("terms 1"), "{text}");
    let digest = verified["request_digest"].as_str().unwrap();
    assert!(text.contains(digest), "{text}");
    world.refuses(&["sale", "verify", "sale.json", "--prompt", "A rhime"], "other-request");
    let fan = world.does(&["key", "show", "fan.json"])[0]["address"].clone();
    let gateway = world.does(&["key", "show", "gateway.json"])[0]["address"].clone();
    assert_eq!((&verified["buyer"], &verified["operator"]), (&fan, &gateway));
    let works = verified["works"].as_array().unwrap();
    let mut titles: Vec<_> = works.iter().map(|work| work["title"].as_str().unwrap()).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["poem.txt by Ines", "song.txt by Ines"]);
    assert!(works.iter().all(|work| work["terms"] == 1), "{works:?}");
    let request = motif_sdk::fingerprint::content_digest(b"A rhyme");
    assert_eq!(verified["request_digest"], hex::encode(request));
    let shown = world.shell("motif sale verify sale.json");
    for named in ["poem.txt by Ines", &hex::encode(request), fan.as_str().unwrap()] {
        assert!(shown.contains(named), "{named}: {shown}");
    }

    let sale = std::fs::read_to_string(world.path("sale.json")).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&sale).unwrap();
    let acceptance = json["acceptance"].as_str().unwrap().to_owned();
    // Of the domain, the cluster, the units, the amount, the request and the nonce.
    for (offset, slug) in [
        (0, "unreadable-file"),
        (16, "sale-invalid"),
        (180, "sale-invalid"),
        (184, "sale-invalid"),
        (200, "sale-invalid"),
        (271, "sale-invalid"),
    ] {
        let mut bytes = hex::decode(&acceptance).unwrap();
        bytes[offset] ^= 1;
        json["acceptance"] = hex::encode(bytes).into();
        std::fs::write(world.path("forged.json"), json.to_string()).unwrap();
        world.refuses(&["sale", "verify", "forged.json"], slug);
    }

    // The till's address stands for its division.
    let address = paid["till"].as_str().unwrap();
    let mint = paid["mint"].as_str().unwrap().to_owned();
    let by_address = world.does(&["till", "show", address]);
    assert_eq!((&by_address["till"], &by_address["holds"]), (&address.into(), &8_160.into()));
    world.does(&["till", "show", address, "--currency", &mint]);
    let link = world.does(&["till", "show", address, "--qr", "--amount", "0.5"]);
    assert_eq!(link["link"], format!("solana:{address}?amount=0.5&spl-token={mint}"));
    let license = world.does(&["work", "show", "song.txt", "--qr"]);
    let license = license["link"].as_str().unwrap();
    assert!(
        license.starts_with("solana:http%3A%2F%2F127.0.0.1") && license.contains("%2Flicense%3F")
    );
    world.misuse(&["till", "show", address, "--currency", "11111111111111111111111111111111"]);
    world.does(&[&["till", "sweep", address][..], &by].concat());
    let shown = world.does(&[&["till", "show"][..], &till].concat());
    assert_eq!((&shown["holds"], &shown["swept"]), (&0.into(), &8_160.into()));
    assert_eq!(shown["operator"]["paid"], 160);
    assert_eq!(world.does(&["earnings", "show", "song.txt"])["earned"], 6_000);
}

#[test]
fn unsold_use_takes_no_payment() {
    let world = World::new(&[], &["ines.json", "fan.json", "gateway.json"]);
    std::fs::write(world.path("poem.txt"), "A poem of several words.").unwrap();
    let register = ["work", "register", "poem.txt", "--kind", "text", "--keypair", "ines.json"];
    let terms = ["--use", "generate=0.001/generation", "--approval-required"];
    world.does(&[&register[..], &terms].concat());
    let by = ["--keypair", "fan.json"];
    world.does(&[&["till", "open", "poem.txt"][..], &by].concat());
    for (licensed_use, slug) in [("generate", "not-sold"), ("train", "not-sold")] {
        let pay = ["till", "pay", "poem.txt", "--use", licensed_use];
        let refused = world.refuses(&[&pay[..], &by].concat(), slug);
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.ends_with("its terms license generate"), "{message}");
    }
    assert_eq!(world.does(&["till", "show", "poem.txt"])["holds"], 0);
    let text = world.shell("motif till show poem.txt");
    assert!(text.contains("(1 part)"), "{text}");
}

#[test]
fn unstored_sale_takes_no_payment() {
    let world = World::new(&[], &["ines.json", "fan.json", "gateway.json"]);
    std::fs::write(world.path("poem.txt"), "A poem of several words.").unwrap();
    let register = ["work", "register", "poem.txt", "--kind", "text", "--keypair", "ines.json"];
    world.does(&[&register[..], &["--use", "generate=0.001/generation"]].concat());
    let fan = ["--keypair", "fan.json"];
    world.does(&[&["till", "open", "poem.txt"][..], &fan].concat());
    // A limit of 0 bytes a file stands for a full disk.
    let refused = world.shell(
        "trap '' XFSZ; ulimit -f 0; motif till pay poem.txt --use generate --output sale.json \\
         --keypair fan.json --json && exit 1 || exit 0",
    );
    assert!(refused.contains("unwritable-file"), "{refused}");
    assert!(!world.path("sale.json").exists());
    assert_eq!(world.does(&["till", "show", "poem.txt"])["holds"], 0);

    // A payment that its simulation rejects is not sent, and leaves no file.
    world.does(&["key", "new", "poor.json"]);
    world.does(&["key", "airdrop", "poor.json", "--sol", "0"]);
    let pay = ["till", "pay", "poem.txt", "--use", "generate", "--output", "sale.json"];
    assert_eq!(world.run(&[&pay[..], &["--keypair", "poor.json"]].concat()).0, 1);
    assert!(!world.path("sale.json").exists());

    // A file whose payment never landed proves nothing.
    world.does(&[&pay[..], &fan].concat());
    let mut unpaid: Value =
        serde_json::from_slice(&std::fs::read(world.path("sale.json")).unwrap()).unwrap();
    unpaid["signature"] = "1".repeat(64).into();
    std::fs::write(world.path("unpaid.json"), unpaid.to_string()).unwrap();
    let unpaid = world.refuses(&["sale", "verify", "unpaid.json"], "sale-invalid");
    let message = unpaid["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("the sale is unpaid"), "{message}");
}

#[test]
fn unregistered_operator_takes_no_payment() {
    let world = World::new(&[], &["ines.json", "fan.json", "gateway.json"]);
    std::fs::write(world.path("poem.txt"), "A poem of several words.").unwrap();
    let register = ["work", "register", "poem.txt", "--kind", "text", "--keypair", "ines.json"];
    world.does(&[&register[..], &["--use", "generate=0.001/generation"]].concat());
    for bought in [["--use", "generate"], ["--amount", "1"]] {
        let pay = ["till", "pay", "poem.txt", "--operator", "ines.json=1", "--keypair", "fan.json"];
        world.refuses(&[&pay[..], &bought].concat(), "unknown-operator");
    }
}
