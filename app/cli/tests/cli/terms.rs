//! `motif terms`: terms files, offline.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

const MOTIF: &str = env!("CARGO_BIN_EXE_motif");
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/terms");

fn motif(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(MOTIF);
    // No node listens there: these commands work offline.
    command.args(arguments).current_dir(folder).env("MOTIF_RPC_URL", "http://127.0.0.1:9");
    command.output().unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let ran = motif(folder, &[arguments, &["--json"]].concat());
    let stdout = String::from_utf8(ran.stdout).unwrap();
    serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{arguments:?}: {stdout}"))
}

fn refusal(folder: &Path, text: &str) -> (String, String) {
    std::fs::write(folder.join("terms.toml"), text).unwrap();
    let error = &json(folder, &["terms", "check", "terms.toml"])["error"];
    let said = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
    (said("code"), said("message"))
}

#[test]
fn every_preset_prints_a_valid_file() {
    let folder = TempDir::new().unwrap();
    let presets = json(folder.path(), &["terms", "preset"])["presets"].clone();
    assert_eq!(presets.as_array().unwrap().len(), 6);
    for preset in presets.as_array().unwrap() {
        let name = preset["preset"].as_str().unwrap();
        let printed = motif(folder.path(), &["terms", "preset", name]);
        std::fs::write(folder.path().join("terms.toml"), printed.stdout).unwrap();
        let checked = motif(folder.path(), &["terms", "check", "terms.toml"]);
        let said = String::from_utf8(checked.stdout).unwrap();
        assert!(
            checked.status.success() && said.starts_with("Licensed uses and prices:"),
            "{name}: {said}"
        );
    }
}

#[test]
fn unknown_preset_suggests_the_nearest() {
    let ran = motif(Path::new("."), &["terms", "preset", "voice-50"]);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert!(said.contains("did you mean `voice-50-50`?"), "{said}");
}

#[test]
fn check_summarizes_and_completes_a_file() {
    let checked = json(Path::new(EXAMPLES), &["terms", "check", "illustrator.toml"]);
    let summary = checked["summary"].as_str().unwrap();
    assert!(summary.contains("- generate: 0.002 USDC a generation"), "{summary}");
    let folder = TempDir::new().unwrap();
    let complete = checked["document"].as_str().unwrap();
    std::fs::write(folder.path().join("complete.toml"), complete).unwrap();
    let again = json(folder.path(), &["terms", "check", "complete.toml"]);
    assert_eq!(again, checked);
}

#[test]
fn invalid_files_are_rejected() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let misspelt = refusal(folder, "prest = \"voice-50-50\"");
    let expected = "terms.toml: line 1: unknown key `prest`; did you mean `preset`?";
    assert_eq!(misspelt, ("terms-document".to_owned(), expected.to_owned()));
    let unpriced = refusal(folder, "preset = \"training-license\"");
    assert!(unpriced.1.contains("`train` has no price"), "{}", unpriced.1);
    let ended = "preset = \"non-commercial-remix\"\nexpires_at = 2020-01-01T00:00:00Z";
    assert_eq!(refusal(folder, ended).0, "InvalidTermsPeriod");
    assert_eq!(refusal(folder, "legal_text = \"absent.md\"").0, "unreadable-file");
    let absent = json(folder, &["terms", "check", "absent.toml"]);
    assert_eq!(absent["error"]["code"], "unreadable-file");
}

#[test]
fn decimal_price_requires_known_decimals() {
    let folder = TempDir::new().unwrap();
    let mint = "So11111111111111111111111111111111111111112";
    let priced = format!(
        "currency = \"{mint}\"\n[[use]]\nuse = \"play\"\nunit = \"second\"\nprice = \"0.5\""
    );
    let (code, message) = refusal(folder.path(), &priced);
    assert_eq!(code, "terms-document");
    assert!(message.contains("`price of play`: \"0.5\" needs the currency's decimals"));
    let check = ["terms", "check", "terms.toml", "--decimals", "9"];
    let checked = json(folder.path(), &check);
    assert!(checked["document"].as_str().unwrap().contains("price = 500000000"));
}

#[test]
fn story_pil_becomes_a_terms_file() {
    let folder = TempDir::new().unwrap();
    let pil = format!("{EXAMPLES}/story-pil.json");
    let imported = json(folder.path(), &["terms", "import-pil", &pil]);
    let warnings = imported["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["field"] == "defaultMintingFee"));
    let document = imported["document"].as_str().unwrap();
    assert!(document.contains("# defaultMintingFee: becomes upfront_fee = \"1\""), "{document}");
    let (_, message) = refusal(folder.path(), document);
    assert!(message.contains("`generate` has no price"), "{message}");
    let priced = document.replace("unit = ", "price = \"0.01\"\nunit = ");
    assert_eq!(refusal(folder.path(), &priced), (String::new(), String::new()));

    let ran = motif(folder.path(), &["terms", "import-pil", &pil]);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("warning: currency: 0x1514"), "{said}");
    std::fs::write(folder.path().join("other.json"), "{}").unwrap();
    let refused = json(folder.path(), &["terms", "import-pil", "other.json"]);
    assert_eq!(refused["error"]["code"], "not-a-pil");
}
