//! Stock OpenAI clients of npm and PyPI, and Python `requests`, behind the payer. The scripts are in
//! `tests/openai`.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::shop::{COST, Shop};

/// Program that runs a script of a client.
struct Client {
    program: String,
    script: &'static str,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/openai")
}

/// Returns the clients that are installed; without all of them only if the gate does not require them.
fn installed() -> Vec<Client> {
    let python = std::env::var("MOTIF_OPENAI_PYTHON").unwrap_or("python3".to_owned());
    let runs = |program: &str, arguments: &[&str]| {
        let ran = Command::new(program).args(arguments).stderr(Stdio::null()).output();
        ran.is_ok_and(|ran| ran.status.success())
    };
    let mut clients = Vec::new();
    let has_node = runs("node", &["--version"]) && folder().join("node_modules/openai").exists();
    for (found, program, script) in [
        (has_node, "node", "chat.mjs"),
        (runs(&python, &["-c", "import openai"]), &python, "chat.py"),
        (runs(&python, &["-c", "import requests"]), &python, "fetch.py"),
    ] {
        if found {
            clients.push(Client { program: program.to_owned(), script });
        } else {
            assert!(std::env::var_os("MOTIF_REQUIRE_OPENAI").is_none(), "{script} cannot run");
            eprintln!(
                "SKIPPED: {script} needs `npm ci --prefix tests/openai`, and in MOTIF_OPENAI_PYTHON a \
                 Python with tests/openai/requirements.txt"
            );
        }
    }
    clients
}

impl Client {
    /// Runs the script at a base URL; returns the JSON that it prints.
    fn run(&self, shop: &Shop) -> Value {
        let mut command = Command::new(&self.program);
        command.arg(self.script).current_dir(folder());
        command.env("MOTIF_BASE_URL", shop.through("/v1")).env("MOTIF_TOKEN", &shop.token);
        // Nothing else of this machine's settings.
        for name in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy"]
        {
            command.env_remove(name);
        }
        let ran = command.output().unwrap();
        let (printed, complaints) =
            (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{}: {printed}{complaints}", self.script);
        serde_json::from_str(printed.trim()).unwrap()
    }
}

#[test]
fn stock_clients_buy_chat_completions() {
    let clients = installed();
    let shop = Shop::open(&["--deposit", "1", "--max-unit-price", "0.001"]);
    let mut spent = 0;
    for client in &clients {
        let bought = client.run(&shop);
        assert_eq!(bought["content"], "New York style same", "{}", client.script);
        let refusal = json!({ "status": 404, "code": "model_not_found" });
        assert_eq!(bought["refusal"], refusal, "{}", client.script);
        if client.script == "fetch.py" {
            let lines = bought["lines"].as_array().unwrap();
            assert_eq!((lines.len(), &lines[5]), (6, &json!("data: [DONE]")));
            assert!(bought["kind"].as_str().unwrap().starts_with("text/event-stream"));
        } else {
            let deltas = json!(["New", " York", " style", " same", ""]);
            assert_eq!(bought["deltas"], deltas, "{}", client.script);
            assert_eq!(bought["usage"], 8);
        }
        // A completion is one unit, each of six events another; a refusal costs nothing.
        spent += 7 * COST;
        assert_eq!(shop.spent(), spent, "{}", client.script);
    }
    assert_eq!(shop.charged(), spent);
}
