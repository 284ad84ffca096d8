//! Keys and tokens are in none of the logs, pages, answers and errors.

use std::fs;

use super::shop::Shop;

#[test]
fn secrets_stay_in_their_files() {
    let mut shop = Shop::open(&["--deposit", "1", "--max-unit-price", "0.001"]);
    let mut seen = String::new();
    let mut see = |answer: &super::shop::Answer| {
        seen += &answer.headers;
        seen += &String::from_utf8_lossy(&answer.body);
    };
    let upstream_key = "sk-upstream-0123456789";
    let url = format!("{}?api_key=query-secret-0123456789", shop.through("/echo"));
    let sent = format!("x-upstream: {upstream_key}");
    shop.curl(&["-H", &sent, "-d", "body-secret-0123456789", &url]);
    see(&shop.buy_picture("New York"));
    see(&shop.post(&shop.through("/pictures"), "not JSON"));
    see(&shop.curl(&[&format!(
        "{}/https://unknown.invalid/a?api_key=query-secret-0123456789",
        shop.payer
    )]));
    see(&shop.curl_with(&["-H", &format!("authorization: Bearer {}x", shop.token), &shop.payer]));
    see(&shop.post(&format!("{}/v1/pay", shop.payer), &format!("{{\"token\":\"{}\"}}", 7)));
    for path in ["/", "/metrics", "/v1/exchanges", "/v1/channels", "/v1/budgets", "/v1/receipts"] {
        see(&shop.curl(&[&format!("{}{path}", shop.payer)]));
    }
    let wallet = fs::read_to_string(shop.world.path("platform.json")).unwrap();
    let voucher = fs::read_to_string(shop.state_file("voucher.json")).unwrap();
    let secrets = secrets_of(&[&wallet, &voucher]);
    let token = shop.token.clone();
    let in_files: Vec<String> = fs::read_dir(shop.state_file(""))
        .unwrap()
        .chain(fs::read_dir(shop.state_file("channels")).unwrap())
        .chain(fs::read_dir(shop.state_file("receipts")).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.is_file() && !path.ends_with("voucher.json") && !path.ends_with("token")
        })
        .map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned())
        .collect();
    let logs = shop.world.stop_logged();
    assert!(logs.contains("channel opened"), "nothing was logged: {logs}");
    assert!(seen.contains("<svg") && seen.contains("target-unreachable"));
    let everything = [seen, logs, in_files.concat()].concat();
    let other = ["query-secret-0123456789", "body-secret-0123456789", upstream_key];
    for secret in secrets.iter().map(String::as_str).chain([token.as_str()]).chain(other) {
        let found = everything.find(secret).map(|at| &everything[at.saturating_sub(200)..at]);
        assert!(found.is_none(), "a secret follows: {found:?}");
    }
}

/// Returns keypairs in the forms in which they are written: numbers, hexadecimal digits, and base58.
fn secrets_of(keypairs: &[&str]) -> Vec<String> {
    let mut secrets = Vec::new();
    for text in keypairs {
        let bytes: Vec<u8> = serde_json::from_str(text).unwrap();
        let numbers = bytes[..32].iter().map(ToString::to_string).collect::<Vec<_>>();
        secrets.extend([numbers.join(","), numbers.join(", "), hex::encode(&bytes[..32])]);
        let keypair = solana_keypair::Keypair::try_from(&bytes[..]).unwrap();
        secrets.push(keypair.to_base58_string());
    }
    secrets
}
