//! Files, machines and habits that commands once failed on.

use std::{
    fs,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{Html, IntoResponse, Response},
    routing::post,
};
use serde_json::json;

use crate::world::{MOTIF, World};

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/coffee.jpg");
const INES: [&str; 2] = ["--keypair", "ines.json"];
const POEM: &str = "Some words of a poem that is long enough to be told apart from others.";

/// Starts a load balancer before the node at `url`, which answers every third request itself. Returns its URL.
fn balancer(url: &str) -> String {
    let (send, receive) = mpsc::channel();
    let node = (url.to_owned(), Arc::new(AtomicU32::new(0)));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            let app = Router::new().route("/", post(balance)).with_state(node);
            axum::serve(listener, app).await.unwrap();
        });
    });
    format!("http://{}", receive.recv().unwrap())
}

async fn balance(State((url, asked)): State<(String, Arc<AtomicU32>)>, body: Bytes) -> Response {
    if asked.fetch_add(1, Ordering::Relaxed) % 3 == 1 {
        let page = Html("<html>503 Service Temporarily Unavailable</html>");
        return (StatusCode::SERVICE_UNAVAILABLE, page).into_response();
    }
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(url).header(CONTENT_TYPE, "application/json").body(body);
    let answer = request.send().await.unwrap().bytes().await.unwrap();
    ([(CONTENT_TYPE, "application/json")], answer).into_response()
}

fn localnet(people: &[&str]) -> World {
    let mut world = World::empty();
    world.spawn(&["localnet"]);
    world.does(&[&["key", "new", "--airdrop"][..], people].concat());
    world
}

#[test]
fn node_that_fails_at_times_is_asked_again() {
    let world = localnet(&["ines.json"]);
    let url = balancer(&world.rpc_url);
    fs::write(world.path("poem.txt"), POEM).unwrap();
    let register = ["work", "register", "poem.txt", "--kind", "text", "--rpc-url", &url];
    let terms = ["--use", "generate=0.01/generation"];
    let registered = world.does(&[&register[..], &terms, &INES].concat());
    assert_eq!(registered["terms"], 1);
}

#[test]
fn loopback_needs_no_proxy() {
    let world = localnet(&["ines.json"]);
    let proxies = "HTTP_PROXY=http://127.0.0.1:1 http_proxy=http://127.0.0.1:1 \
                   ALL_PROXY=http://127.0.0.1:1 all_proxy=http://127.0.0.1:1";
    world.shell(&format!("{proxies} motif work list --wait-seconds 0"));
    world.shell(&format!("{proxies} motif key airdrop ines.json"));
}

#[test]
fn large_model_needs_little_memory() {
    let world = localnet(&["ines.json"]);
    world.shell("truncate -s 1700M model.safetensors");
    let limited = "ulimit -v 1500000; motif";
    world.shell(&format!(
        "{limited} work register model.safetensors --kind style-model --model-base sdxl --keypair ines.json"
    ));
    let shown = world.shell(&format!("{limited} work show model.safetensors --json"));
    assert!(shown.contains("style-model"), "{shown}");
    let found = world.shell(&format!("{limited} authenticate model.safetensors --on-chain --json"));
    assert!(found.contains("\"exact\":[{"), "{found}");
}

#[test]
fn folder_of_shards_is_one_work() {
    let world = localnet(&["ines.json"]);
    world.shell("mkdir -p model/vae; echo 1 > model/a-00001-of-00002; echo 2 > model/vae/b; echo x > model/.hidden");
    let register = ["work", "register", "model", "--kind"];
    world.misuse(&[&register[..], &["image"], &INES].concat());
    let registered =
        world.does(&[&register[..], &["style-model", "--model-base", "sdxl"], &INES].concat());
    let documented = world.shell(
        "cd model; find -L . -type f -not -path '*/.*' -printf '%P\\n' | LC_ALL=C sort | \
         xargs -d '\\n' sha256sum | sha256sum | cut -c1-64",
    );
    assert_eq!(registered["content_digest"], documented.trim());
    world.shell("rm model/.hidden");
    assert_eq!(world.does(&["work", "show", "model"])["work"], registered["work"]);
    fs::write(world.path("model/vae/b"), "3").unwrap();
    world.refuses(&["work", "show", "model"], "unregistered-file");
}

#[test]
fn signed_copy_stands_for_its_work() {
    let world = localnet(&["ines.json", "kofi.json"]);
    fs::copy(PICTURE, world.path("p.jpg")).unwrap();
    let register = ["work", "register", "p.jpg", "--kind", "image"];
    let registered = world.does(&[&register[..], &INES].concat());
    world.does(&["credentials", "identity", "identity", "--name", "Ines"]);
    world.does(&["credentials", "sign", "p.jpg", "--identity", "identity"]);
    assert_eq!(world.does(&["work", "show", "p.signed.jpg"])["work"], registered["work"]);
    for keypair in ["ines.json", "kofi.json"] {
        let again = ["work", "register", "p.signed.jpg", "--kind", "image", "--keypair", keypair];
        world.refuses(&again, "signed-copy");
    }
}

#[test]
fn registration_says_how_work_is_found() {
    let world = localnet(&["ines.json"]);
    let found = |file: &str, kind: &str, content: &[u8]| {
        fs::write(world.path(file), content).unwrap();
        let line = format!("motif work register {file} --kind {kind} --keypair ines.json");
        let told = world.shell(&line);
        let line = told.lines().find(|line| line.starts_with("found"));
        line.unwrap_or_else(|| panic!("{told}")).trim_start_matches("found").trim().to_owned()
    };
    let picture = fs::read(PICTURE).unwrap();
    let alike = found("coffee.jpg", "image", &picture);
    assert!(alike.starts_with("fingerprint of scheme ") && alike.contains(": "), "{alike}");
    assert!(!alike.contains("exact bytes"), "{alike}");
    // What is found by its bytes only is registered, with what helps.
    for (file, kind, content, reason, help) in [
        ("short.txt", "text", &b"To be, or not to be"[..], "too short", "a longer text"),
        ("notes.mid", "recording", b"MThd\0\0\0\x06\0\0\0\x01\0\x60", "MIDI", "a recording of"),
        ("poem.txt", "recording", POEM.as_bytes(), "is a text", "the kind that it is"),
        ("torn.pdf", "text", b"%PDF-1.7\nand nothing more", "cannot be", "intact"),
    ] {
        let exact = found(file, kind, content);
        assert!(exact.starts_with("no fingerprint: found by its exact bytes only"), "{exact}");
        assert!(exact.contains(reason) && exact.contains(help), "{file}: {exact}");
    }
    let weights = found("data.bin", "dataset", b"weights");
    assert!(weights.ends_with("as all works of this kind"), "{weights}");
}

#[test]
fn workers_on_one_channel_take_turns() {
    let world = World::new(&[], &["ines.json", "platform.json", "gateway.json"]);
    fs::write(world.path("poem.txt"), POEM).unwrap();
    let register = ["work", "register", "poem.txt", "--kind", "text"];
    let terms = ["--use", "generate=0.001/generation"];
    world.does(&[&register[..], &terms, &INES].concat());
    let open = ["channel", "open", "--deposit", "1", "--accept", "poem.txt"];
    world.does(&[&open[..], &["--keypair", "platform.json"]].concat());
    let workers: Vec<_> = (0..4)
        .map(|number| {
            let mut command = world.command(MOTIF);
            command.args(["generate", "--count", "5", "--keypair", "platform.json", "--prompt"]);
            command.arg(number.to_string()).stdout(Stdio::null()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for worker in workers {
        let ended = worker.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let paid = ["generate", "--count", "1", "--keypair", "platform.json"];
    assert_eq!(world.does(&paid)["cumulative"], json!(21 * 1_020));
}

#[test]
fn argument_of_other_encoding_is_named() {
    let world = World::empty();
    let shown = world.shell("motif work show $'\\xff.txt' 2>&1 || true");
    assert!(shown.contains("xFF.txt") && shown.contains("not UTF-8"), "{shown}");
}
