use std::sync::Arc;

use solana_signer::Signer;

use super::*;
use crate::{
    chain::Endpoint,
    config::{EventsConfig, HostingConfig, SETTINGS, example},
};

fn operator() -> Result<Keypair, String> {
    Ok(Keypair::new_from_array([8; 32]))
}

fn read(text: &str, variables: &[(&str, &str)]) -> Result<GatewayConfig, Faults> {
    let mut layers = Layers::default();
    layers.toml(text, "gateway.toml");
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    layers.environment(variables.iter().map(owned));
    GatewayConfig::read(&layers, operator())
}

#[test]
fn empty_layers_yield_defaults() {
    let read = read("", &[]).unwrap();
    let expected = GatewayConfig {
        operator_fee_bps: 200,
        listen: "127.0.0.1:8787".parse().unwrap(),
        hosting: Some(HostingConfig { folder: "motif-hosted".into(), keep_bytes: 1 << 30 }),
        events: Some(EventsConfig::default()),
        ..GatewayConfig::new(
            "http://127.0.0.1:8899",
            Arc::new(operator().unwrap()),
            PathBuf::from("motif-gateway.sqlite"),
        )
    };
    assert_eq!(format!("{read:?}"), format!("{expected:?}"));
}

#[test]
fn committed_example_is_current() {
    let committed = include_str!("../../../../../docs/gateway.toml");
    assert_eq!(committed, example(), "regenerate docs/gateway.toml: motif gateway check --example");
    let lines = committed.lines().filter(|line| !line.starts_with("# "));
    let lines = lines.map(|line| line.strip_prefix('#').unwrap_or(line));
    let stated: Vec<_> = lines.filter(|line| !line.ends_with("...")).collect();
    let stated = read(&stated.join("\n"), &[]).unwrap();
    assert_eq!(format!("{stated:?}"), format!("{:?}", read("", &[]).unwrap()));
    for setting in SETTINGS.iter().filter(|setting| setting.in_file) {
        assert!(committed.contains(&setting.variable()), "{}", setting.key);
    }
}

#[test]
fn flag_overrides_environment_and_file() {
    let mut layers = Layers::default();
    layers.toml("operator_fee_bps = 1\nmin_grace_seconds = 4000\n[limits]\nconnections = 2", "");
    let variable = |name: &str| (name.to_owned(), "3".to_owned());
    layers.environment([variable("MOTIF_GATEWAY_OPERATOR_FEE_BPS"), variable("PATH")]);
    layers.flag("limits.connections", Some("4".to_owned()));
    layers.flag("min_grace_seconds", None);
    let read = GatewayConfig::read(&layers, operator()).unwrap();
    let found = (read.operator_fee_bps, read.min_grace_seconds, read.limits.connections);
    assert_eq!(found, (3, 4_000, 4));
}

#[test]
fn variable_lists_are_comma_separated() {
    let origins = "https://a.example,https://b.example";
    let variables = [("MOTIF_GATEWAY_CORS_ORIGINS", origins)];
    let config = read("[proxies]\ntrusted = [\"10.0.0.0/8\", \"fd00::/8\"]", &variables).unwrap();
    assert_eq!((config.trusted_proxies.len(), config.cors_origins.len()), (2, 2));
}

#[test]
fn rpc_url_accepts_one_or_several() {
    let one = read("rpc_url = \"http://a.example\"", &[]).unwrap();
    assert_eq!(one.rpc_urls, ["http://a.example"]);
    let two = ["http://a.example", "https://b.example/canary"];
    let file = read(&format!("rpc_url = {two:?}"), &[]).unwrap();
    assert_eq!(file.rpc_urls, two);
    let variable = read("", &[("MOTIF_GATEWAY_RPC_URL", &two.join(", "))]).unwrap();
    assert_eq!(variable.rpc_urls, two);
    assert_eq!(format!("{:?}", Endpoint::new(two[1])), "https://b.example");
    assert!(!format!("{variable:?}").contains("canary"));
    for wrong in ["rpc_url = []", "rpc_url = [\"http://a.example\", \"ws://b.example\"]"] {
        assert!(read(wrong, &[]).is_err(), "{wrong}");
    }
}

#[test]
fn all_faults_are_reported_without_secrets() {
    let text = "operator_fee_bps = \"canary\"\nlimit.connections = 3\n[limits]\nconnections = -1\n\
                [admin]\nlisten = \"127.0.0.1:1\"\nsecret = \"canary\"\n[cors]\norigins = [\"*\"]";
    let variables = [("MOTIF_GATEWAY_ADMIN_SECRET", "canary"), ("MOTIF_GATEWAY_TYPO", "canary")];
    let faults = read(text, &variables).unwrap_err();
    let keys: Vec<_> = faults.iter().map(|fault| &fault.key[..]).collect();
    for key in [
        "operator_fee_bps",
        "limit.connections",
        "limits.connections",
        "admin.secret",
        "cors.origins",
        "MOTIF_GATEWAY_TYPO",
    ] {
        assert!(keys.contains(&key), "{key} is missing in {keys:?}");
    }
    assert!(faults.to_string().contains("did you mean `limits.connections`"), "{faults}");
    assert!(!faults.to_string().contains("canary"), "{faults}");
    let broken = read("listen = \"canary", &[]).unwrap_err();
    assert!(!broken.to_string().contains("canary"), "{broken}");
}

#[test]
fn traces_require_endpoint_and_hide_key() {
    assert!(read("[traces]\nsampled_bps = 5", &[]).unwrap().traces.is_none());
    let url = "https://user:canary-password@a.example/canary-of-a-path?key=canary";
    let variables = [("MOTIF_GATEWAY_TRACES_ENDPOINT", url)];
    let config = read("[traces]\nsampled_bps = 5", &variables).unwrap();
    let traces = config.traces.clone().unwrap();
    assert_eq!((&traces.endpoint[..], traces.sampled_bps), (url, 5));
    let shown = format!("{config:?}");
    assert!(shown.contains("https://a.example") && !shown.contains("canary"), "{shown}");
    for (endpoint, sampled_bps, key) in [
        ("a.example:4318", 1, "traces.endpoint"),
        ("ftp://a.example", 1, "traces.endpoint"),
        ("http://a.example", 10_001, "traces.sampled_bps"),
    ] {
        let text = format!("[traces]\nendpoint = {endpoint:?}\nsampled_bps = {sampled_bps}");
        let faults = read(&text, &[]).unwrap_err();
        let keys: Vec<_> = faults.iter().map(|fault| &fault.key[..]).collect();
        assert_eq!(keys, [key], "{endpoint}");
    }
}

#[test]
fn keys_default_to_the_keypair() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fees.json");
    let fees = motif_sdk::keypair::create(&path).unwrap();
    let address = fees.pubkey();
    let socket = format!("unix:/run/keys.sock#{address}");
    let text = format!("[keys]\nfee_payer = {path:?}\nnext_settle = {socket:?}");
    let keys = read(&text, &[]).unwrap().keys;
    let own = operator().unwrap().pubkey();
    assert_eq!((keys.settle.present.public_key(), keys.fee_payer.public_key()), (own, address));
    assert_eq!(keys.receipt.present.public_key(), own);
    assert_eq!(keys.settle.next.as_ref().unwrap().public_key(), address);
    assert!(keys.authority.is_some() && keys.receipt.next.is_none());
    // Another authority: it is kept elsewhere, unless it is among the keys.
    let elsewhere = read(&format!("operator = \"{address}\""), &[]).unwrap();
    assert!(elsewhere.keys.authority.is_none());
    let here = read(&format!("[keys]\nauthority = {path:?}"), &[]).unwrap();
    assert_eq!(here.operator, address);
    assert_eq!(here.keys.authority.unwrap().public_key(), address);
    // No keypair is needed beside a settle key.
    let mut layers = Layers::default();
    layers.toml(&format!("[keys]\nsettle = {socket:?}"), "gateway.toml");
    let remote = GatewayConfig::read(&layers, Err("no keypair".to_owned())).unwrap();
    assert_eq!(remote.operator, address);
    for wrong in ["env:MOTIF_TEST_UNSET_KEY", "absent.json", "unix:/run/keys.sock"] {
        let faults = read(&format!("[keys]\nreceipt = {wrong:?}"), &[]).unwrap_err();
        assert!(faults.iter().all(|fault| fault.key == "keys.receipt"), "{faults}");
    }
}

#[test]
fn contradictions_are_faults() {
    let all = "min_voucher_seconds = 4000\noperator_fee_bps = 5001\nrpc_url = \"ws://a\"\n\
               [api_keys]\nrequired = true\n[settle]\nmax_exposure = 5\nat_amount = 6\n\
               [limits]\nhead_seconds = 1\naddress_burst = 0";
    let faults = read(all, &[]).unwrap_err();
    assert_eq!(faults.iter().count(), 7, "{faults}");
}

#[test]
fn settings_that_prevent_a_start_are_faults() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-a-key");
    std::fs::write(&file, "canary").unwrap();
    let (file, folder) = (file.display().to_string(), folder.path().display().to_string());
    for (key, text) in [
        ("min_grace_seconds", "min_grace_seconds = 2592001".to_owned()),
        ("public_url", format!("public_url = \"http://a/{}\"", "x".repeat(128))),
        ("public_url", "public_url = \"http://a/\\u0000\"".to_owned()),
        ("public_url", "public_url = \"http://a/ b\"".to_owned()),
        (
            "catalogue_seconds",
            "catalogue_seconds = 21\n[sales]\npublic_url = \"https://gw.example\"".to_owned(),
        ),
        (
            "sales.facilitator_seconds",
            "catalogue_seconds = 20\n[sales]\npublic_url = \"https://gw.example\"\n\
             facilitator_seconds = 81"
                .to_owned(),
        ),
        ("keys.digest_file", format!("[keys]\ndigest_file = {file:?}")),
        ("keys.digest_file", format!("[keys]\ndigest_file = {folder:?}")),
    ] {
        let faults = read(&text, &[]).unwrap_err();
        let keys: Vec<_> = faults.iter().map(|fault| &fault.key[..]).collect();
        assert_eq!(keys, [key], "{faults}");
        assert!(!faults.to_string().contains("canary"), "{faults}");
    }
}

#[test]
fn sales_have_defaults() {
    let text = "catalogue_seconds = 20\n[sales]\npublic_url = \"https://gw.example\"";
    let sales = read(text, &[]).unwrap().sales.unwrap();
    assert_eq!(sales, SalesConfig::new("https://gw.example"));
    assert_eq!((sales.paywall.least_price, sales.facilitator_seconds), (0, 80));
}

#[test]
fn priority_fee_has_floor_and_cap() {
    let fee = |text: &str| read(text, &[]).map(|config| config.settle.priority_fee);
    let percentile = |percentile, floor, cap| PriorityFee::Percentile { percentile, floor, cap };
    assert_eq!(fee("").unwrap(), percentile(50, 0, 100_000));
    let given = "[settle]\npriority_fee = \"p75\"\npriority_fee_floor = 10\npriority_fee_cap = 20";
    assert_eq!(fee(given).unwrap(), percentile(75, 10, 20));
    assert_eq!(fee("[settle]\npriority_fee = 7").unwrap(), PriorityFee::Fixed(7));
    assert_eq!(fee("[settle]\npriority_fee = \"off\"").unwrap(), PriorityFee::Off);
    let wrong = fee("[settle]\npriority_fee_floor = 100001").unwrap_err();
    assert!(wrong.iter().all(|fault| fault.key == "settle.priority_fee_floor"), "{wrong}");
    assert!(fee("[settle]\npriority_fee = \"p0\"").is_err());
}

#[test]
fn shared_store_requires_public_url() {
    let shared = &format!(
        "store = \"postgres://motif:canary-canary@127.0.0.1/motif\"\nlisten = \"0.0.0.0:8787\"\n\
         {MINTS}"
    );
    let faults = read(shared, &[]).unwrap_err();
    assert!(faults.iter().all(|fault| fault.key == "public_url"), "{faults}");
    let url = [("MOTIF_GATEWAY_PUBLIC_URL", "https://a.example")];
    let read_well = read(shared, &url).unwrap();
    assert!(!format!("{read_well:?}").contains("canary"), "{read_well:?}");
    assert!(read(shared, &[("MOTIF_GATEWAY_PUBLIC_URL", "a.example")]).is_err());
    assert!(read("lease_seconds = 0", &[]).is_err());
    let public = format!("listen = \"0.0.0.0:8787\"\n{MINTS}");
    assert!(read(&public, &[]).is_ok(), "a file store has one process");
}

/// Setting of any mint.
const MINTS: &str = "mints = [\"So11111111111111111111111111111111111111112\"]";

#[test]
fn public_listener_requires_mints() {
    for public in ["0.0.0.0:8787", "[::]:8787", "10.0.0.1:8787"] {
        let listen = format!("listen = \"{public}\"\n");
        let faults = read(&listen, &[]).unwrap_err();
        assert!(faults.iter().all(|fault| fault.key == "mints"), "{faults}");
        assert!(read(&format!("{listen}{MINTS}"), &[]).is_ok(), "{public}");
    }
    for loopback in ["127.0.0.1:8787", "[::1]:8787"] {
        assert!(read(&format!("listen = \"{loopback}\""), &[]).is_ok(), "{loopback}");
    }
}

#[test]
fn admin_listener_requires_strong_secret() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let listen = "[admin]\nlisten = \"127.0.0.1:0\"";
    let with_file = format!("{listen}\nsecret_file = {:?}", file.path());
    assert!(read(listen, &[]).is_err());
    assert!(read(&with_file, &[]).is_err(), "an empty file");
    assert!(read(listen, &[("MOTIF_GATEWAY_ADMIN_SECRET", &"x".repeat(31))]).is_err());
    std::fs::write(file.path(), "y".repeat(32) + "\n").unwrap();
    assert!(read(&with_file, &[]).unwrap().admin.unwrap().secret.is(&"y".repeat(32)));
    let variable = [("MOTIF_GATEWAY_ADMIN_SECRET", &*"x".repeat(32))];
    assert!(read(listen, &variable).unwrap().admin.unwrap().secret.is(&"x".repeat(32)));
    assert!(read(&with_file, &variable).is_err(), "two secrets are ambiguous");
}
