//! `motif credentials`: signing, reading, checks against the chain, and an independent reader.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use image::{ImageFormat, imageops::FilterType};
use serde_json::{Value, json};

use crate::world::World;

const ASSETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
const READER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/second_implementation/credentials.py");
const PEOPLE: [&str; 3] = ["ines.json", "platform.json", "gateway.json"];

/// Reads credentials with an independent implementation; returns `None` and prints why if it is not
/// installed.
fn read_independently(
    file: &Path,
    media_type: &str,
    anchors: &Path,
    operator: &str,
) -> Option<Value> {
    let python = std::env::var("MOTIF_PYTHON").unwrap_or("python3".to_owned());
    let ready = Command::new(&python).args(["-c", "import c2pa, cryptography"]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        let needs = "needs Python 3.10 and `pip install c2pa-python cryptography`; name another \
                     with MOTIF_PYTHON";
        assert!(std::env::var_os("MOTIF_REQUIRE_PYTHON").is_none(), "{needs}");
        eprintln!("SKIPPED: {needs}");
        return None;
    }
    let mut script = Command::new(&python);
    script.arg("-B").arg(READER).arg(file).arg(media_type).arg(anchors).arg(operator);
    let ran = script.output().unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{stderr}");
    Some(serde_json::from_slice(&ran.stdout).unwrap())
}

fn only_file(folder: PathBuf) -> PathBuf {
    fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn credentials_agree_with_the_chain() {
    let world = World::new(&[], &PEOPLE);
    fs::copy(format!("{ASSETS}/coffee.jpg"), world.path("coffee.jpg")).unwrap();
    let register = ["work", "register", "coffee.jpg", "--kind", "image"];
    let terms = ["--use", "generate=0.001/generation", "--keypair", "ines.json"];
    let work = world.does(&[&register[..], &terms].concat())["work"].clone();
    for (folder, name) in [("ines", "Ines"), ("platform", "A platform")] {
        world.does(&["credentials", "identity", folder, "--name", name]);
    }
    signed_work_matches_exactly(&world, &work);
    output_carries_its_receipt(&world, &work);
    false_claims_are_rejected(&world, &work);
}

fn signed_work_matches_exactly(world: &World, work: &Value) {
    let signed = world.does(&["credentials", "sign", "coffee.jpg", "--identity", "ines"]);
    assert_eq!(
        (&signed["file"], &signed["origin"]),
        (&json!("coffee.signed.jpg"), &json!("registered"))
    );
    for (more, trusted) in
        [(&["--on-chain"][..], false), (&["--on-chain", "--anchors", "ines/anchor.pem"], true)]
    {
        let answer = world.does(&[&["authenticate", "coffee.signed.jpg"], more].concat());
        assert_eq!(answer["exact"][0]["work"], *work, "credentials are not part of the content");
        assert_eq!(answer["alike"], json!([]));
        let credentials = &answer["credentials"];
        assert_eq!(credentials["state"], "intact");
        assert_eq!(credentials["signer"]["name"], "Ines");
        assert_eq!(credentials["signer"]["trusted"], trusted);
        assert_eq!(
            credentials["findings"]["works"][0],
            json!({ "work": work, "standing": "confirmed" })
        );
    }
    // A smaller copy without credentials still matches as similar.
    let picture = image::open(world.path("coffee.signed.jpg")).unwrap();
    let smaller = picture.resize(picture.width() / 2, picture.height() / 2, FilterType::Triangle);
    smaller.save_with_format(world.path("stripped.jpg"), ImageFormat::Jpeg).unwrap();
    let answer = world.does(&["authenticate", "stripped.jpg", "--on-chain"]);
    assert_eq!((&answer["credentials"], &answer["exact"]), (&Value::Null, &json!([])));
    assert_eq!(answer["alike"][0]["work"]["work"], *work);
}

fn output_carries_its_receipt(world: &World, work: &Value) {
    let platform = ["--keypair", "platform.json"];
    let open = ["channel", "open", "--deposit", "0.1", "--accept", work.as_str().unwrap()];
    let opened = world.does(&[&open[..], &platform].concat());
    let channel = opened["channel"].as_str().unwrap();
    let generate = ["generate", "--output", "out", "--receipts", "receipts.jsonl"];
    world.does(&[&generate[..], &["--identity", "platform"], &platform].concat());
    let output = only_file(world.path("out"));
    let output = output.to_str().unwrap();

    // A gateway finds the receipt by the bare content; offline, the credentials name it.
    for (more, known) in [(&[][..], 1), (&["--on-chain"], 0)] {
        let answer = world.does(&[&["authenticate", output], more].concat());
        assert_eq!(answer["receipts"].as_array().unwrap().len(), known);
        let findings = &answer["credentials"]["findings"];
        assert_eq!(findings["receipt"]["standing"], "signed", "{answer}");
        assert_eq!(findings["receipt"]["receipt"]["work"], *work);
        assert_eq!(findings["works"][0]["standing"], "licensed");
    }
    world.does(&[&["channel", "settle"][..], &platform].concat());
    let answer = world.does(&["authenticate", output]);
    assert_eq!(answer["receipts"][0]["standing"], "settled");

    // Signed after settlement, the output carries a proof that verifies offline.
    world.does(
        &[&["generate", "--output", "bare", "--receipts", "receipts.jsonl"][..], &platform]
            .concat(),
    );
    world.does(&[&["channel", "settle"][..], &platform].concat());
    let bare = only_file(world.path("bare"));
    let sign = ["credentials", "sign", bare.to_str().unwrap(), "--output", "proved.png"];
    let with = ["--receipts", "receipts.jsonl", "--identity", "platform"];
    assert_eq!(world.does(&[&sign[..], &with].concat())["proved"], true);
    let snapshot = ["channel", "show", "--channel", channel, "--snapshot", "channel.json"];
    let shown = world.does(&snapshot);
    let offline = ["--channel-snapshot", "channel.json", "--anchors", "platform/anchor.pem"];
    let nowhere = ["--rpc-url", "http://127.0.0.1:1", "--gateway-url", "http://127.0.0.1:1"];
    let show = [&["credentials", "show", "proved.png"][..], &offline, &nowhere].concat();
    let answer = world.does(&show);
    assert_eq!(answer["receipt_standing"], "settled");
    assert_eq!(answer["credentials"]["signer"]["trusted"], true);
    let answer = world.does(&["authenticate", "proved.png", "--on-chain"]);
    assert_eq!(answer["credentials"]["findings"]["receipt"]["standing"], "settled");

    let operator = shown["operator"].as_str().unwrap();
    let anchors = world.path("platform/anchor.pem");
    for file in ["proved.png".as_ref(), Path::new(output)] {
        let Some(read) =
            read_independently(&world.path("").join(file), "image/png", &anchors, operator)
        else {
            return;
        };
        assert_eq!((&read["state"], &read["failures"]), (&json!("Trusted"), &json!([])));
        assert_eq!(read["actions"], json!(["c2pa.created"]));
        assert_eq!(read["mining"]["entries"]["cawg.ai_training"]["use"], "notAllowed");
        for held in ["receipt_is_signed", "receipt_is_named", "receipt_is_of_this"] {
            assert_eq!(read[held], true, "{held}: {read}");
        }
    }
}

fn false_claims_are_rejected(world: &World, work: &Value) {
    world.refuses(&["credentials", "show", "coffee.jpg"], "no-credentials");
    world.refuses(&["credentials", "show", "receipts.jsonl"], "no-credentials");
    let sign = ["credentials", "sign", "--identity", "ines"];
    world.refuses(
        &[&sign[..], &["coffee.signed.jpg", "--work", work.as_str().unwrap()]].concat(),
        "unsigned",
    );
    world.refuses(&[&sign[..], &["coffee.jpg"]].concat(), "unwritable-file");
    world.refuses(
        &[&sign[..], &["coffee.jpg", "--output", "x.jpg", "--receipts", "receipts.jsonl"]].concat(),
        "unreadable-file",
    );
    world.misuse(&[&sign[..], &["stripped.jpg"]].concat());
    world.refuses(&["credentials", "identity", "ines", "--name", "Ines"], "file");
    let sign = ["credentials", "sign", "stripped.jpg", "--identity", "absent"];
    world.refuses(&sign, "file");
    let show = ["credentials", "show", "coffee.signed.jpg"];
    world.refuses(&[&show[..], &["--anchors", "receipts.jsonl"]].concat(), "unreadable-file");
    world.refuses(&[&show[..], &["--channel-snapshot", "channel.json"]].concat(), "no-receipt");

    // A changed pixel: the receipt is of another output.
    let mut changed = fs::read(world.path("proved.png")).unwrap();
    let last = changed.len() - 40;
    changed[last] ^= 1;
    fs::write(world.path("changed.png"), changed).unwrap();
    let show = ["credentials", "show", "changed.png", "--channel-snapshot", "channel.json"];
    world.refuses(&show, "receipts-failed");
    let answer = world.does(&["credentials", "show", "changed.png"]);
    assert_eq!(answer["credentials"]["state"], "altered");
    let answer = world.does(&["authenticate", "changed.png", "--on-chain"]);
    assert_eq!(answer["credentials"]["findings"]["receipt"]["standing"], "other-output");
    assert_eq!(answer["credentials"]["findings"]["works"][0]["standing"], "claimed");
}

#[test]
fn demo_output_verifies_independently() {
    let world = World::empty();
    let told = world.does(&["demo", "--generations", "20", "--output", "kept"]);
    assert_eq!(told["credentials_verified"], 1);
    let (output, anchor) = (world.path("kept/output.png"), world.path("kept/anchor.pem"));
    let offline = ["--channel-snapshot", "kept/channel.json", "--anchors", "kept/anchor.pem"];
    let show = [&["credentials", "show", "kept/output.png"][..], &offline].concat();
    let shown = world.does(&show);
    assert_eq!(
        (&shown["receipt_standing"], &shown["credentials"]["signer"]["trusted"]),
        (&json!("settled"), &json!(true))
    );
    let verified = world.does(&[
        "receipt",
        "verify",
        "kept/receipts.jsonl",
        "--channel-snapshot",
        "kept/channel.json",
    ]);
    assert_eq!(verified["verified"], 20);
    if let Some(read) = read_independently(&output, "image/png", &anchor, "") {
        assert_eq!((&read["state"], &read["failures"]), (&json!("Trusted"), &json!([])));
        assert_eq!(read["provenance"], shown["credentials"]["provenance"]);
    }
}
