//! Secrets contain a canary text, which must not appear in logs, responses or output.

use std::{
    io::Write,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use motif_gateway::{
    chain::{Chain, RpcChain},
    serve,
};
use motif_sdk::gateway::{
    GatewayClient, PayerRequest,
    wire::{NewApiKey, PayerProof, ScopeWord},
};
use reqwest::{Client, Method};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{Answer, CHANNEL, SECRET, World, with_admin};

/// Log of the tests of this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn get() -> &'static Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::default();
            let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false);
            // All levels of the gateway, and the default level of other crates.
            let filter = "info,motif_gateway=trace,motif_sdk=trace";
            subscriber.with_env_filter(filter).init();
            log
        })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn secrets_are_never_shown() {
    let log = Log::get();
    let mut shown = Vec::new();
    let world = World::with(with_admin).await;
    let key = NewApiKey {
        name: "a platform".into(),
        scopes: vec![ScopeWord::Read, ScopeWord::Meter],
        channels: vec![],
        budget: None,
        expires_at: None,
    };
    let created = world.admin().create_api_key(&key).await.unwrap();
    let token = created.token.clone();
    shown.push(format!("{created:?} {:?}", world.config));
    shown.push(format!("{:?}", GatewayClient::new("http://a.invalid").api_key(&token)));
    shown.push(format!("{:?}", world.admin()));

    // Valid and invalid credentials, on both listeners, on every kind of path.
    for url in [world.gateway.url(), world.gateway.admin_url().unwrap()] {
        for bearer in [SECRET, &token, &format!("{SECRET}x"), &format!("{token}0")] {
            for path in ["/metrics", "/v1/keys", "/nowhere", &format!("/v1/channels/{CHANNEL}")] {
                for method in [Method::GET, Method::POST, Method::DELETE] {
                    let asked = Client::new().request(method, format!("{url}{path}"));
                    let asked =
                        asked.bearer_auth(bearer).header("content-type", "application/json");
                    shown.push(Answer::to(asked.body("{")).await.text());
                }
            }
        }
    }

    // Vouchers that are served, repeated, replayed, invalid and truncated. Their signatures
    // are secrets.
    let request = world.next_request().await;
    let mut dearer = request.clone();
    dearer.units += 1;
    let mut forged = request.clone();
    forged.voucher.voucher.cumulative += 1;
    let whole = serde_json::to_value(&request).unwrap();
    for (key, body) in [
        ("the-first-key", json!(request)),
        ("the-first-key", json!(request)),
        ("the-first-key", json!(dearer)),
        ("another-key", json!(request)),
        ("another-key", json!(dearer)),
        ("another-key", json!(forged)),
        ("another-key", json!({ "voucher": whole["voucher"], "license": "nonsense" })),
        ("another-key", json!([whole["voucher"]["signature"]])),
    ] {
        shown.push(world.post(Some(key), body.to_string()).await.text());
    }
    let proof = json!(PayerProof::from(&world.request(PayerRequest::settle)));
    for path in ["settlements", "close", "holds", "nowhere"] {
        let (path, body) = (format!("/v1/channels/{CHANNEL}/{path}"), proof.to_string());
        shown.push(world.send(Method::POST, &path, None, Some(body.into())).await.text());
    }
    let signatures = [&whole["voucher"]["signature"], &proof["signature"]];
    let signatures = signatures.map(|signature| signature.as_str().unwrap().to_owned());

    // An unreachable node whose URL holds a provider's key.
    let rpc_url = "http://user:canary-password@127.0.0.1:9/v2/canary-path?api-key=canary-query";
    let chain = RpcChain::new(&[rpc_url]);
    shown.push(format!("{:?}", chain.reach().await));
    shown.push(format!("{:?}", chain.cluster().await));
    shown.push(format!("{:?}", chain.channel(&CHANNEL).await.map(|_| ())));
    shown.push(format!("{:?}", chain.submit(&[1, 2, 3], true).await));
    let folder = tempfile::tempdir().unwrap();
    let mut config = world.config.clone();
    (config.rpc_urls, config.store) =
        (vec![rpc_url.to_owned()], folder.path().join("store.sqlite").into());
    shown.push(format!("{config:?}"));
    let away = serve(config).await.unwrap();
    for path in ["/readyz", "/v1/operator", "/v1/works"] {
        shown.push(Answer::to(Client::new().get(format!("{}{path}", away.url()))).await.text());
    }
    away.shutdown().await;

    let operators_key = bs58_of(&[8; 32]); // that of the world
    shown.push(log.text());
    assert!(shown.iter().any(|text| text.contains("unauthorized")));
    assert!(log.text().contains("cluster unreachable"), "the log was heard");
    for signature in &signatures {
        assert!(!log.text().contains(signature), "what pays is in the log");
    }
    for text in &shown {
        for secret in ["canary-", &token[..], token.rsplit('_').next().unwrap(), &operators_key] {
            let place = text.find(secret);
            let around = place.map(|place| &text[place.saturating_sub(200)..place]);
            assert_eq!(around, None, "what follows is a secret");
        }
    }
}

fn bs58_of(bytes: &[u8]) -> String {
    format!("{:?}", &bytes[..32]).trim_matches(['[', ']']).to_owned()
}

#[tokio::test]
async fn log_injection_is_escaped() {
    let log = Log::get();
    let world = World::with(with_admin).await;
    for path in ["/injected%0d%0alevel=ERROR", "/injected%1b[31m", "/v1/works/injected%0aERROR"] {
        world.send(Method::GET, path, Some("injected-key"), None).await;
    }
    let asked = Client::new().get(format!("{}/healthz", world.gateway.url()));
    Answer::to(asked.header("x-request-id", "injected\tid")).await;
    // Invalid HTTP is rejected, and valid headers contain no line breaks.
    for head in [
        "GET /injected\x1b[31m HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: a\r\nx-request-id: a\x1b[31mERROR\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 1.1.1.1\nERROR injected\r\n\r\n",
        "GET /healthz HTTP/1.1\nhost: a\nx-request-id: a\rERROR injected\n\n",
        "ERROR\x1b[31m injected\r\n\r\n",
        "POST /v1/channels HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
         content-length: 25\r\n\r\n{\"channel\":\"\x1b[31m\nERROR\"}",
    ] {
        let mut stream = TcpStream::connect(world.gateway.local_addr()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 64];
        let read = stream.read(&mut answer);
        let answered = tokio::time::timeout(Duration::from_secs(5), read).await;
        assert!(answered.is_ok(), "{head:?} got no answer");
    }
    for name in ["a\r\nERROR injected", "a\x1b[31m", "a\u{9b}31m"] {
        let asked = Client::new().post(format!("{}/v1/keys", world.gateway.admin_url().unwrap()));
        let key = json!({ "name": name, "scopes": ["read"] });
        Answer::to(asked.bearer_auth(SECRET).json(&key)).await.assert_problem(422, "invalid-key");
    }
    let text = log.text();
    assert!(!text.contains('\u{1b}') && !text.contains('\r'));
    assert!(text.lines().all(|line| !line.starts_with("level=") && !line.starts_with("ERROR")));
}
