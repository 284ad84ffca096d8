//! The state folder: full disks, failed starts, second processes and exposed files.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde_json::json;

use super::{
    delivery::OPTIONS,
    shop::{COST, Shop},
};
use crate::world::World;

const PICTURE: &str = r#"{"prompt":"New York"}"#;
/// A wallet's own service, which is refused before it listens.
const SERVE: [&str; 6] =
    ["payer", "serve", "--keypair", "platform.json", "--listen", "127.0.0.1:0"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn unkept_answer_leaves_no_file() {
    const KIB: u64 = 256;
    let mut shop = Shop::without_payer();
    let limited = |world: &mut World, arguments: &[&str]| world.spawn_limited(KIB, arguments);
    shop.serve_by(limited, &OPTIONS);
    let large = r#"{"prompt":"New York","side":1024}"#;
    let bought = shop.post_with_key("/pictures", "the-first-key", large);
    assert_eq!(bought.status, 200, "{}", String::from_utf8_lossy(&bought.body));
    assert!(bought.body.len() as u64 > KIB << 10, "{} bytes", bought.body.len());
    let answers = shop.state_file("answers");
    assert_eq!(files(&answers), Vec::<PathBuf>::new());
    assert_eq!(shop.post_with_key("/pictures", "the-other-key", PICTURE).status, 200);
    assert_eq!(files(&answers).len(), 1);

    // A killed process has left files that it was writing.
    shop.world.stop_last();
    let left = ["answers/.a.answer", "channels/.a.state", ".requests.jsonl", "receipts/.a.jsonl"]
        .map(|name| shop.state_file(&format!("{name}.writing")));
    left.iter().for_each(|path| fs::write(path, "{").unwrap());
    shop.serve_by(limited, &OPTIONS);
    assert!(left.iter().all(|path| !path.exists()));
    assert_eq!(shop.buy_picture("Boston").status, 200);
    assert_eq!(shop.charged(), 3 * COST);
}

#[test]
fn failed_start_removes_nothing() {
    let mut shop = Shop::without_payer();
    shop.serve(&OPTIONS);
    for key in ["the-first-key", "the-other-key"] {
        assert_eq!(shop.post_with_key("/pictures", key, PICTURE).status, 200);
    }
    shop.world.stop_logged();
    // For a process whose clock is two days late, both requests have expired.
    let (requests, answers) = (shop.state_file("requests.jsonl"), shop.state_file("answers"));
    let ago = Duration::from_secs(2 * 86_400);
    let mut text = String::new();
    for line in fs::read_to_string(&requests).unwrap().lines() {
        let mut entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let expiry = entry["expires_at"].as_i64().unwrap() - ago.as_secs() as i64;
        entry["expires_at"] = json!(expiry);
        text += &format!("{entry}\n");
    }
    fs::write(&requests, &text).unwrap();
    let kept = files(&answers);
    assert_eq!(kept.len(), 2);
    for path in &kept {
        let file = File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - ago).unwrap();
    }
    // The start fails: the channel's state is damaged.
    let channel = files(&shop.state_file("channels"));
    let channel = channel.iter().find(|path| path.extension().unwrap() == "state").unwrap();
    let state = fs::read(channel).unwrap();
    let mut damaged = state.clone();
    damaged[100] ^= 1;
    fs::write(channel, damaged).unwrap();
    shop.world.refuses(&[&SERVE[..], &OPTIONS].concat(), "state-invalid");
    assert_eq!((fs::read_to_string(&requests).unwrap(), files(&answers)), (text, kept));
    // The start succeeds, and the cluster's clock agrees: they have expired.
    fs::write(channel, state).unwrap();
    shop.serve(&OPTIONS);
    assert_eq!(fs::read_to_string(&requests).unwrap(), "");
    assert_eq!(files(&answers), Vec::<PathBuf>::new());
}

#[test]
fn second_payer_of_channel_is_named() {
    let mut shop = Shop::without_payer();
    let own = |state: &'static str, key: &'static str| {
        [&OPTIONS[..], &["--state", state, "--voucher-key", key]].concat()
    };
    let first = own("first.payer", "first.json");
    shop.serve(&first);
    assert_eq!(shop.buy_picture("one").status, 200);
    // The same file is refused, also with another state folder.
    let same = own("second.payer", "first.json");
    shop.world.refuses(&[&SERVE[..], &same].concat(), "voucher-key-locked");
    // A copy of it is noticed by the first payment after the other's.
    fs::copy(shop.world.path("first.json"), shop.world.path("copy.json")).unwrap();
    let of_first = (shop.payer.clone(), shop.token.clone());
    shop.serve(&own("second.payer", "copy.json"));
    assert_eq!(shop.buy_picture("two").status, 200);
    (shop.payer, shop.token) = of_first;
    let channels = shop.channels();
    let pay = |units: u32| {
        let digest = "01".repeat(32);
        let body = json!({
            "work": shop.work, "units": units, "request_digest": digest, "output_digest": digest
        });
        shop.post(&format!("{}/v1/pay", shop.payer), &body.to_string())
    };
    // The totals of its vouchers are equal to the other's, or above them.
    for refused in [shop.buy_picture("three"), pay(1), pay(3)] {
        assert_eq!((refused.status, refused.slug().as_str()), (409, "channel-shared"));
        assert!(refused.headers.contains("x-should-retry: false"), "{}", refused.headers);
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&channels[0]) && detail.contains("--voucher-key"), "{detail}");
    }
    // After the end of the other, a restart continues.
    shop.world.stop_logged();
    shop.world.stop_logged();
    shop.serve(&first);
    assert_eq!(shop.buy_picture("four").status, 200);
    assert_eq!(shop.charged(), 3 * COST);
}

#[test]
fn exposed_secrets_are_warned_of() {
    let mut shop = Shop::without_payer();
    let settings = "api_key_file = \"api.key\"\n[callers.studio]\ntoken_file = \"studio.token\"\n";
    fs::write(shop.world.path("payer.toml"), settings).unwrap();
    fs::write(shop.world.path("api.key"), "a-key-of-the-gateway-0123456789").unwrap();
    let options = ["--config", "payer.toml"];
    shop.serve(&options);
    let secrets = ["token", "voucher.json", "../studio.token", "../api.key"]
        .map(|name| shop.state_file(name));
    for path in &secrets {
        fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
    }
    shop.world.stop_logged();
    fs::remove_file(shop.world.path(World::LOG)).unwrap();
    shop.serve(&options);
    let logs = shop.world.stop_logged();
    for name in ["token", "voucher.json", "studio.token", "api.key"] {
        let warning = format!("{name} is accessible to all users");
        assert!(logs.contains(&warning), "{name}: {logs}");
    }
}

#[test]
fn errors_state_what_was_expected() {
    let shop = Shop::open(&OPTIONS);
    let through = shop.through("/pictures");
    for (header, expected) in [
        ("motif-max-cost: abc", "a number of base units"),
        ("motif-dry-run: 1", "`true` or `false`"),
        ("idempotency-key: short", "8 to 128 visible ASCII characters"),
    ] {
        let refused = shop.curl(&["-H", header, "-d", PICTURE, &through]);
        assert_eq!((refused.status, refused.slug().as_str()), (400, "invalid-header"));
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(expected), "{detail}");
    }
    for query in ["from=18446744073709551615", "from=-1", "day=tomorrow"] {
        let refused = shop.curl(&[&format!("{}/v1/receipts?{query}", shop.payer)]);
        assert_eq!((refused.status, refused.slug().as_str()), (400, "invalid-query"), "{query}");
    }
    // No work has this address.
    let digest = "01".repeat(32);
    let body = json!({
        "work": "SysvarC1ock11111111111111111111111111111111", "units": 1,
        "request_digest": digest, "output_digest": digest
    });
    let refused = shop.post(&format!("{}/v1/pay", shop.payer), &body.to_string());
    assert_eq!((refused.status, refused.slug().as_str()), (402, "unknown-work"));
}
