//! `motif authenticate`: works, similar content, outputs and hostile files.

use std::{fs, io::Cursor, time::Duration};

use image::{
    DynamicImage, Frame, ImageFormat, RgbaImage, codecs::gif::GifEncoder, imageops::FilterType,
};
use serde_json::Value;

use crate::world::World;

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/coffee.jpg");
const UNRELATED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/cat.png");
const PEOPLE: [&str; 3] = ["ines.json", "platform.json", "gateway.json"];

#[test]
fn content_is_matched_to_works_and_receipts() {
    let world = World::new(&[], &PEOPLE);
    let register = ["work", "register", PICTURE, "--kind", "image"];
    let terms = ["--use", "generate=0.001/generation", "--keypair", "ines.json"];
    let work = world.does(&[&register[..], &terms].concat())["work"].clone();
    wait_until_indexed(&world);
    for on_chain in [&[][..], &["--on-chain"]] {
        registered_file_matches_exactly(&world, on_chain, &work);
        smaller_jpeg_matches_as_similar(&world, on_chain, &work);
        unrelated_file_matches_nothing(&world, on_chain);
        hostile_files_are_rejected(&world, on_chain);
    }
    second_registration_is_a_conflict(&world, &work);
    output_is_matched_to_its_receipt(&world, &work);
}

/// Waits until the gateway has indexed the work.
fn wait_until_indexed(world: &World) {
    for _ in 0..300 {
        let (code, answer) = world.run(&["authenticate", PICTURE]);
        if code == 0 && answer["exact"].as_array().is_some_and(|exact| !exact.is_empty()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the gateway did not index the work");
}

fn authenticate(world: &World, file: &str, more: &[&str]) -> Value {
    world.does(&[&["authenticate", file], more].concat())
}

fn registered_file_matches_exactly(world: &World, on_chain: &[&str], work: &Value) {
    let answer = authenticate(world, PICTURE, on_chain);
    assert_eq!(answer["exact"][0]["work"], *work);
    assert_eq!(answer["exact"][0]["terms"]["uses"][0]["price"], "1000");
    assert_eq!((&answer["conflict"], &answer["alike"]), (&false.into(), &Value::Array(vec![])));
    assert_eq!(answer["media_type"], "image/jpeg");
}

fn smaller_jpeg_matches_as_similar(world: &World, on_chain: &[&str], work: &Value) {
    let picture = image::open(PICTURE).unwrap();
    let smaller = picture.resize(picture.width() / 2, picture.height() / 2, FilterType::Triangle);
    fs::write(world.path("smaller.jpg"), encoded(&smaller, ImageFormat::Jpeg)).unwrap();
    let answer = authenticate(world, "smaller.jpg", on_chain);
    assert_eq!(answer["exact"], Value::Array(vec![]));
    assert_eq!(answer["alike"][0]["work"]["work"], *work);
    assert!(answer["alike"][0]["distance"].as_u64().unwrap() <= 31, "{answer}");
}

fn unrelated_file_matches_nothing(world: &World, on_chain: &[&str]) {
    let answer = authenticate(world, UNRELATED, on_chain);
    for found in ["exact", "alike", "receipts"] {
        assert_eq!(answer[found], Value::Array(vec![]), "{found}");
    }
}

fn hostile_files_are_rejected(world: &World, on_chain: &[&str]) {
    let good = fs::read(UNRELATED).unwrap();
    fs::write(world.path("torn.png"), &good[..good.len() / 2]).unwrap();
    fs::write(world.path("bomb.png"), sized(good, 60_000, 60_000)).unwrap();
    for file in ["torn.png", "bomb.png"] {
        world.refuses(&[&["authenticate", file], on_chain].concat(), "content-unreadable");
    }
    fs::write(world.path("film.gif"), film(10_000)).unwrap();
    let answer = authenticate(world, "film.gif", on_chain);
    assert_eq!(answer["media_type"], "image/gif");
}

fn second_registration_is_a_conflict(world: &World, work: &Value) {
    // The order of two registrations in the same second is unknown.
    std::thread::sleep(Duration::from_secs(2));
    let register = ["work", "register", PICTURE, "--kind", "image", "--keypair", "platform.json"];
    let second = world.does(&register)["work"].clone();
    let answer = authenticate(world, PICTURE, &["--on-chain"]);
    assert_eq!(answer["conflict"], true);
    assert_eq!([&answer["exact"][0]["work"], &answer["exact"][1]["work"]], [work, &second]);
    let registered = |place: usize| answer["exact"][place]["registered_at"].as_i64().unwrap();
    assert!(registered(0) < registered(1), "{answer}");
}

fn output_is_matched_to_its_receipt(world: &World, work: &Value) {
    let platform = ["--keypair", "platform.json"];
    let open = ["channel", "open", "--deposit", "0.1", "--accept", work.as_str().unwrap()];
    world.does(&[&open[..], &platform].concat());
    let generate = ["generate", "--output", "out", "--receipts", "receipts.jsonl"];
    world.does(&[&generate[..], &platform].concat());
    let output = fs::read_dir(world.path("out")).unwrap().next().unwrap().unwrap().path();
    let output = output.to_str().unwrap();
    let from_file = ["--on-chain", "--receipts", "receipts.jsonl"];
    for more in [&[][..], &from_file] {
        let answer = authenticate(world, output, more);
        assert_eq!(answer["receipts"][0]["standing"], "signed", "{answer}");
        assert_eq!(answer["receipts"][0]["receipt"]["work"], *work);
    }
    world.does(&[&["channel", "settle"][..], &platform].concat());
    for more in [&[][..], &from_file] {
        assert_eq!(authenticate(world, output, more)["receipts"][0]["standing"], "settled");
    }
    // The operator's signature does not verify on a changed receipt.
    let receipts = fs::read_to_string(world.path("receipts.jsonl")).unwrap();
    let forged = receipts.replace("\"amount\":\"1000\"", "\"amount\":\"1\"");
    assert_ne!(forged, receipts);
    fs::write(world.path("forged.jsonl"), forged).unwrap();
    let answer = authenticate(world, output, &["--on-chain", "--receipts", "forged.jsonl"]);
    assert_eq!(answer["receipts"][0]["standing"], "false");
}

/// Threat G12: each file is handled within 400 MB of address space, most of which the program
/// itself takes.
#[test]
fn worker_bounds_memory_for_hostile_files() {
    let world = World::empty();
    let good = fs::read(UNRELATED).unwrap();
    fs::write(world.path("torn.png"), &good[..good.len() / 2]).unwrap();
    fs::write(world.path("bomb.png"), sized(good, 60_000, 60_000)).unwrap();
    fs::write(world.path("film.gif"), film(10_000)).unwrap();
    for (file, expected) in
        [("torn.png", "refused"), ("bomb.png", "refused"), ("film.gif", "perceived")]
    {
        let said = world.shell(&format!("ulimit -v 400000; motif decode-worker < {file}"));
        let answer: Value = serde_json::from_str(&said).unwrap();
        assert!(answer.get(expected).is_some(), "{file}: {answer}");
    }
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Returns a GIF with this many frames.
fn film(frames: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 30);
    for number in 0..frames {
        let level = (number % 251) as u8;
        let frame =
            RgbaImage::from_fn(8, 8, |x, y| [x as u8 * 30, y as u8 * 30, level, 255].into());
        encoder.encode_frame(Frame::new(frame)).unwrap();
    }
    drop(encoder);
    bytes
}

/// Returns a PNG whose header states another size.
fn sized(mut png: Vec<u8>, width: u32, height: u32) -> Vec<u8> {
    // IHDR: width at byte 16, height at 20, checksum at 29.
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    png
}

/// CRC-32 as in the PNG specification, annex D.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}
