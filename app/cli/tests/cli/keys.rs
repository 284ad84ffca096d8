//! Tests of keypair files, signing processes and the decoding worker's isolation.

use std::{
    fs::{Permissions, set_permissions, write},
    os::unix::{fs::PermissionsExt, net::UnixListener},
};

use serde_json::Value;

use crate::world::World;

#[test]
fn confined_worker_opens_nothing() {
    let world = World::empty();
    world.does(&["key", "new", "settle.json"]);
    let _listener = UnixListener::bind(world.path("settle.sock")).unwrap();
    let file = world.path("settle.json");
    let attempts = world.does(&["decode-worker", "--attempt", file.to_str().unwrap()]);
    let attempts = attempts.as_object().unwrap();
    assert_eq!(attempts.len(), 10);
    for (attempt, error) in attempts {
        let error = error.as_str().unwrap_or("it succeeds");
        assert!(error.contains("Operation not permitted"), "{attempt}: {error}");
    }
    assert!(!world.path("settle.created").exists());
}

#[test]
fn keypair_formats_name_one_address() {
    let world = World::empty();
    let seed: Vec<u8> = (1..33).collect();
    write(world.path("seed.json"), format!("{seed:?}")).unwrap();
    set_permissions(world.path("seed.json"), Permissions::from_mode(0o600)).unwrap();
    let address = &world.does(&["key", "show", "seed.json"])[0]["address"];
    let address = address.as_str().unwrap().to_owned();
    let shown = |line: &str| -> Value {
        serde_json::from_str(world.shell(line).lines().last().unwrap()).unwrap()
    };
    for line in [
        "motif key show - --json < seed.json",
        "motif key show --keypair - --json < seed.json",
        "MOTIF_KEYPAIR=seed.json motif key show --json",
    ] {
        assert_eq!(shown(line)[0]["address"], address, "{line}");
    }
    // Base58, as wallets export it: the seed and the public key.
    let exported =
        "2Ana1pUpv2ZbMVkwF5FXapYeBEjdxDatLn7nvJkhgTSdZd8hbDHTd21as7EAsg7ypityqfsw2pMQKJcVDVcAEsd";
    write(world.path("exported.txt"), format!("{exported}\n")).unwrap();
    assert_eq!(shown("motif key show - --json < exported.txt")[0]["address"], address);
    assert_eq!(address, "9C6hybhQ6Aycep9jaUnP6uL9ZYvDjUp1aSkFWPUFJtpj");
    world.refuses(&["key", "show", "absent.json"], "file");
}

#[test]
fn solana_configuration_is_the_default() {
    let world = World::empty();
    world.does(&["key", "new", "mine.json", "other.json"]);
    let folder = world.path("home/.config/solana/cli");
    std::fs::create_dir_all(&folder).unwrap();
    let mine = world.path("mine.json");
    let settings = |keypair: &str| {
        format!("---\njson_rpc_url: \"http://127.0.0.1:9\"\nkeypair_path: {keypair}\n")
    };
    write(folder.join("config.yml"), settings(&mine.display().to_string())).unwrap();
    let json = |line: &str| -> Value {
        let line = format!("env -u MOTIF_RPC_URL HOME=$PWD/home {line} || true");
        serde_json::from_str(world.shell(&line).lines().last().unwrap()).unwrap()
    };
    let address = |file: &str| world.does(&["key", "show", file])[0]["address"].clone();
    assert_eq!(json("motif key show --json")[0]["address"], address("mine.json"));
    let flagged = json("motif key show --keypair other.json --json");
    assert_eq!(flagged[0]["address"], address("other.json"));
    let away = &json("motif work list --wait-seconds 0 --json")["error"];
    assert_eq!(away["code"], "no-node");
    assert!(away["message"].as_str().unwrap().contains("127.0.0.1:9"), "{away}");
    let checked = world.shell("env -u MOTIF_RPC_URL HOME=$PWD/home motif gateway check");
    let named = format!("keypair = \"{}\"", mine.display());
    assert!(checked.contains("http://127.0.0.1:9") && checked.contains(&named), "{checked}");
    // A wallet that is not read is named, not taken for a file.
    write(folder.join("config.yml"), settings("usb://ledger")).unwrap();
    let wallet = &json("motif key show --json")["error"];
    assert_eq!(wallet["code"], "usage");
    assert!(wallet["message"].as_str().unwrap().contains("hardware wallets"), "{wallet}");
}

#[test]
fn check_warns_of_risky_settings() {
    let world = World::empty();
    world.does(&["key", "new", "gateway.json"]);
    write(world.path("secret"), "x".repeat(32)).unwrap();
    let risky = "rpc_url = \"http://rpc.example\"\nkeypair = \"gateway.json\"\n\
                 public_url = \"https://gateway.example\"\n\
                 store = \"postgres://db.example/motif?sslmode=disable\"\n\
                 [admin]\nlisten = \"0.0.0.0:8788\"\nsecret_file = \"secret\"\n\
                 [proxies]\ntrusted = [\"0.0.0.0/0\"]\n\
                 [limits]\naddress_per_second = 0\nchannel_per_second = 0\nkey_per_second = 0\n\
                 settlements_per_hour = 0\n";
    write(world.path("gateway.toml"), risky).unwrap();
    set_permissions(world.path("gateway.json"), Permissions::from_mode(0o644)).unwrap();
    let line = "env -u MOTIF_RPC_URL motif gateway check --config gateway.toml --json";
    let checked: Value = serde_json::from_str(world.shell(line).trim()).unwrap();
    let warnings = checked["warnings"].as_array().unwrap();
    let keys = warnings.iter().map(|warning| warning.as_str().unwrap().split(':').next().unwrap());
    let expected = ["proxies.trusted", "admin.listen", "store", "rpc_url", "limits", "keypair"];
    assert_eq!(keys.collect::<Vec<_>>(), expected, "{warnings:?}");
    set_permissions(world.path("gateway.json"), Permissions::from_mode(0o600)).unwrap();
    write(world.path("gateway.toml"), "keypair = \"gateway.json\"\n").unwrap();
    let checked = world.does(&["gateway", "check", "--config", "gateway.toml"]);
    assert_eq!(checked["warnings"], Value::Array(Vec::new()));
}
