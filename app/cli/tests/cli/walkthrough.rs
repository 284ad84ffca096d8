//! Commands of the README's walkthrough, in order.

use std::{fs, net::TcpListener, path::Path, process::Command};

use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const PICTURE: &str = "app/cli/assets/coffee.jpg";
const MODEL: &str = "app/cli/assets/style.safetensors";

#[test]
fn walkthrough_pays_recipients_exactly() {
    let commands = commands(&fs::read_to_string(format!("{ROOT}/README.md")).unwrap());
    assert!(commands.len() <= 10, "{} commands", commands.len());
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("app/cli/assets")).unwrap();
    for file in [PICTURE, MODEL] {
        fs::copy(format!("{ROOT}/{file}"), folder.path().join(file)).unwrap();
    }

    let earnings =
        |file: &str, into: &str| format!("motif earnings show {file} --json > {into}.json");
    let mut script = vec!["trap 'kill $(jobs -p)' EXIT".to_owned()];
    script.extend(commands);
    script.extend([earnings(PICTURE, "picture"), earnings(MODEL, "model")]);
    run(&script.join("\n"), folder.path());

    let picture = read(&folder.path().join("picture.json"));
    assert_eq!(picture["earned"], 20_000);
    assert_eq!(taken(&picture, "recipient"), [10_000, 10_000]);
    let model = read(&folder.path().join("model.json"));
    assert_eq!(model["earned"], 100_000);
    assert_eq!((taken(&model, "parent"), taken(&model, "recipient")), (vec![20_000], vec![80_000]));
    let receipts = fs::read_to_string(folder.path().join("walkthrough/receipts.jsonl")).unwrap();
    assert_eq!(receipts.lines().count(), 100);
    let pictures = fs::read_dir(folder.path().join("walkthrough/pictures")).unwrap();
    assert_eq!(pictures.count(), 100);
}

/// Returns the lines of the walkthrough's shell block.
fn commands(readme: &str) -> Vec<String> {
    let lines = readme.lines().skip_while(|line| *line != "## Walkthrough");
    let lines = lines.skip_while(|line| *line != "```sh").skip(1);
    lines.take_while(|line| *line != "```").map(str::to_owned).collect()
}

fn run(script: &str, folder: &Path) {
    let motif = Path::new(env!("CARGO_BIN_EXE_motif")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let (rpc, gateway) = free_ports();
    let ran = Command::new("bash")
        .args(["-e", "-c", script])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", motif.display()))
        .env("MOTIF_RPC_URL", format!("http://127.0.0.1:{rpc}"))
        .env("MOTIF_GATEWAY_URL", format!("http://127.0.0.1:{gateway}"))
        .status();
    assert!(ran.unwrap().success(), "see the command's output above");
}

/// Returns a port with a free neighbor for the websocket, and another port.
fn free_ports() -> (u16, u16) {
    let listen = |port| TcpListener::bind(("127.0.0.1", port));
    let mut ports = (21_000..29_000).step_by(2).skip(std::process::id() as usize % 3_000);
    let rpc = ports.find(|port| listen(*port).is_ok() && listen(port + 1).is_ok()).unwrap();
    (rpc, ports.find(|port| listen(*port).is_ok()).unwrap())
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn taken(earnings: &Value, role: &str) -> Vec<u64> {
    let parts = earnings["parts"].as_array().unwrap().iter();
    parts.filter(|part| part["role"] == role).map(|part| part["taken"].as_u64().unwrap()).collect()
}
