//! Pages for browsers: the studio, shared links, and a 402 that a person reads.

use motif_sdk::Pubkey;
use reqwest::{
    Client, Method, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING},
    redirect::Policy,
};

use crate::{
    sold::{self, Sold},
    works::{WORK, publish},
    world::{Answer, World, with_admin},
};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const HOSTILE: &str = "</title><script>alert(1)</script>\"><img src=x onerror=alert(2)>";

async fn get(world: &World, path: &str) -> Answer {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let url = format!("{}{path}", world.gateway.url());
    Answer::to(client.get(url).header(ACCEPT, BROWSER)).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn browser_is_sent_to_studio() {
    let world = World::new().await;
    let root = get(&world, "/").await;
    assert_eq!((root.status, header(&root, "location")), (StatusCode::SEE_OTHER, "/studio"));
    world.send(Method::GET, "/", None, None).await.assert_problem(404, "not-found");
    for path in ["/studio", "/studio/", "/studio/earnings", "/r/abc"] {
        let page = get(&world, path).await;
        page.assert_ok();
        assert!(page.kind.starts_with("text/html"), "{path}: {}", page.kind);
        let policy = header(&page, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains('*'), "{policy}");
        assert_eq!(header(&page, "x-content-type-options"), "nosniff");
        assert!(!page.text().contains("<script>"), "no inline script");
    }
}

#[tokio::test]
async fn missing_files_and_odd_paths_are_not_found() {
    let world = World::new().await;
    for path in [
        "/studio/missing.js",
        "/studio/..%2f..%2fCargo.toml",
        "/studio/%2e%2e/index.html",
        "/studio/index.html.br",
        "/r/%3Cscript%3E",
        "/r/a.b",
    ] {
        assert_eq!(get(&world, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let world = World::with(|config| config.studio = false).await;
    for path in ["/", "/studio", "/w/1", "/v1/chain", "/v1/chain/blockhash"] {
        assert_eq!(get(&world, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn admin_listener_shows_operator_page() {
    let world = World::with(with_admin).await;
    let admin = world.gateway.admin_url().unwrap();
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let get = async |path: &str| {
        Answer::to(client.get(format!("{admin}{path}")).header(ACCEPT, BROWSER)).await
    };
    for path in ["/", "/studio", "/studio/works"] {
        let sent = get(path).await;
        assert_eq!(header(&sent, "location"), "/studio/operator", "{path}");
    }
    let page = get("/studio/operator").await;
    page.assert_ok();
    assert!(page.kind.starts_with("text/html"), "{}", page.kind);
    assert!(header(&page, "content-security-policy").starts_with("default-src 'none'"));
    let script = page.text().split_once("src=\"").unwrap().1.split('"').next().unwrap().to_owned();
    get(&script).await.assert_ok();
    get("/v1/channels").await.assert_problem(401, "unauthorized");
}

#[tokio::test]
async fn compressed_file_is_sent_when_accepted() {
    let world = World::new().await;
    let url = format!("{}/studio/index.html", world.gateway.url());
    for accepted in ["gzip", "br;q=0", "gzip, br"] {
        let sent = Client::new().get(&url).header(ACCEPT_ENCODING, accepted).send().await.unwrap();
        assert!(sent.status().is_success(), "{accepted}");
        assert_eq!(sent.headers()["vary"], "accept-encoding");
        let is_brotli = sent.headers().get("content-encoding").is_some_and(|coding| coding == "br");
        assert!(!is_brotli || accepted == "gzip, br", "{accepted}");
    }
}

#[tokio::test]
async fn hostile_title_stays_text() {
    let world = World::new().await;
    publish(&world);
    world.chain.state().works.get_mut(&WORK).unwrap().title = HOSTILE.into();
    let page = get(&world, &format!("/w/{WORK}")).await;
    page.assert_ok();
    let text = page.text();
    assert!(text.contains("og:title"), "{text}");
    assert!(!text.contains("<script>") && !text.contains("<img"), "{text}");
    assert!(text.contains("&lt;/title&gt;&lt;script&gt;alert(1)"), "{text}");
    assert!(text.contains("generate: 101 base units a generation"), "{text}");
    let unknown = get(&world, &format!("/w/{}", Pubkey::new_from_array([99; 32]))).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.kind.starts_with("text/html"));
    get(&world, "/w/%3Cscript%3E").await.assert_problem(400, "invalid-path");
}

#[tokio::test]
async fn unpaid_browser_sees_price_and_terms() {
    let sold = Sold::new().await;
    sold.publish();
    sold.world.chain.state().works.get_mut(&sold::WORK).unwrap().title = HOSTILE.into();
    let ask = async |accept: &str| {
        let asked = Client::new().post(sold.url("/pictures")).header(ACCEPT, accept).body("{}");
        Answer::to(asked).await
    };
    let page = ask(BROWSER).await;
    assert_eq!(page.status, StatusCode::PAYMENT_REQUIRED);
    assert!(
        page.kind.starts_with("text/html") && page.headers.contains_key("motif-payment-required")
    );
    let text = page.text();
    assert!(text.contains("101 base units of"), "{text}");
    assert!(text.contains("Licensed uses and prices:"), "{text}");
    assert!(text.contains("&lt;script&gt;") && !text.contains("<script>"), "{text}");
    assert!(!text.contains("<img"), "{text}");
    let policy = header(&page, "content-security-policy");
    assert!(policy.contains("style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    for accept in ["application/json, text/html", "*/*", "application/json"] {
        ask(accept).await.assert_problem(402, "payment-required");
    }
}

#[tokio::test]
async fn paywall_answers_configured_origins_only() {
    let own = "https://studio.example";
    let sold = Sold::with_gateway(|config| config.cors_origins = vec![own.parse().unwrap()]).await;
    let url = sold.url("/pictures");
    for (origin, expected) in [(own, Some(own)), ("https://evil.example", None)] {
        let preflight = Client::new()
            .request(Method::OPTIONS, &url)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "motif-payment,content-type");
        let plain = Client::new().post(&url).header("origin", origin).body("{}");
        for (what, answer) in
            [("preflight", Answer::to(preflight).await), ("request", Answer::to(plain).await)]
        {
            let allowed = answer.headers.get("access-control-allow-origin");
            assert_eq!(allowed.map(|origin| origin.to_str().unwrap()), expected, "{origin} {what}");
            assert!(!answer.headers.contains_key("access-control-allow-credentials"));
            if what == "request" && expected.is_some() {
                let exposed = header(&answer, "access-control-expose-headers");
                assert!(exposed.contains("motif-payment-required"), "{exposed}");
            }
        }
    }
}
