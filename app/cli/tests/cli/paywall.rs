//! `motif generate --through`: a model server behind a paywall, from its routes file to receipts.

use std::{fs, time::Duration};

use motif_testkit::model_server::ModelServer;
use serde_json::Value;

use crate::world::World;

pub const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/coffee.jpg");
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/style.safetensors");

/// Starts a model server in this process; returns it with its URL.
pub fn model_server() -> (ModelServer, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = ModelServer::default();
    let serving = server.clone().router();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, serving).await.unwrap();
        });
    });
    (server, url)
}

/// Starts a localnet and a gateway with a paywall, registers two works and opens a channel.
pub fn paywalled(server: &str) -> (World, String) {
    let mut world = World::empty();
    world.spawn(&["localnet"]);
    world.does(&["key", "new", "--airdrop", "ines.json", "platform.json", "gateway.json"]);
    let by_ines = ["--keypair", "ines.json"];
    let register = |file, more: &[&str]| {
        let registered =
            world.does(&[&["work", "register", file][..], more, &by_ines[..]].concat());
        registered["work"].as_str().unwrap().to_owned()
    };
    let picture = register(PICTURE, &["--kind", "image", "--use", "generate=0.001/generation"]);
    let model = ["--kind", "style-model", "--model-base", "sdxl"];
    let model =
        register(MODEL, &[&model[..], &["--use", "generate=0.0003/thousand-tokens"]].concat());
    let routes = format!(
        "upstream = \"{server}\"\n\
         [[route]]\nmethod = \"POST\"\npath = \"/images\"\nwork = \"{picture}\"\nuse = \"generate\"\n\
         units = {{ header = \"x-units\" }}\nmost_units = 4\n\
         [[route]]\nmethod = \"POST\"\npath = \"/pictures\"\nwork = \"{picture}\"\nuse = \"generate\"\n\
         units = {{ fixed = 1 }}\n\
         [[route]]\nmethod = \"POST\"\npath = \"/texts\"\nwork = \"{model}\"\nuse = \"generate\"\n\
         units = {{ fixed = 1 }}\n\
         [[route]]\nmethod = \"POST\"\npath = \"/stories\"\nwork = \"{model}\"\nuse = \"generate\"\n\
         units = {{ count = \"lines\" }}\nper = 1000\nstream = true\n"
    );
    fs::write(world.path("paywall.toml"), routes).unwrap();
    let serve = ["gateway", "serve", "--keypair", "gateway.json", "--store", "gateway.sqlite"];
    let sell = ["--paywall-listen", "127.0.0.1:0", "--paywall-routes", "paywall.toml"];
    let served = world.spawn(&[&serve[..], &sell].concat());
    let open = ["channel", "open", "--deposit", "5", "--accept", PICTURE, "--accept", MODEL];
    world.does(&[&open[..], &["--keypair", "platform.json"]].concat());
    let url = served["paywall_url"].as_str().unwrap().to_owned();
    (world, url)
}

#[test]
fn purchases_settle_with_every_receipt() {
    let (server, upstream) = model_server();
    let (world, url) = paywalled(&upstream);
    let (images, pictures) = (format!("{url}/images"), format!("{url}/pictures"));
    let generate = |url: &str, more: &[&str]| {
        let to = ["generate", "--through", url, "--output", "bought", "--receipts", "all.jsonl"];
        let to = [&to[..], more, &["--keypair", "platform.json"]].concat();
        to.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let buy = |url: &str, more: &[&str]| {
        let arguments = generate(url, more);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        world.does(&arguments)
    };

    // An image of three units, with its receipt beside it.
    let bought = buy(&images, &["--prompt", "New York, same style", "--field", "count=3"]);
    assert_eq!(bought["spent"], 3_060);
    let file = world.path(bought["files"][0].as_str().unwrap());
    assert_eq!(image::open(&file).unwrap().width(), 128);
    let receipt = fs::read_to_string(file.with_extension("receipt.json")).unwrap();
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    let digest = hex::encode(motif_sdk::fingerprint::content_digest(&fs::read(&file).unwrap()));
    assert_eq!((&receipt["units"], &receipt["output_digest"]), (&3.into(), &digest.into()));

    // Two images of fixed units, each paid for with its request.
    let bought = buy(&pictures, &["--count", "2"]);
    assert_eq!((&bought["spent"], bought["files"].as_array().unwrap().len()), (&2_040.into(), 2));

    // Killed while waiting for the answer, the command resumes: requested once, paid for once.
    assert_eq!(server.asked(), 3);
    let slow = ["--prompt", "Boston", "--field", "fail=slow"];
    let arguments = generate(&pictures, &slow);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let began = std::time::Instant::now();
    let mut patience = Duration::from_millis(300);
    while server.asked() == 3 {
        assert!(began.elapsed() < Duration::from_secs(60), "the server received no request");
        world.cut_off(&arguments, patience);
        patience += Duration::from_millis(100);
    }
    let pending = || {
        let names = fs::read_dir(world.path("bought")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("pending-")).count()
    };
    assert_eq!(pending(), 1);
    let bought = world.does(&arguments);
    assert_eq!((bought["cumulative"].as_u64(), server.asked()), (Some(6_120), 4));
    assert_eq!(pending(), 0);

    // A failure costs nothing.
    let failing = generate(&images, &["--prompt", "Boston", "--field", "fail=lie"]);
    let failing: Vec<_> = failing.iter().map(String::as_str).collect();
    world.refuses(&failing, "units-above-held");
    assert_eq!(pending(), 0);

    // 2,500 tokens count as three thousand.
    let story = format!("{url}/stories");
    let bought = buy(&story, &["--prompt", "once", "--field", "tokens=2500"]);
    assert_eq!(bought["spent"], 3 * 300 * 102 / 100);
    let text = world.path(bought["files"][0].as_str().unwrap());
    assert_eq!(text.extension().unwrap(), "txt");
    assert_eq!(fs::read_to_string(&text).unwrap().lines().count(), 2_500);
    let receipts = fs::read_to_string(text.with_extension("receipts.jsonl")).unwrap();
    assert_eq!(receipts.lines().count(), 3);

    // A signed image carries the receipt of the image as delivered.
    world.does(&["credentials", "identity", "studio", "--name", "A platform"]);
    let bought = buy(&pictures, &["--prompt", "signed", "--identity", "studio"]);
    let signed = bought["files"][0].as_str().unwrap();
    let shown = world.does(&["credentials", "show", signed, "--anchors", "studio/anchor.pem"]);
    assert_eq!(
        (&shown["credentials"]["state"], &shown["credentials"]["signer"]["trusted"]),
        (&"intact".into(), &true.into())
    );
    let found = world.does(&["authenticate", signed, "--on-chain"]);
    assert_eq!(found["credentials"]["findings"]["receipt"]["standing"], "signed");
    // A text cannot carry credentials: it is written as delivered.
    let texts = format!("{url}/texts");
    let bought = buy(&texts, &["--prompt", "once", "--identity", "studio"]);
    let text = world.path(bought["files"][0].as_str().unwrap());
    let receipt = fs::read_to_string(text.with_extension("receipt.json")).unwrap();
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    let digest = hex::encode(motif_sdk::fingerprint::content_digest(&fs::read(&text).unwrap()));
    assert_eq!((&bought["spent"], &receipt["output_digest"]), (&306.into(), &digest.into()));
    let streamed = generate(&story, &["--prompt", "once", "--identity", "studio"]);
    let streamed: Vec<_> = streamed.iter().map(String::as_str).collect();
    world.misuse(&streamed);

    // All purchases settle, and every receipt verifies against the chain.
    world.does(&["channel", "close", "--keypair", "platform.json"]);
    let verified = world.does(&["receipt", "verify", "all.jsonl"]);
    assert_eq!(verified["verified"], 9);
    world.does(&["earnings", "claim", PICTURE, MODEL, "--keypair", "ines.json"]);
    let earned = |file| world.does(&["earnings", "show", file])["earned"].clone();
    assert_eq!((earned(PICTURE), earned(MODEL)), (7_000.into(), 1_200.into()));
}
